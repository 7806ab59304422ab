import type { ServerPacket } from '../protocol/packet.ts';

/** An event that a client has not received. */
export interface MissedEvent {
  readonly packet: ServerPacket;
  /** What ends its text: see `Positions`. */
  readonly tail: string;
}
