/**
 * The router of one node, registered as `hive_router`: it does for other nodes what they cannot do themselves, as a session
 * belongs to the node that opened it. The answer of a call says what became of it, as failures must survive the way between
 * nodes.
 *
 *   act, subscribe, unsubscribe,
 *   whereis, view, ask            for one client          enable, disable   admission
 *   subscribers                   of a channel here       terminate         answered when the clients have gone
 *                                                         stop              not answered: the node goes
 *
 * It holds no state: what it needs belongs to the node (see `RouterService`), so its crash costs nothing but open calls.
 */
import { Actor } from '../../kernel/actor.ts';
import type { From } from '../../kernel/types.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import { actionsFromWire } from '../../protocol/backend/action-call.ts';
import { parseBackEndJson } from '../../protocol/json.ts';
import { type EventPacket, eventFromValue } from '../../protocol/packet.ts';
import { type GenServerApi, type GenServerRequest, isGenServerRequest } from '../gen-server/gen-server-api.ts';
import type { ChannelAsks } from './channel-asks.ts';
import type { ClientsHere } from './clients-here.ts';
import type { Idempotency } from './idempotency.ts';
import type { Lists } from './lists.ts';
import { isRouterMessage, type RouterAnswer, type RouterMessage } from './wire-messages.ts';

const ok: RouterAnswer = { ok: true };

/** What the router does, for this node only. */
export interface LocalRoutes {
  /** Answers Erlang processes. */
  readonly erlang: GenServerApi;
  /** The router has (re)started. */
  started(router: Router): void;
  readonly here: ClientsHere;
  readonly idempotency: Idempotency;
  readonly channelAsks: ChannelAsks;
  /** The answer of the node that has the session now; undefined, at once or later, if it is here or nowhere. */
  elsewhere(message: RouterMessage & { readonly sid: string }): Promise<RouterAnswer | undefined> | undefined;
  readonly lists: Lists;
  enable(): void;
  disable(): void;
  terminate(reason: string): Promise<void>;
  /** Ends the node gracefully. */
  stop(reason: string): void;
  /** Something has come from another node that is no request. */
  misunderstood(): void;
}

/** @throws HiveError `invalid_json`, `bad_external_event` */
function eventOf({ name, args }: { readonly name: string; readonly args: string }): EventPacket {
  return eventFromValue({ name, args: parseBackEndJson(args, 'The arguments are') });
}

export class Router extends Actor<RouterMessage | GenServerRequest> {
  readonly #routes: LocalRoutes;

  constructor(routes: LocalRoutes) {
    super();
    this.#routes = routes;
  }

  get queueLength(): number {
    return this.cell.mailbox.length;
  }

  override init(): void {
    this.#routes.started(this);
  }

  override admits(message: unknown): boolean {
    return isRouterMessage(message) || isGenServerRequest(message);
  }

  override refuse(message: unknown, from: From | undefined): void {
    this.#routes.misunderstood();
    super.refuse(message, from);
  }

  receive(message: RouterMessage | GenServerRequest, from: From<RouterAnswer> | undefined): void {
    if (message.type === undefined) return this.#routes.erlang.serve(message, from);
    try {
      const answer = this.#serve(message);
      if (answer === undefined) return;
      if (!(answer instanceof Promise)) return from?.reply(answer);
      // Whoever waits must not hold up other requests, so the answer is sent from a task.
      answer.then(
        (value) => from?.reply(value ?? ok),
        (error: unknown) => from?.reply(toHiveError(error).toJSON()),
      );
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      from?.reply(error.toJSON());
    }
  }

  #serve(message: RouterMessage): RouterAnswer | Promise<RouterAnswer | void> | undefined {
    const elsewhere = 'sid' in message ? this.#routes.elsewhere(message) : undefined;
    if (!elsewhere) return this.#serveHere(message);
    return elsewhere.then((answer) => answer ?? this.#serveHere(message));
  }

  #serveHere(message: RouterMessage): RouterAnswer | Promise<RouterAnswer | void> | undefined {
    const routes = this.#routes;
    switch (message.type) {
      case 'act':
        return routes.here.runActions(message.sid, actionsFromWire(message.orders)) ?? ok;
      case 'subscribe':
      case 'unsubscribe':
        return routes.here.change(message.type, message.sid, message.channels);
      case 'whereis':
        return { client: routes.here.ref(message.sid) };
      case 'view':
        return routes.here.view(message.sid).then((view) => ({ view }));
      case 'ask':
        return routes.here.ask(message.sid, eventOf(message), message.timeoutMs).then((answered) => ({ answered }));
      case 'ask_channel':
        return routes.channelAsks
          .askHere(message.channel, eventOf(message), message.timeoutMs)
          .then((asked) => ({ asked }));
      case 'subscribers':
        return { subscribers: routes.lists.subscribers(message.channel) };
      case 'channels':
        return { channels: routes.lists.channels(message.channel, message) };
      case 'clients':
        return { clients: routes.lists.clients(message.channel, message.user, message) };
      case 'key_begin':
        return routes.idempotency.begin(message.key, message.digest, message.by).then((begun) => ({ begun }));
      case 'key_copy':
        return { key: routes.idempotency.copy(message.key, message) };
      case 'keys_kept':
        routes.idempotency.take(message.rows);
        return ok;
      case 'key_end':
        routes.idempotency.end(message.key, message);
        return ok;
      case 'user':
        return { sessions: routes.lists.sessionsOf(message.user) };
      case 'send':
        return routes.here.send(message.sid, eventOf(message)) ?? ok;
      case 'disconnect':
        routes.here.disconnect(message.sid);
        return ok;
      case 'enable':
        routes.enable();
        return ok;
      case 'disable':
        routes.disable();
        return ok;
      case 'terminate':
        return routes.terminate(message.reason);
      case 'stop':
        routes.stop(message.reason);
        return undefined;
    }
  }

  override inspect(): Record<string, unknown> {
    return { upMs: this.cell.ageMs };
  }
}
