/**
 * The router of one node, registered as `hive_router`: it does for other nodes what they cannot do themselves, as a session
 * belongs to the node that opened it. Calls: `act`, `subscribe`, `unsubscribe`; the answer says what became of it, as
 * failures must survive the way between nodes.
 *
 * It holds no state: what it needs belongs to the node (see `RouterService`), so its crash costs nothing but open calls.
 */
import { Actor } from '../../kernel/actor.ts';
import type { Call, From } from '../../kernel/types.ts';
import { catalogue, type ErrorCode, HiveError, toHiveError } from '../../observe/errors.ts';
import type { InternalEvent } from '../../plugins/types.ts';
import { toInternalEvents } from '../../protocol/internal-event.ts';

/** The name under which every node's router is registered. */
export const routerName = 'hive_router';

export type RouterMessage = (
  | { readonly type: 'act'; readonly sid: string; readonly orders: readonly InternalEvent[] }
  | { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channels: readonly string[] }
) &
  Call<RouterAnswer>;

export type RouterAnswer = { readonly ok: true } | { readonly error: string; readonly description: string };

/** What the router does, for the clients of this node only. */
export interface LocalRoutes {
  /** The router has (re)started. */
  started(router: Router): void;
  /** These throw or reject with HiveErrors; `bad_session_id` for a client that is not here. */
  actHere(sid: string, orders: readonly InternalEvent[]): void;
  changeHere(change: 'subscribe' | 'unsubscribe', sid: string, channels: readonly string[]): Promise<void>;
  /** Something arrived that is no request. */
  misunderstood(): void;
}

export class Router extends Actor<RouterMessage> {
  readonly startedAt = Date.now();
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

  /** Waiting for a subscription must not hold up other requests, so its answer is sent from a task. */
  receive(message: RouterMessage, from: From<RouterAnswer> | undefined): void {
    if (!isRequest(message)) return this.#refuse(from);
    try {
      if (message.type === 'act') {
        this.#routes.actHere(message.sid, toInternalEvents(message.orders));
        from?.reply({ ok: true });
        return;
      }
      this.#routes.changeHere(message.type, message.sid, message.channels).then(
        () => from?.reply({ ok: true }),
        (error: unknown) => from?.reply(toHiveError(error).toJSON()),
      );
    } catch (error) {
      if (!(error instanceof HiveError)) throw error;
      from?.reply(error.toJSON());
    }
  }

  #refuse(from: From<RouterAnswer> | undefined): void {
    this.#routes.misunderstood();
    from?.reply(new HiveError('client_error', 'The router does not understand this request.').toJSON());
  }

  override inspect(): Record<string, unknown> {
    return { upMs: Date.now() - this.startedAt };
  }
}

/** What comes from other nodes, which may run other versions, is looked at before it is used. */
function isRequest(message: unknown): message is RouterMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, sid, orders, channels } = message as Record<string, unknown>;
  if (typeof sid !== 'string') return false;
  if (type === 'act') return Array.isArray(orders);
  if (type !== 'subscribe' && type !== 'unsubscribe') return false;
  return Array.isArray(channels) && channels.every((channel) => typeof channel === 'string');
}

/** @throws HiveError what the other node's router failed with */
export function expectOk(answer: RouterAnswer): void {
  if ('ok' in answer) return;
  const { error, description } = answer;
  if (Object.hasOwn(catalogue, error)) throw new HiveError(error as ErrorCode, description);
  throw new HiveError('cluster_error', `${error}: ${description}`);
}
