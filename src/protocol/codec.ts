/**
 * The encoding side of a client protocol for one namespace. Every text, and every attachment behind one, is what goes into
 * one WebSocket frame; polling transports put several of them into a payload.
 */
import type { HiveError } from '../observe/errors.ts';
import type { PacketEncoder } from './packet.ts';

export interface Codec extends PacketEncoder {
  /**
   * The packet that accepts the client.
   * @param pid with which it may return, where the protocol knows that
   */
  connect(sid: string, pid?: string): string;
  /** The packet after which client libraries do not reconnect by themselves. */
  disconnect(): string;
  /** The packet that refuses the client. */
  refusal(error: HiveError): string;
}
