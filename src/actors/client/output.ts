/**
 * The one place through which everything for a client passes on its way out. It holds the connection's sink, which may be
 * replaced, knows what the client has joined, and keeps the books about where the client stands.
 *
 * Pub-sub and the connection use it directly, past the client's mailbox: a client that waits for a back end can be
 * subscribed by that very back end.
 */
import { hasValue, type SmallSet, valuesOf, withoutValue, withValue } from '../../kernel/small-set.ts';
import type { Ref } from '../../kernel/types.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import { isPositioned } from '../../protocol/recovery.ts';
import type { LogRecord } from '../../sessions/durable/dead-journal.ts';
import type { Here } from '../../sessions/durable/past-life.ts';
import { type FormerLives, UnreadLives } from '../../sessions/prefix.ts';
import type { SessionLog } from '../../sessions/session-log.ts';
import type { Missed, SessionStore } from '../../sessions/session-store.ts';
import type { CloseReason, Sink, TransportKind } from '../../web/client/client-handle.ts';
import type { ClientView } from '../../web/monitor/monitor-host.ts';
import type { ChannelCount, ClientDelivery, Member, PresenceSource } from '../contracts.ts';
import type { ClientMetrics, ClientPhase } from './metrics.ts';
import { shortSid } from './public-error.ts';

/** Ends the client. */
export interface Close {
  readonly type: 'close';
  readonly reason: CloseReason;
}

/** Whose output it is. */
export interface OutputOwner {
  readonly self: Ref<ClientDelivery | Close>;
  /** It ends already. */
  readonly isEnding: boolean;
  /** Ends its connection at once, and it as soon as what waits has been handled. */
  abandon(reason: CloseReason): void;
  /** It has joined or left a channel. */
  changed(): Promise<unknown> | undefined;
}

export class ClientOutput implements Member {
  openedChannels: ChannelCount | undefined;
  presence: PresenceSource | undefined;
  readonly #metrics: ClientMetrics;
  readonly #sid: string;
  readonly #sessions: SessionStore | undefined;
  /** What it was sent, if its client may return. */
  #log: SessionLog | undefined;
  #owner: OutputOwner | undefined;
  #phase: ClientPhase = 'generic';
  #sink: Sink | undefined;
  /** It is to end, when what was numbered before is shown. */
  #leaving: Sink | undefined;
  #transport: TransportKind | undefined;
  #channels: SmallSet<string>;
  /** Deliveries and actions that wait for its actor. */
  #toDo = 0;
  /** Its record is being stored with the channels that it is in. */
  #storing: Promise<unknown> | undefined;

  /** @param sessions of a client that may return */
  constructor(metrics: ClientMetrics, sid: string, sessions: SessionStore | undefined) {
    this.#metrics = metrics;
    this.#sid = sid;
    this.#sessions = sessions;
    this.#log = sessions?.open(sid);
  }

  /** The client has started. */
  opened(owner: OutputOwner): void {
    this.#owner = owner;
    this.#metrics.opened();
  }

  get hasStarted(): boolean {
    return this.#owner !== undefined;
  }

