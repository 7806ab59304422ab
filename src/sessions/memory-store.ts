/** Keeps sessions as long as the node lives: what its clients miss while their connections are away. */
import { Timer, type TimingWheel } from '../kernel/timers.ts';
import type { ServerPacket } from '../protocol/packet.ts';
import { noPosition } from '../protocol/recovery.ts';
import { Journal, type JournalBounds, sizeOf } from './journal.ts';
import type { MissedEvent } from './missed-event.ts';
import { Pids } from './pids.ts';
import { Positions } from './positions.ts';
import { ChannelLog, SessionLog } from './session-log.ts';
import type { Kept, Missed, SessionStore } from './session-store.ts';

export interface MemoryStoreSetup {
  readonly bounds: JournalBounds;
  /** Of this boot. */
  readonly tag: string;
  readonly wheel: Pick<TimingWheel, 'start'>;
  readonly pids?: Pids;
  /** ms; monotonic. */
  readonly now?: () => number;
  /** Where entries are stored before anybody sees them. */
  readonly mirror?: Mirror;
}

/** Keeps entries where they outlive the node. */
export interface Mirror {
  append(number: number, scope: `c:${string}` | `s:${string}`, packet: ServerPacket, id?: string): void;
  release(show: () => void): void;
  /** The same when it is stored, too, which sessions are busy. */
  confirm(show: () => void): void;
  /** What a session was told waits for its actor still, or does not any more. */
  setBusy(sid: string, isBusy: boolean): void;
  /** That number has no entry. */
  skip(number: number): void;
  forget(scope: `c:${string}` | `s:${string}`): void;
  /** The journal has been trimmed for its age. */
  trim(): void;
  readonly shown: number;
}

export class MemoryStore implements SessionStore {
  readonly pids: Pids;
  readonly #setup: MemoryStoreSetup;
  readonly #journal: Journal;
  readonly #positions: Positions;
  /** Those that recoverable sessions are in. */
  readonly #channels = new Map<string, ChannelLog>();
  readonly #sweep = new Timer({ expire: () => this.#swept() });

  constructor(setup: MemoryStoreSetup) {
    this.#setup = setup;
    this.pids = setup.pids ?? new Pids();
    this.#positions = new Positions(setup.tag);
    this.#journal = new Journal(setup.bounds, setup.now ?? (() => performance.now()));
  }

  get kept(): Kept {
    return this.#journal;
  }

  /** Number of the oldest entry that is kept. */
  get oldest(): number {
    return this.#journal.oldest;
  }

  get defers(): boolean {
    return this.#setup.mirror !== undefined;
  }

  get shown(): number {
    return this.#setup.mirror?.shown ?? this.#journal.last;
  }

  settled(): Promise<void> | undefined {
    const { mirror } = this.#setup;
    if (!mirror) return undefined;
    // Actors that were told have their turns before.
    return new Promise((resolve) => setImmediate(() => setImmediate(() => mirror.confirm(resolve))));
  }

  setBusy(session: SessionLog, isBusy: boolean): void {
    this.#setup.mirror?.setBusy(session.sid, isBusy);
  }

  release(show: () => void): void {
    const { mirror } = this.#setup;
    if (mirror) mirror.release(show);
    else show();
  }

  open(sid: string): SessionLog {
    return new SessionLog(sid, this.#journal.last);
  }

  join(session: SessionLog, channel: string): void {
    let log = this.#channels.get(channel);
    if (!log) {
      log = new ChannelLog(channel);
      this.#channels.set(channel, log);
    }
    session.join(log, this.#journal.last);
  }

  leave(session: SessionLog, channel: string): void {
    const log = this.#channels.get(channel);
    if (!log) return;
    session.leave(log, this.#journal.last);
    this.#dropUnused(log);
  }

  send(session: SessionLog, packet: ServerPacket): string {
    return this.#append(session, packet);
  }

  publish(channel: string, packet: ServerPacket, id?: string): string {
    const log = this.#channels.get(channel);
    return log ? this.#append(log, packet, id) : noPosition;
  }

  publications(session: SessionLog, channel: string): ReadonlySet<string> {
    return session.publications(channel, this.#journal);
  }

  likeness(session: SessionLog): string | undefined {
    return session.isSteady ? `${session.began} ${this.#journal.last}` : undefined;
  }

  lose(session: SessionLog): void {
    session.lostUpTo = this.#journal.skip();
    this.#setup.mirror?.skip(session.lostUpTo);
  }

  missed(session: SessionLog, position: unknown): Missed {
    const number = position === undefined ? session.began : this.#positions.parse(position);
    // Who has received something of this life has all of those before.
    if (position !== undefined && (number ?? 0) > session.began) session.prefix = undefined;
    const before = session.prefix ? session.prefix.missed(position) : [];
    const entries = number === undefined ? undefined : session.missed(number, this.shown, this.#journal);
    if (!entries || !before) return undefined;
    const events: MissedEvent[] = [...before];
    let bytes = 0;
    for (const { packet } of events) bytes += sizeOf(packet);
    for (const { packet, number, size } of entries) {
      events.push({ packet, tail: this.#positions.tail(number) });
      bytes += size;
    }
    return { events, bytes };
  }

  close(session: SessionLog): void {
    for (const log of [...session.channels()]) {
      session.leave(log, this.#journal.last);
      this.#dropUnused(log);
    }
    if (session.last > 0) this.#setup.mirror?.forget(session.field);
  }

  #append(scope: SessionLog | ChannelLog, packet: ServerPacket, id?: string): string {
    const number = this.#journal.append(scope, packet, id);
    this.#setup.mirror?.append(number, scope.field, packet, id);
    if (!this.#sweep.pending) this.#setup.wheel.start(this.#sweep, this.#setup.bounds.windowMs);
    return this.#positions.tail(number);
  }

  #dropUnused(log: ChannelLog): void {
    if (log.sessions > 0 || this.#channels.get(log.id) !== log) return;
    this.#channels.delete(log.id);
    if (log.last > 0) this.#setup.mirror?.forget(log.field);
  }

  #swept(): void {
    this.#journal.trim();
    this.#setup.mirror?.trim();
    if (this.#journal.count > 0) this.#setup.wheel.start(this.#sweep, this.#setup.bounds.windowMs);
  }
}
