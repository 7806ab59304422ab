/**
 * The actor of one client: it runs the hooks of what the client sends, one after the other, performs the actions of back
 * ends, and runs `on_disconnect` when the client ends, however it ends.
 *
 *   generic ──attach──▶ transient (on_connect) ──accepted──▶ waiting ──▶ on_disconnect ──▶ state forgotten ──▶ ended
 *      │                        │ refused                                  ▲                    ▲
 *      │                        ├── a back end may know of it ─────────────┘                    │
 *      └────────────────────────┴───────────────────────────────────────────────────────────────┘
 *
 * Messages: the client's packets; `attach` (call); `act`, actions; `published`, what a channel carries; `reject`, what the connection
 * could not use; `terminate`, it is asked to leave; `hand_over` (call), it goes on elsewhere; `close`, the connection is gone.
 *
 * Expected failures (HiveError) are told to the client, which lives on; StopClient ends it; anything else is a crash.
 */
import { Actor } from '../../kernel/actor.ts';
import type { ExitReason, From } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import { type ClientOfEvent, events } from '../../observe/events.ts';
import { asError } from '../../observe/thrown.ts';
import { type ClientState, StopClient } from '../../plugins/types.ts';
import { ClientEvent, type ClientMessage } from '../../protocol/packet.ts';
import type { RecordSource } from '../../sessions/durable/durable-session.ts';
import type { Missed } from '../../sessions/session-store.ts';
import {
  type ClientProtocol,
  type CloseReason,
  type Handshake,
  recoverableReasons,
  type Sink,
  type TransportKind,
} from '../../web/client/client-handle.ts';
import type { ClientView } from '../../web/monitor/monitor-host.ts';
import type { ClientDelivery } from '../contracts.ts';
import type { ClientServices } from './client-services.ts';
import { forgetState } from './complaint.ts';
import { depart, saysNo } from './departure.ts';
import { ErrorLimit, isOfClient, tooManyErrors } from './error-limit.ts';
import type { Attach, Attempted, ClientActorMessage } from './messages.ts';
import type { EventKind } from './metrics.ts';
import { ClientOutput } from './output.ts';
import { PluginClient, reserved } from './plugin-client.ts';
import { errorPacket, refusalOf, shortSid } from './public-error.ts';
import { announceAdoption, announceConnect, announceReturn, announceSuspension } from './returns.ts';
import type { Adopted } from './session-record.ts';
import { type Suspendable, Suspension, type Unreturned } from './suspension.ts';
import { EventTrigger, isSpecialEvent, onConnect, onTerminate } from './triggers.ts';

export class ClientActor extends Actor<ClientActorMessage> implements Suspendable {
  readonly output: ClientOutput;
  readonly #context: ClientServices;
  readonly #client: PluginClient;
  readonly #protocol: ClientProtocol;
  #closeReason: CloseReason | undefined;
  #errors: ErrorLimit | undefined;
  #leaving = false;
  /** Another node has claimed it. */
  isFenced = false;
  /** Of a session of a node that is gone. */
  readonly #adopted: Adopted | undefined;
  /** It ends for sure, though what came before that may wait to be handled still. */
  #isEnding = false;
  /** While it has no connection and waits for its client. */
  #suspension: Suspension | undefined;
  /** Its `on_connect` has failed, and no back end can believe that it is there. */
  #isUnheardOf = false;

  /**
   * @param isRecoverable whether its client may return
   * @param adopted what another node, which is gone, has left of it
   */
  constructor(
    context: ClientServices,
    sid: string,
    namespace: string,
    handshake: Handshake,
    isRecoverable = false,
    adopted?: Adopted,
  ) {
    super();
    this.#context = context;
    this.#protocol = handshake.protocol;
    this.#adopted = adopted;
    const sessions = isRecoverable ? context.recovery?.sessions : undefined;
    this.output = new ClientOutput(context.metrics, sid, sessions);
    if (adopted) this.output.follow(adopted.past, adopted.record.m ?? []);
    this.#client = new PluginClient(context, { sid, namespace }, handshake, this, this.output);
  }

  get sid(): string {
    return this.#client.sid;
  }

  /** Whether back ends can know the client: its `on_connect` has begun, and its end has not. */
  get isKnown(): boolean {
    const { phase } = this.output;
    return !this.#leaving && (phase === 'transient' || phase === 'waiting' || phase === 'suspended');
  }

