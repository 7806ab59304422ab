/**
 * The departure of one client: the `on_disconnect` that its back ends are owed. Its hooks run in order. One that fails because no
 * back end has answered is repeated, and those behind it wait: what is repeated begins with the hook that failed.
 *
 *   client ends ──▶ first attempt, by its actor ──▶ told
 *                                │ no answer
 *                                ▼
 *                   waits in the node's table ──▶ attempt ──▶ told ──▶ state forgotten
 *                                ▲                  │ no answer
 *                                └──────────────────┴──▶ given up ──▶ state forgotten
 */
import { HiveError } from '../../observe/errors.ts';
import { asError } from '../../observe/thrown.ts';
import { Unavailable } from '../../plugins/connectors/unavailable.ts';
import { Answered } from '../../plugins/hooks/hp.ts';
import { type DepartureAttempt, StopClient, type Trigger } from '../../plugins/types.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';
import { NoWorker } from '../pools/worker-source.ts';
import type { ClientServices } from './client-services.ts';
import { complain, forgetState } from './complaint.ts';
import type { Outcome, WaitingDeparture } from './departure-table.ts';
import type { EventHooks } from './hook-table.ts';
import { runHooks } from './hooks-runner.ts';
import type { Life, PluginClient } from './plugin-client.ts';
import { shortSid } from './public-error.ts';
import { onDisconnect } from './triggers.ts';

/** What a waiting departure takes besides its state, as a rough measure, bytes. */
const baseBytes = 1024;

/** Failures to reach a back end, or to get its answer; and those to learn the state of a session of another node. */
const unanswered: ReadonlySet<string> = new Set([
  'http_error',
  'tcp_error',
  'redis_error',
  'connector_error',
  'bad_connector_id',
]);

export class Departure implements WaitingDeparture, Life, DepartureAttempt {
  isLast = false;
  since = 0;
  dueAt = 0;
  repeats = 0;
  isBeingTold = false;
  isOver = false;
  bytes = baseBytes;
  readonly #client: PluginClient;
  readonly #hooks: EventHooks;
  readonly #context: ClientServices;
  readonly #trigger: Trigger;
  #from = 0;
  readonly #reason: CloseReason;
  #isStored = false;
  #isFenced = false;
  #isLost = false;
  #abort: AbortController | undefined;

  constructor(client: PluginClient, hooks: EventHooks, reason: CloseReason, context: ClientServices) {
    this.#client = client;
    this.#hooks = hooks;
    this.#context = context;
    this.#reason = reason;
    this.#trigger = onDisconnect(reason, this);
  }

  get shortSid(): string {
    return shortSid(this.#client.sid);
  }

  fenced(): void {
    this.#isFenced = true;
  }

  /** Its hooks may act for the client that has ended. */
  get alive(): boolean {
    return !this.isOver;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isOver) this.#abort.abort();
    return this.#abort.signal;
  }

  outliveActor(): void {
    this.#client.life = this;
    const state = this.#client.shownState;
    // A store that answers later keeps the state elsewhere.
    if (!(state instanceof Promise)) this.bytes += JSON.stringify(state)?.length ?? 0;
  }

  tell(isLast: boolean): Outcome | Promise<Outcome> {
    this.isLast = isLast;
    if (this.#isFenced) return 'told';
    // Stored before it is told: should this node die meanwhile, whoever tells it again says the same.
    const storing = this.#isStored ? undefined : this.#client.beginDeparture(this.#reason);
    if (!storing) return this.#tell();
    return storing.then((isOurs) => {
      this.#isStored = true;
      return isOurs ? this.#tell() : 'told';
    });
  }

  #tell(): Outcome | Promise<Outcome> {
    let pending: void | Promise<void>;
    try {
      pending = runHooks(this.#client, this.#hooks, this.#trigger, this.#context.metrics, this.#from);
    } catch (error) {
      return this.#failed(error);
    }
    if (!pending) return this.#done;
    return pending.then(
      () => this.#done,
      (error: unknown) => this.#failed(error),
    );
  }

  get #done(): Outcome {
    return this.#isLost ? 'lost' : 'told';
  }

  /** What a hook that does not wait for answers could not deliver at the last attempt: those behind it run all the same. */
  lost(error: HiveError): void {
    this.#isLost = true;
    complain(this.#context, this.#client.sid, 'on_disconnect', error);
  }

  #failed(thrown: unknown): Outcome {
    this.#from = this.#client.failedHook;
    const error = asError(thrown);
    const isUnanswered = error instanceof HiveError && !(error instanceof Answered) && unanswered.has(error.code);
    if (isUnanswered && !this.isLast) return 'repeat';
    if (this.#client.alive) complain(this.#context, this.#client.sid, 'on_disconnect', error);
    return isUnanswered ? 'lost' : this.#done;
  }

  end(): void {
    this.isOver = true;
    this.#abort?.abort();
  }

  async forgetState(): Promise<void> {
    await forgetState(this.#client, this.#context);
  }
}

/** The first hook of `on_connect` has refused the client by itself, or nothing was begun: no back end waits for its end. */
export function saysNo(error: Error): boolean {
  if (error instanceof StopClient || error instanceof NoWorker || error instanceof Unavailable) return true;
  // Nothing was sent: otherwise clients that try again while the back end is away would leave a departure each.
  if (Object(error.cause).code === 'ECONNREFUSED') return true;
  return error instanceof HiveError && (error.code === 'client_error' || error.code === 'internal_error');
}

/**
 * Tells the departure of a client that ends for the first time.
 * @returns whether its state is still needed: no back end has answered, and it is told again without the client's actor
 */
export function depart(
  actor: { readonly alive: boolean },
  client: PluginClient,
  reason: CloseReason = 'shutdown',
  context: ClientServices,
): boolean | Promise<boolean> {
  const hooks = client.hooks.get('on_disconnect');
  if (!hooks) return false;
  const { departures } = context;
  client.countEvent();
  const departure = new Departure(client, hooks, reason, context);
  const departed = (outcome: Outcome): boolean => {
    departures.left(actor);
    const waits = actor.alive && outcome === 'repeat';
    if (waits) departures.add(departure);
    else departures.count(actor.alive ? outcome : 'lost');
    return waits;
  };
  const outcome = departure.tell(departures.isLastAttempt);
  if (!(outcome instanceof Promise)) return departed(outcome);
  departures.begin(actor);
  return outcome.then(departed);
}
