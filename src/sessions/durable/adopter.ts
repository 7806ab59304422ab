/** The seam to whoever goes on with sessions of nodes that are gone. */
import type { RecordSource } from './durable-session.ts';

/** A session whose node is gone, and which is this node's now. */
export interface Claimed {
  readonly sid: string;
  readonly epoch: number;
  readonly contents: unknown;
  /** The boot that is gone, `id@host#creation`. */
  readonly boot: string;
  /** It has left its sessions as planned, and may be there still. */
  readonly hasLeft: boolean;
}

/** Takes claimed sessions. */
export interface Adopter {
  /** Takes one in; returns what keeps its record. */
  adopt(claimed: Claimed): RecordSource;
  /** Whether the boot of another node is connected, and answers. Never rejects. @param tag of it */
  lives(boot: string, tag: string): Promise<boolean>;
  /** Starts those that were taken in. Never rejects. */
  start(): Promise<void>;
  /** From then on their clients may return. Never rejects. */
  catchUp(): Promise<void>;
}
