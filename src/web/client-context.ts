/** What every part of the client server shares, and its way to answer requests. */
import type { Config } from '../config/types.ts';
import type { TimingWheel } from '../kernel/timers.ts';
import type { Log } from '../observe/logger.ts';
import { expectedOrHidden } from '../observe/reference.ts';
import type { ClientCounters } from './client-counters.ts';
import { Clientless } from './clientless.ts';
import { defer, type Headers, type HttpResponse, send } from './http.ts';
import type { SessionHost } from './sessions.ts';
import type { Topics } from './topics.ts';

export type ClientSettings = Pick<Config, 'hive' | 'socketio'>;

const text = 'text/plain; charset=UTF-8';
const json = 'application/json; charset=utf-8';

export class ClientContext {
  readonly config: ClientSettings;
  readonly host: SessionHost;
  readonly topics: Topics;
  /** Makes transport ids: at least 128 random bits, and the node that they belong to. */
  readonly newId: () => string;
  readonly wheel: TimingWheel;
  readonly counters: ClientCounters;
  readonly log: Log;
  readonly clientless: Clientless;

  constructor(parts: Pick<ClientContext, 'config' | 'host' | 'topics' | 'newId' | 'wheel' | 'counters' | 'log'>) {
    this.config = parts.config;
    this.host = parts.host;
    this.topics = parts.topics;
    this.newId = parts.newId;
    this.wheel = parts.wheel;
    this.counters = parts.counters;
    this.log = parts.log;
    this.clientless = new Clientless(parts.config.hive.max_client_slots);
  }

  /** Prepares for an answer that comes later; `onAbort` runs if the client goes away before it. */
  defer(res: HttpResponse, onAbort?: () => void): void {
    defer(res, () => {
      this.counters.http.hang_up.value += 1;
      onAbort?.();
    });
  }

  reply(res: HttpResponse, status: number, body: string | Buffer, type = text): void {
    if (res.over === true) return;
    this.#count(status);
    send(res, status, body, type, res.cors as Headers | undefined);
  }

  replyJson(res: HttpResponse, status: number, value: unknown): void {
    this.reply(res, status, JSON.stringify(value), json);
  }

  /** Answers with `{error, description}`. Only expected failures show what happened. */
  replyError(res: HttpResponse, thrown: unknown): void {
    this.counters.http.errors.value += 1;
    const error = expectedOrHidden(thrown, 'Serving a client', this.log);
    this.replyJson(res, error.status, error);
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
