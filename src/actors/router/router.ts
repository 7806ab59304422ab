/**
 * The router of one node, registered as `hive_router`: it does for other nodes what they cannot do themselves, as a session
 * belongs to the node that opened it. The answer of a call says what became of it, as failures must survive the way between
 * nodes.
 *
 *   act, subscribe, unsubscribe,
 *   whereis, view                 for one client          enable, disable   admission
 *   subscribers                   of a channel here       terminate         answered when the clients have gone
 *                                                         stop              not answered: the node goes
 *
 * It holds no state: what it needs belongs to the node (see `RouterService`), so its crash costs nothing but open calls.
 */
import { Actor } from '../../kernel/actor.ts';
import type { AnyRef, Call, From } from '../../kernel/types.ts';
import { catalogue, type ErrorCode, HiveError, toHiveError } from '../../observe/errors.ts';
import type { ActionCall } from '../../plugins/types.ts';
import { actionsFromWire } from '../../protocol/backend/action-call.ts';
import type { GenServerApi } from '../gen-server/gen-server-api.ts';

/** The name under which every node's router is registered. */
export const routerName = 'hive_router';

export type RouterMessage = (
  | { readonly type: 'act'; readonly sid: string; readonly orders: readonly ActionCall[] }
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channels: readonly string[] }
  | { readonly type: 'whereis' | 'view'; readonly sid: string }
  | { readonly type: 'subscribers'; readonly channel: string }
  | { readonly type: 'enable' | 'disable' }
  | { readonly type: 'terminate' | 'stop'; readonly reason: string }
) &
  Call<RouterAnswer>;

/** Messages that change something about one client. */
export type ClientRequest = Extract<RouterMessage, { readonly type: 'act' | 'subscribe' | 'unsubscribe' }>;

export type RouterAnswer =
  | { readonly ok: true }
  | { readonly subscribers: number }
  | { readonly client: AnyRef }
  | { readonly view: string }
  | { readonly error: string; readonly description: string };

const ok: RouterAnswer = { ok: true };

/** What the router does, for this node only. */
export interface LocalRoutes {
  /** Answers Erlang processes. */
  readonly erlang: GenServerApi;
  /** The router has (re)started. */
  started(router: Router): void;
  /** These throw or reject with HiveErrors; `bad_session_id` for a client that is not here. */
  runActionsHere(sid: string, actions: readonly ActionCall[]): void;
  changeHere(change: 'subscribe' | 'unsubscribe', sid: string, channels: readonly string[]): Promise<void>;
  clientHere(sid: string): AnyRef;
  /** JSON text: what plugins put into states need not be a term. */
  viewHere(sid: string): Promise<string>;
  /** Subscribers of the channels under an id or prefix; 0 if there are no such channels. */
  subscribersHere(channel: string): number;
  enable(): void;
  disable(): void;
  terminate(reason: string): Promise<void>;
  /** Ends the node gracefully. */
  stop(reason: string): void;
  /** Something arrived that is no request. */
  misunderstood(): void;
}

export class Router extends Actor<RouterMessage> {
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

  /** What other nodes send is looked at before it is used: they may run other versions. */
  override admits(): boolean {
    return true;
  }

  receive(message: RouterMessage, from: From<RouterAnswer> | undefined): void {
    if (!isRequest(message)) {
      if (!this.#routes.erlang.serve(message, from)) this.#refuse(message, from);
      return;
    }
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
    const routes = this.#routes;
    switch (message.type) {
      case 'act':
        routes.runActionsHere(message.sid, actionsFromWire(message.orders));
        return ok;
      case 'subscribe':
      case 'unsubscribe':
        return routes.changeHere(message.type, message.sid, message.channels);
      case 'whereis':
        return { client: routes.clientHere(message.sid) };
      case 'view':
        return routes.viewHere(message.sid).then((view) => ({ view }));
      case 'subscribers':
        return { subscribers: routes.subscribersHere(message.channel) };
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

  #refuse(message: unknown, from: From<RouterAnswer> | undefined): void {
    this.#routes.misunderstood();
    this.unexpected(message, from);
  }

  override inspect(): Record<string, unknown> {
    return { upMs: this.cell.ageMs };
  }
}

function isRequest(message: unknown): message is RouterMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, sid, orders: actions, channels, channel, reason } = message as Record<string, unknown>;
  switch (type) {
    case 'act':
      return typeof sid === 'string' && Array.isArray(actions);
    case 'subscribe':
    case 'unsubscribe':
      return typeof sid === 'string' && Array.isArray(channels) && channels.every((one) => typeof one === 'string');
    case 'whereis':
    case 'view':
      return typeof sid === 'string';
    case 'subscribers':
      return typeof channel === 'string';
    case 'terminate':
    case 'stop':
      return typeof reason === 'string';
    default:
      return type === 'enable' || type === 'disable';
  }
}

/** @throws HiveError what the other node's router failed with */
export function expectOk(answer: RouterAnswer): void {
  if (!('error' in answer)) return;
  const { error, description } = answer;
  if (Object.hasOwn(catalogue, error)) throw new HiveError(error as ErrorCode, description);
  throw new HiveError('cluster_error', `${error}: ${description}`);
}
