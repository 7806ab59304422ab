/**
 * A client's WebSocket, and what handles its frames: the library's only user data is that one reference. The socket is the
 * library's own, or one that another node holds for this one (relay/socket.ts).
 */
import type { Encoded } from '../../protocol/packet.ts';
import type { WebSocket } from '../sockets/types.ts';
import type { CloseReason } from './client-handle.ts';

export interface SocketData {
  /** May be replaced: a probe gives its socket to the connection that it upgrades. */
  handler: FrameHandler;
}

/** The library's own socket. */
export type NativeSocket = WebSocket<SocketData>;

/** What both kinds can do. */
export type ClientSocket = Pick<NativeSocket, 'send' | 'ping' | 'end' | 'close' | 'getBufferedAmount' | 'getUserData'>;

/** The socket if it is the library's own, which can take part in the library's topics. */
export function nativeSocket(socket: ClientSocket | undefined): NativeSocket | undefined {
  return socket !== undefined && 'subscribe' in socket ? (socket as NativeSocket) : undefined;
}

/** What a client has sent, valid during the call only. A relayed text may be the string that it stands for. */
export type FrameData = ArrayBuffer | string;

export interface FrameHandler {
  opened(socket: ClientSocket): void;
  message(socket: ClientSocket, data: FrameData, isBinary: boolean): void;
  pong(): void;
  /** What had piled up for the client has left, or some of it. */
  drained?(): void;
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

export function textOf(data: FrameData): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString();
}

/** Whether it has more bytes than that. */
export function exceeds(data: FrameData, bytes: number): boolean {
  if (typeof data !== 'string') return data.byteLength > bytes;
  // A unit of a string has one to three bytes.
  return data.length * 3 > bytes && Buffer.byteLength(data) > bytes;
}

/** Sends a text or binary frame. @returns whether the socket has taken it */
export function sendFrame(socket: ClientSocket, frame: string | Buffer, compress: boolean): boolean {
  return socket.send(frame, typeof frame !== 'string', compress) === 1;
}

/** Sends a packet with its attachments. @returns whether the socket has taken everything */
export function sendPacket(socket: ClientSocket, packet: Encoded, compress: boolean): boolean {
  if (typeof packet === 'string') return sendFrame(socket, packet, compress);
  let taken = sendFrame(socket, packet.text, compress);
  for (const frame of packet.frames) taken = sendFrame(socket, frame, compress) && taken;
  return taken;
}
