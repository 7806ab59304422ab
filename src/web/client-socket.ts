/** A client's WebSocket, and what handles its frames: the library's only user data is that one reference. */
import type { WebSocket } from 'uWebSockets.js';
import type { CloseReason } from './sessions.ts';

export interface SocketData {
  /** May be replaced: a probe gives its socket to the connection that it upgrades. */
  handler: FrameHandler;
}

export type ClientSocket = WebSocket<SocketData>;

export interface FrameHandler {
  opened(socket: ClientSocket): void;
  /** `data` is valid during the call only. */
  message(socket: ClientSocket, data: ArrayBuffer, isBinary: boolean): void;
  pong(): void;
  /** The socket is unusable from now on. */
  closed(reason: CloseReason): void;
}

/**
 * The library drops a socket without a word when a message exceeds its limit. So that clients learn what was wrong (close
 * code 1009), we look at the size ourselves and let the library only guard its memory.
 */
export function hardPayloadLimit(maxPayload: number): number {
  return 2 * maxPayload + 65_536;
}