  /** Whether its end has begun: `on_disconnect` runs, or its state is being forgotten. */
  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** All that operators may see of it, its state too; `inspect` is what the log may have. */
  async view(): Promise<ClientView> {
    const { mailbox, ageMs } = this.cell;
    const { recovery, memberships } = this.#context;
    return {
      ...(await this.#client.view()),
      ...this.output.view(),
      pid: this.cell.toString(),
      suspended: this.#suspension?.view(recovery!.windowMs) ?? null,
      protocol: this.#protocol,
      subscriptions: memberships.channelsOf(this.output).sort(),
      mailbox: { length: mailbox.length, peak: mailbox.peak },
      ageMs,
    };
  }

  /** Messages that wait. */
  get backlog(): number {
    return this.cell.mailbox.length;
  }

  // --- away

  /** Something that outlives the node has changed. */
  changed(): Promise<unknown> | undefined {
    return this.#client.changed();
  }

  /** What keeps its record. */
  get source(): RecordSource & Pick<PluginClient, 'stored' | 'joined' | 'connectedAt' | 'ask' | 'acknowledged'> {
    return this.#client;
  }

  get namespace(): string {
    return this.#client.namespace;
  }

  /** Whether its client may return to it. */
  get isRecoverable(): boolean {
    const { phase, isRecoverable } = this.output;
    return isRecoverable && !this.isEnding && (phase === 'waiting' || phase === 'suspended');
  }

  get isEnding(): boolean {
    return this.#isEnding || !this.alive || this.#closeReason !== undefined;
  }

  /** Its client has another connection: the present one ends, if it has not ended yet. */
  interrupt(): void {
    this.output.end('replaced');
    this.#suspend('replaced');
  }

  /** The connection is gone. The session waits for its client, if that may return from such an end. */
  lost(reason: CloseReason): void {
    if (this.isRecoverable && recoverableReasons.has(reason)) this.#suspend(reason);
    else this.close(reason);
  }

  #suspend(reason: CloseReason, windowMs = this.#context.recovery!.windowMs, isNew = true): void {
    const { output } = this;
    if (output.phase !== 'waiting') return;
    const { suspended, recovery } = this.#context;
    output.detach();
    output.phase = 'suspended';
    this.#suspension = new Suspension(this, reason, recovery!.windowMs - windowMs);
    recovery!.wheel.start(this.#suspension, windowMs);
    suspended.add(this);
    this.#client.suspendedFor = reason;
    if (!isNew) return;
    announceSuspension(this, this.#client, reason, this.#context);
  }

  /** What its client has missed since that position; undefined if not all of it is there. */
  missedSince(position: unknown): Missed {
    const missed = this.output.missedSince(position);
    if (missed && this.#suspension) this.#suspension.missed = missed.events.length;
    return missed;
  }

  /** Its client has returned, and been sent what it had missed. */
  resume(sink: Sink, transport: TransportKind): void {
    const { output } = this;
    const { ageMs: awayMs = 0, missed = 0 } = this.#suspension ?? {};
    this.#leaveSuspended();
    output.attach(sink, transport);
    output.phase = 'waiting';
    this.#client.suspendedFor = undefined;
    announceReturn(this, this.#client, { transport, awayMs, missed }, this.#context);
  }

  /** What waits for its hooks is handled still. @param why unless its client has returned, but cannot be caught up */
  giveUp(why?: Unreturned): void {
    if (why) this.#context.metrics.recovery[why].value += 1;
    this.abandon(this.#suspension?.reason ?? 'replaced');
  }

  /** The client is to come back as a new one. What waits for its hooks is handled still. */
  abandon(reason: CloseReason): void {
    this.#closeReason ??= reason;
    this.output.end(reason);
    this.#leaveSuspended();
    // However long its hooks take: others may have its slot.
    this.#context.departures.begin(this);
    this.close(reason);
  }

  #leaveSuspended(): void {
    if (!this.#suspension) return;
    this.#suspension.cancel();
    this.#suspension = undefined;
    this.#context.suspended.delete(this);
  }

  /** The connection is gone. Messages that came before are handled still, unless there are too many to take one more. */
  close(reason: CloseReason): void {
    this.#isEnding = true;
    this.output.detach();
    if (this.backlog < this.mailboxLimit) this.self.tell({ type: 'close', reason });
    else this.#end(reason);
  }

  /** A packet was dropped because too many wait. */
  dropped(): void {
    this.#context.metrics.handled('external');
    this.#context.metrics.failed('external');
  }

  override get trapsExits(): boolean {
    return true;
  }

  override init(): void | Promise<void> {
    let state: ClientState | Promise<ClientState>;
    try {
      state = this.#adopted ? this.#client.adopt(this.#adopted.record) : this.#client.open();
    } catch (error) {
      this.#notOpened(error);
    }
    if (!(state instanceof Promise)) return this.#opened(state);
    return state.then(
      (opened) => this.#opened(opened),
      (error: unknown) => this.#notOpened(error),
    );
  }

  /** A session of a node that is gone waits for its client from the start. */
  #follow(adopted: Adopted): void {
    const { record, leftMs } = adopted;
    this.output.phase = 'waiting';
    this.#client.connected();
    announceAdoption(this, adopted);
    this.#suspend(record.w ?? 'node_lost', leftMs, record.u === undefined);
  }

  #notOpened(error: unknown): never {
    this.#context.stateTrouble.failed(error);
    throw error;
  }

  #opened(state: ClientState): void {
    this.#context.stateTrouble.succeeded();
    this.#client.opened(state, this.#adopted?.record);
    this.output.opened(this);
    if (this.#adopted) this.#follow(this.#adopted);
  }

  receive(message: ClientActorMessage, from: From | undefined): void | Promise<void> {
    switch (message.type) {
      case 'event':
      case 'message':
        return this.#attempt(message, 'external', 1);
      case 'act':
        return this.output.handled(this.#attempt(message, 'internal', message.actions.length));
      case 'published':
        return this.output.handled(this.#published(message));
      case 'send':
        this.#context.metrics.handled('internal');
        return this.output.handled(this.#client.send(message.packet));
      case 'terminate':
      case 'life':
        return this.#attempt(message, 'control', 1);
      case 'ack':
        return this.#context.metrics.handled('external');
      case 'reject':
        this.#context.metrics.handled('external');
        return this.#failed(message.error, 'external');
      case 'attach':
        return this.#attach(message, from);
      case 'hand_over':
        this.handOver();
        return from?.reply(undefined);
      case 'close':
        return this.#end(message.reason);
      default:
        this.unexpected(message, from);
    }
  }

  // --- the beginning

  #attach({ sink, transport }: Attach, from: From | undefined): void | Promise<void> {
    if (this.output.phase !== 'generic') {
      return from?.fail(new HiveError('client_error', 'The session has a connection already.'));
    }
    this.output.attach(sink, transport);
    this.output.phase = 'transient';
    let pending: void | Promise<void>;
    try {
      pending = this.#client.run(onConnect);
    } catch (error) {
      return this.#refuse(error, from);
    }
    if (!pending) return this.#accept(from);
    return pending.then(
      () => this.#accept(from),
      (error: unknown) => this.#refuse(error, from),
    );
  }

  #accept(from: From | undefined): void {
    if (!this.alive) return;
    this.#client.connected();
    this.output.phase = 'waiting';
    announceConnect(this, this.#protocol, this.output.transport);
    from?.reply(undefined);
  }

  /** With what all its events begin. */
  get whose(): ClientOfEvent {
    const { node, namespace } = this.#client;
    return { node, sid: this.output.sid, pid: `${this.cell}`, namespace };
  }

  /** The client was never connected. Its connection is told by the failed call, the back ends that may know of it by `on_disconnect`. */
  #refuse(thrown: unknown, from: From | undefined): void {
    if (!this.alive) return;
    const error = asError(thrown);
    this.#isUnheardOf = this.#client.failedHook === 0 && saysNo(error);
    // The node ends, not the client: a refusal would keep client libraries from trying elsewhere.
    if (this.signal.aborted) return;
    this.#context.metrics.failed('control');
    this.output.detach();
    this.#closeReason = 'refused';
    const isExpected = error instanceof StopClient || error instanceof HiveError;
    from?.fail(refusalOf(error, this.sid, this.#context));
    if (!isExpected) throw error;
    this.stop();
  }

  // --- its life

  #attempt(message: Attempted, kind: EventKind, events: number): void | Promise<void> {
    this.#context.metrics.handled(kind, events);
    let pending: void | Promise<void>;
    try {
      pending = this.#handle(message);
    } catch (error) {
      return this.#failed(error, kind);
    }
    return pending?.then(undefined, (error: unknown) => this.#failed(error, kind));
  }

  #handle(message: Attempted): void | Promise<void> {
    switch (message.type) {
      case 'event':
        return this.#event(message);
      case 'message':
        return this.#message(message);
      case 'act':
      case 'published':
        return this.#client.runActions(message.actions);
      case 'terminate':
        return this.#terminated(message.reason);
      case 'life':
        return this.#client.run(message.trigger);
    }
  }

  #failed(thrown: unknown, kind: EventKind): void {
    const error = asError(thrown);
    const stopped = error instanceof StopClient;
    if (!stopped && !(error instanceof HiveError)) throw error;
    this.#context.metrics.failed(kind);
    // Somebody ended the client while its hook waited: that the hook was cut off is no news.
    if (this.signal.aborted) return;
    this.#client.tell(stopped ? error.error : error);
    if (stopped) this.#end('stopped');
    else if (kind === 'external' && isOfClient(error)) this.#limitErrors();
  }

  /** Ends a client that causes errors without end: each costs more than an event that succeeds. */
  #limitErrors(): void {
    const { maxErrors } = this.#context;
    if (maxErrors === 0) return;
    this.#errors ??= new ErrorLimit();
    if (!this.#errors.exceeds(maxErrors)) return;
    this.#client.send(errorPacket(tooManyErrors(this.sid, this.#context)));
    this.#end('too_many_errors');
  }

  #event(event: ClientEvent): void | Promise<void> {
    if (isSpecialEvent(event.name)) throw reserved(event.name);
    const hooks = this.#client.hooks.get(event.name);
    return hooks && this.#client.run(new EventTrigger(event), hooks);
  }

  /** Nameless messages run the hooks of `message`: today's clients send them as that event. */
  #message({ data }: ClientMessage): void | Promise<void> {
    if (!this.#client.hooks.has('message')) {
      throw new HiveError('client_error', 'Nothing is configured to be done with messages.');
    }
    const args = [data];
    return this.#client.run(new EventTrigger(new ClientEvent('message', JSON.stringify(args), undefined, false, args)));
  }

  #published(delivery: ClientDelivery): void | Promise<void> {
    if (delivery.packets) {
      this.#context.metrics.handled('internal', delivery.packets.length);
      if (this.output.isNew(delivery)) for (const packet of delivery.packets) this.#client.send(packet);
      return this.#delivered(delivery);
    }
    const pending = this.#attempt(delivery, 'internal', delivery.actions.length);
    return pending ? pending.then(() => this.#delivered(delivery)) : this.#delivered(delivery);
  }

  #delivered({ channel }: ClientDelivery): void {
    this.send(channel, { type: 'delivered', client: this.output.ref });
  }

  // --- the end

  /** A client that was told by its hooks may leave by itself; whoever asked it ends it when the time is over. */
  #terminated(reason: string): void | Promise<void> {
    if (this.output.phase !== 'waiting' || !this.#client.hooks.has('on_terminate')) return this.#end('shutdown');
    return this.#client.run(onTerminate(reason));
  }

  /** Its client is to come back to another node. Behind everything that waits for its hooks, unless that takes too long. */
  handOver(): void {
    if (!this.isRecoverable) return;
    this.output.end('handed_over');
    this.#suspend('handed_over');
  }

  fenced(hasLeft: boolean): void {
    const reason = hasLeft ? 'handed_over' : 'node_lost';
    this.isFenced = true;
    this.output.end(reason);
    this.close(reason);
  }

  #end(reason: CloseReason): void {
    this.#closeReason ??= (reason === 'shutdown' && this.#suspension?.reason) || reason;
    this.stop();
  }

