/** What the connections of an Engine.IO server share. */
import type { Codec } from '../../../protocol/codec.ts';
import type { EngineDialect } from '../../../protocol/engine.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { Handshake, TransportKind } from '../client-handle.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { Fault } from './faults.ts';
import type { Carrier, MessageLayer } from './message-layer.ts';

export interface EngineHost {
  readonly context: ConnectionContext;
  /** Whether more than one namespace is configured. */
  readonly hasNamespaces: boolean;
  /** The codec of a configured namespace. */
  codec(dialect: EngineDialect, namespace: string, isRecoverable: boolean): Codec | undefined;
  openPacket(sid: string, transport: TransportKind): string;
  /** Makes what a new connection carries. */
  readonly newMessageLayer: NewMessageLayer;
  /** Answers a request that the protocol does not allow. */
  refuse(res: HttpResponse, fault: Fault): void;
  /** A connection is forgotten. */
  remove(connection: { readonly id: string; readonly source: string | undefined }): void;
}

/** Makes the layer above a connection. */
export type NewMessageLayer = (host: EngineHost, connection: Carrier, handshake: Handshake) => MessageLayer;
