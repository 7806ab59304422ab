/** Keeps sessions as long as the node lives: what its clients miss while their connections are away. */
import { Timer, type TimingWheel } from '../kernel/timers.ts';
import type { ServerPacket } from '../protocol/packet.ts';
import { noPosition } from '../protocol/recovery.ts';
import { Journal, type JournalBounds } from './journal.ts';
import { Pids } from './pids.ts';
import { Positions } from './positions.ts';
import { ChannelLog, SessionLog } from './session-log.ts';
import type { Kept, Missed, MissedEvent, SessionStore } from './session-store.ts';

export interface MemoryStoreSetup {
  readonly bounds: JournalBounds;
  /** Of this boot. */
  readonly tag: string;
  readonly wheel: Pick<TimingWheel, 'start'>;
  /** ms; monotonic. */
  readonly now?: () => number;
}

export class MemoryStore implements SessionStore {
  readonly pids = new Pids();
  readonly #setup: MemoryStoreSetup;
  readonly #journal: Journal;
  readonly #positions: Positions;
  /** Those that recoverable sessions are in. */
  readonly #channels = new Map<string, ChannelLog>();
  readonly #sweep = new Timer({ expire: () => this.#swept() });

  constructor(setup: MemoryStoreSetup) {
    this.#setup = setup;
    this.#positions = new Positions(setup.tag);
    this.#journal = new Journal(setup.bounds, setup.now ?? (() => performance.now()));
  }

  get kept(): Kept {
    return this.#journal;
  }

  open(): SessionLog {
    return new SessionLog(this.#journal.last);
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
    session.leave(log);
    this.#dropUnused(log);
  }

  send(session: SessionLog, packet: ServerPacket): string {
    return this.#append(session, packet);
  }

  publish(channel: string, packet: ServerPacket): string {
    const log = this.#channels.get(channel);
    return log ? this.#append(log, packet) : noPosition;
  }

  lose(session: SessionLog): void {
    session.lostUpTo = this.#journal.skip();
  }

  missed(session: SessionLog, position: unknown): Missed {
    const number = position === undefined ? session.began : this.#positions.parse(position);
    const entries = number === undefined ? undefined : session.missed(number, this.#journal);
    if (!entries) return undefined;
    const events: MissedEvent[] = [];
    let bytes = 0;
    for (const { packet, number, size } of entries) {
      events.push({ packet, tail: this.#positions.tail(number) });
      bytes += size;
    }
    return { events, bytes };
  }

  close(session: SessionLog): void {
    for (const log of [...session.channels()]) {
      session.leave(log);
      this.#dropUnused(log);
    }
  }

  #append(scope: SessionLog | ChannelLog, packet: ServerPacket): string {
    const number = this.#journal.append(scope, packet);
    if (!this.#sweep.pending) this.#setup.wheel.start(this.#sweep, this.#setup.bounds.windowMs);
    return this.#positions.tail(number);
  }

  #dropUnused(log: ChannelLog): void {
    if (log.sessions === 0 && this.#channels.get(log.id) === log) this.#channels.delete(log.id);
  }

  #swept(): void {
    this.#journal.trim();
    if (this.#journal.count > 0) this.#setup.wheel.start(this.#sweep, this.#setup.bounds.windowMs);
  }
}
