/** What every part of the client server shares, and its way to answer requests. */
import type { Config } from '../../config/types.ts';
import type { TimingWheel } from '../../kernel/timers.ts';
import type { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import { expectedOrHidden } from '../../observe/reference.ts';
import { RequestError } from '../http/api-key.ts';
import { BodyBudget } from '../http/bodies.ts';
import { clientAddress, TrustedProxies } from '../http/client-address.ts';
import { defer, type Headers, type HttpRequest, type HttpResponse, send } from '../http/http.ts';
import { AddressLimits } from './address-limits.ts';
import type { SessionHost } from './client-handle.ts';
import { Clientless } from './clientless.ts';
import type { ClientCounters } from './counters.ts';
import { PacketRate } from './packet-rate.ts';
import type { RemoteSessions } from './returns.ts';
import type { Topics } from './topics.ts';

export type ClientSettings = Pick<Config, 'hive' | 'socketio'>;

const text = 'text/plain; charset=UTF-8';
const json = 'application/json; charset=utf-8';

export class ConnectionContext {
  readonly config: ClientSettings;
  readonly host: SessionHost;
  readonly topics: Topics;
  /** Makes transport ids: at least 128 random bits, and the node that they belong to. */
  readonly newId: () => string;
  readonly wheel: TimingWheel;
  readonly counters: ClientCounters;
  readonly log: Log;
  readonly clientless: Clientless;
  /** Of those who have a client, and of those who have none, who may be anybody. */
  readonly bodies: Readonly<Record<'clients' | 'clientless', BodyBudget>>;
  /** What one address may have; undefined where that is not limited. */
  readonly limits: AddressLimits | undefined;
  /** How fast clients may send; undefined where that is not limited. */
  readonly packetRate: PacketRate | undefined;
  /** The sessions of other nodes; undefined if there are none. */
  others: RemoteSessions | undefined;
  readonly #proxies: TrustedProxies | undefined;

  constructor(parts: Pick<ConnectionContext, 'config' | 'host' | 'topics' | 'newId' | 'wheel' | 'counters' | 'log'>) {
    this.config = parts.config;
    this.host = parts.host;
    this.topics = parts.topics;
    this.newId = parts.newId;
    this.wheel = parts.wheel;
    this.counters = parts.counters;
    this.log = parts.log;
    const { hive, socketio } = parts.config;
    this.clientless = new Clientless(hive.max_client_slots);
    this.bodies = {
      clients: new BodyBudget(socketio.max_payload),
      clientless: new BodyBudget(socketio.max_payload),
    };
    this.limits = AddressLimits.of(this.config.hive, this.counters, this.log);
    this.packetRate = PacketRate.of(this.config.socketio.max_packets_per_second);
    this.#proxies = TrustedProxies.of(this.config.hive.trusted_proxies);
  }

  /** The address of the client that has sent a request. */
  addressOf(res: HttpResponse, req: HttpRequest): string {
    return clientAddress(res, req, this.#proxies);
  }

  /** Why no client is accepted from where the request comes now, or undefined. Asked once for each handshake. */
  refusal(res: HttpResponse, req: HttpRequest, mayReturn = false): HiveError | undefined {
    return this.limits?.refusal(this.addressOf(res, req)) ?? this.host.refusal(mayReturn);
  }

  /** Prepares for an answer that comes later; `onAbort` runs if the client goes away before it. */
  defer(res: HttpResponse, onAbort?: () => void): void {
    defer(res, () => {
      this.counters.http.hang_up.value += 1;
      onAbort?.();
    });
  }

  reply(res: HttpResponse, status: number, body: string | Buffer, type = text, headers?: Headers): void {
    if (res.over === true) return;
    this.#count(status);
    send(res, status, body, type, headers && res.cors ? [...res.cors, ...headers] : (headers ?? res.cors));
  }

  replyJson(res: HttpResponse, status: number, value: unknown): void {
    this.reply(res, status, JSON.stringify(value), json);
  }

  /** Answers with `{error, description}`. Only expected failures show what happened. */
  replyError(res: HttpResponse, thrown: unknown): void {
    this.counters.http.errors.value += 1;
    const error = expectedOrHidden(thrown, 'Serving a client', this.log);
    const headers = error instanceof RequestError && error.headers.length > 0 ? error.headers : undefined;
    this.reply(res, error.status, JSON.stringify(error), json, headers);
  }

  /** A programming error while serving one client: that client's loss only. */
  crashed(error: unknown): void {
    if (this.log.excess('Serving a client failed', 'clients', 'error')) return;
    this.log.crash('Serving a client failed', { error });
  }

  #count(status: number): void {
    const { http } = this.counters;
    if (status >= 200 && status < 300) http['2XX'].value += 1;
    else if (status >= 400 && status < 500) http['4XX'].value += 1;
    else if (status >= 500 && status < 600) http['5XX'].value += 1;
    else http['???'].value += 1;
  }
}