  /** Runs at every end but a kill. */
  override terminate(reason: ExitReason): void | Promise<void> {
    const { phase } = this.output;
    const isKnown = phase === 'waiting' || phase === 'suspended' || (phase === 'transient' && !this.#isUnheardOf);
    this.#closeReason ??= reason instanceof Error ? 'internal_error' : 'shutdown';
    this.#leaving = true;
    this.#leaveSuspended();
    this.#client.silence();
    // At a shutdown the connection ends last: a client that returns at once shall not meet its former self.
    if (this.#closeReason !== 'shutdown') this.output.end(this.#closeReason);
    const isOwed = isKnown && !this.isFenced && depart(this, this.#client, this.#closeReason, this.#context);
    if (isOwed instanceof Promise) return isOwed.then((waits) => (waits ? this.#closed() : this.#forgetState()));
    return isOwed ? this.#closed() : this.#forgetState();
  }

  #forgetState(): void | Promise<void> {
    const forgotten = forgetState(this.#client, this.#context);
    return forgotten ? forgotten.then(() => this.#closed()) : this.#closed();
  }

  #closed(): void {
    this.closed(this.#closeReason ?? 'shutdown');
  }

  /** The client has ended. Idempotent: called by itself, and by who watches it in case it was killed. */
  closed(reason: CloseReason): void {
    const { phase } = this.output;
    const wasConnected = phase === 'waiting' || phase === 'suspended';
    this.#leaveSuspended();
    this.output.closed(reason);
    // One that goes on elsewhere has not ended.
    if (!wasConnected || (this.isFenced && reason === 'handed_over') || !events.disconnect.hasSubscribers) return;
    events.disconnect.publish({ ...this.whose, reason: this.#closeReason ?? reason, ageMs: this.cell.ageMs });
  }

  override inspect(): Record<string, unknown> {
    const { phase, transport, channels, bufferedBytes } = this.output;
    return { sid: shortSid(this.sid), phase, transport, channels, bufferedBytes };
  }
}
