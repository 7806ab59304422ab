/**
 * The seam between an Engine.IO connection and what it carries. Below it are transports, the heartbeat and the upgrade; above it is
 * Socket.IO (namespaces.ts), of which Engine.IO knows nothing more than this.
 */
import type { EngineDialect } from '../../../protocol/engine.ts';
import type { CloseReason } from '../client-handle.ts';
import type { ClientConnection, NamespaceSocket } from '../namespace-socket.ts';

/** The connection, as the layer above sees it. */
export interface Carrier extends ClientConnection {
  readonly dialect: EngineDialect;
  readonly isClosed: boolean;
  /** Whether its clients may return to their sessions over another connection. */
  readonly isRecoverable: boolean;
  close(reason: CloseReason): void;
}

export interface MessageLayer extends Disposable {
  /** The open packet has been written. */
  start(): void;
  /** Takes a packet of type message, with its type. @throws HiveError `bad_packet` */
  receiveText(packet: string): void;
  /** Takes a binary message. Returns what is wrong with it. @throws HiveError `bad_packet` */
  receiveBinary(data: Buffer): CloseReason | undefined;
  /** The connection has moved to a WebSocket. */
  upgraded(): void;
  /** A client has ended, or was refused. */
  remove(client: NamespaceSocket): void;
  /** Whether it has no client. */
  readonly isEmpty: boolean;
  /** The connection is closed. */
  close(reason: CloseReason): void;
  /** The connection is forgotten. */
  [Symbol.dispose](): void;
}