  get ref(): Ref<ClientDelivery> {
    if (!this.#owner) throw new Error('the client of this output has not started');
    return this.#owner.self;
  }

  /** As the log shows it. */
  get sid(): string {
    return shortSid(this.#sid);
  }

  get phase(): ClientPhase {
    return this.#phase;
  }

  /** Where the client stands now. Nothing follows `ended`. */
  set phase(phase: ClientPhase) {
    if (this.#phase === phase || this.#phase === 'ended') return;
    this.#metrics.moved(this.#phase, phase);
    this.#phase = phase;
  }

  get transport(): TransportKind | undefined {
    return this.#transport;
  }

  set transport(transport: TransportKind | undefined) {
    this.#metrics.changedTransport(this.#transport, transport);
    this.#transport = transport;
  }

  /** What operators may see. */
  view(): Pick<ClientView, 'phase' | 'transport' | 'recoverable' | 'bufferedBytes'> {
    const { phase, transport = null, isRecoverable: recoverable, bufferedBytes } = this;
    return { phase, transport, recoverable, bufferedBytes };
  }

  get channels(): number {
    return valuesOf(this.#channels).length;
  }

  get bufferedBytes(): number {
    return this.#sink?.bufferedBytes ?? 0;
  }

  /** From now on everything goes to this sink. */
  attach(sink: Sink, transport: TransportKind): void {
    this.#sink = sink;
    this.transport = transport;
    for (const channel of this.#attachable) sink.join(channel);
  }

  /** Those that it is in, as far as that is shown yet. */
  get #attachable(): Iterable<string> {
    const sessions = this.#sessions;
    return this.#log && sessions?.defers ? this.#log.channelsAt(sessions.shown) : valuesOf(this.#channels);
  }

  /** Without a connection it is kept for a client that may return. */
  send(packet: ServerPacket): void {
    const log = this.#log;
    const tail = log && isPositioned(packet) ? this.#sessions!.send(log, packet) : '';
    if (log && this.#sessions!.defers) this.#later((sink) => sink.send(packet, tail));
    else this.#sink?.send(packet, tail);
  }

  /** When what was numbered before is shown; then another connection may have come, which has not been sent it. */
  #later(show: (sink: Sink) => void): void {
    this.#sessions!.release(() => {
      const sink = this.#sink ?? this.#leaving;
      if (sink) show(sink);
    });
  }

  join(channel: string): void {
    if (this.#phase === 'ended' || hasValue(this.#channels, channel)) return;
    this.#channels = withValue(this.#channels, channel);
    if (this.#log) this.#sessions!.join(this.#log, channel);
    this.changed();
    if (this.#log && this.#sessions!.defers) this.#later((sink) => sink.join(channel));
    else this.#sink?.join(channel);
  }

  leave(channel: string): void {
    if (!hasValue(this.#channels, channel)) return;
    this.#channels = withoutValue(this.#channels, channel);
    if (this.#log && this.#sessions!.defers) this.#later((sink) => sink.leave(channel));
    else this.#sink?.leave(channel);
    if (this.#log) this.#sessions!.leave(this.#log, channel);
    this.changed();
  }

  changed(): void {
    this.#storing = this.#owner?.changed();
  }

  get stored(): Promise<unknown> | undefined {
    return this.#storing;
  }

  /**
   * Whoever may return ends, so that the application loads everything anew instead of missing something in silence: the connection at
   * once, before anything behind the gap is sent.
   */
  missed(): void {
    if (!this.#log || !this.#owner || this.#owner.isEnding) return;
    this.#metrics.recovery.lost.value += 1;
    this.#sessions!.lose(this.#log);
    this.#owner.abandon('missed_events');
  }

  /** Something is on its way to its actor. */
  expects(): void {
    this.#toDo += 1;
    if (this.#toDo === 1 && this.#log && this.#sessions!.defers) this.#sessions!.setBusy(this.#log, true);
  }

  /** Its actor has handled it, at once or when that resolves. */
  handled(pending?: void | Promise<void>): void | Promise<void> {
    if (pending) return pending.then(() => this.handled());
    this.#toDo -= 1;
    if (this.#toDo === 0 && this.#log && this.#sessions!.defers) this.#sessions!.setBusy(this.#log, false);
  }

  /** What its client has missed since that position; undefined if not all of it is there. */
  missedSince(position: unknown): Missed {
    return this.#log && this.#sessions!.missed(this.#log, position);
  }

  /** What it was sent here until now. */
  get sentHere(): Here {
    const log = this.#log;
    if (!log) return { likeness: undefined, wasSent: () => false };
    const byChannel = new Map<string, ReadonlySet<string>>();
    const wasSent = (channel: string, id: string): boolean => {
      const ids = byChannel.get(channel) ?? this.#sessions!.publications(log, channel);
      byChannel.set(channel, ids);
      return ids.has(id) || !!log.prefix?.wasSent(channel, id);
    };
    return { likeness: log.prefix?.hasSent ? undefined : this.#sessions!.likeness(log), wasSent };
  }

  /** Whether what comes by way of its actor is not among what others had kept for it; from then on that is not for it. */
  isNew({ channelId, id }: ClientDelivery): boolean {
    return id === undefined || this.#log?.prefix?.take(channelId, id) !== false;
  }

  /** What its record says of what it was sent. */
  get logRecord(): LogRecord | undefined {
    const log = this.#log;
    return log && { began: log.began, spans: log.spans };
  }

  /** The lives that it had at nodes that are gone, as its record has them. */
  get former(): readonly unknown[] {
    return this.#log?.prefix?.records ?? [];
  }

  /**
   * Goes on where a node that is gone has ended. What is published here from now on is for it, though it has not joined yet.
   * @param former its lives until then, as its record has them
   */
  follow(former: readonly unknown[], channels: readonly string[]): void {
    const log = this.#log;
    if (!log) return;
    log.prefix = new UnreadLives(former);
    for (const channel of channels) {
      this.#channels = withValue(this.#channels, channel);
      this.#sessions!.join(log, channel);
    }
  }

  /** It is known what it was sent there. */
  catchUp(lives: FormerLives): void {
    if (this.#log) this.#log.prefix = lives;
  }

  /** Whether its client may return. */
  get isRecoverable(): boolean {
    return this.#log !== undefined;
  }

  /** The connection is gone. */
  detach(): void {
    this.#sink = undefined;
    if (this.#transport) this.transport = undefined;
  }

  /** Ends the connection, if there is one still, behind everything that was sent: at once if somebody else has the session now. */
  end(reason: CloseReason): void {
    const sink = this.#sink;
    this.detach();
    const isTaken = reason === 'replaced' || reason === 'node_lost';
    if (sink && this.#log && this.#sessions!.defers && !isTaken) {
      this.#leaving = sink;
      this.#sessions!.release(() => {
        if (this.#leaving === sink) this.#leaving = undefined;
        sink.end(reason);
      });
    } else {
      sink?.end(reason);
    }
  }

  /** The client has ended. Idempotent. */
  closed(reason: CloseReason): void {
    this.end(reason);
    this.#channels = undefined;
    if (this.#log && this.#toDo > 0) this.#sessions!.setBusy(this.#log, false);
    if (this.#log) this.#sessions!.close(this.#log);
    this.#log = undefined;
    if (this.#phase === 'ended' || !this.#owner) return;
    this.phase = 'ended';
    this.#metrics.total -= 1;
  }
}
