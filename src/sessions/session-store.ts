/**
 * The seam behind which it is kept what a client that returns needs: what its session was sent, in which channels it was, and the
 * secret by which it is known. `memory-store.ts` is for as long as a node lives. `test/support/session-store-suite.ts` has what every
 * store must pass.
 *
 *   open ──▶ join, leave, send, publish … ──▶ missed ──▶ … ──▶ close
 *
 * Numbers are given in the order of the calls, in which what is sent must leave for the clients, too.
 */
import type { ServerPacket } from '../protocol/packet.ts';
import type { MissedEvent } from './missed-event.ts';
import type { Pids } from './pids.ts';
import type { SessionLog } from './session-log.ts';

/** What a returning client is sent; or why it is not recovered. */
export type Missed = { readonly events: readonly MissedEvent[]; readonly bytes: number } | undefined;

/** How much is kept for clients that return. */
export interface Kept {
  /** Events. */
  readonly count: number;
  /** Memory that they take, by a rough measure. */
  readonly bytes: number;
  /** Of the oldest one, ms. */
  readonly ageMs: number;
}

export interface SessionStore {
  readonly pids: Pids;
  readonly kept: Kept;
  /** A recoverable session begins. */
  open(sid: string): SessionLog;
  /** Whether what is numbered is shown later. */
  readonly defers: boolean;
  /** The last number that was shown. */
  readonly shown: number;
  /** Resolves when what actors have been told to send by now is stored, and who of them has not yet; undefined unless the store defers. */
  settled(): Promise<void> | undefined;
  /** Whether something that a session was told waits for its actor still: if that is lost, what comes of it is, too. */
  setBusy(session: SessionLog, isBusy: boolean): void;
  /** Runs `show` when everything that was numbered before may be shown: at once, unless the store defers. */
  release(show: () => void): void;
  /** From now on it gets what is published to that channel. */
  join(session: SessionLog, channel: string): void;
  /** It gets nothing more of that channel. */
  leave(session: SessionLog, channel: string): void;
  /** Numbers what is sent to one session. Returns the end of its text. */
  send(session: SessionLog, packet: ServerPacket): string;
  /** The same for what is published to a channel; `noPosition` if no recoverable session is in it. */
  publish(channel: string, packet: ServerPacket, id?: string): string;
  /** Ids of the publications that a session was sent in a channel, which it may have left since, as far as they are kept. */
  publications(session: SessionLog, channel: string): ReadonlySet<string>;
  /** Sessions in the same channels that have the same one were sent the same publications until now; undefined: no other is known to be. */
  likeness(session: SessionLog): string | undefined;
  /** Something is lost for it: it cannot return to before that. */
  lose(session: SessionLog): void;
  /**
   * What a client has missed, in order: all of it, or undefined.
   * @param position as its last event had it; undefined if it has received none
   */
  missed(session: SessionLog, position: unknown): Missed;
  /** The session has ended. */
  close(session: SessionLog): void;
}
