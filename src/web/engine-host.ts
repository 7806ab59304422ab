/** What the connections of an Engine.IO server share. */
import type { Codec } from '../protocol/codec.ts';
import type { EngineDialect } from '../protocol/engine.ts';
import type { ClientContext } from './client-context.ts';
import type { TransportKind } from './sessions.ts';

export interface EngineHost {
  readonly context: ClientContext;
  /** Whether more than one namespace is configured. */
  readonly hasNamespaces: boolean;
  /** The codec of a configured namespace. */
  codec(dialect: EngineDialect, namespace: string): Codec | undefined;
  openPacket(sid: string, transport: TransportKind): string;
  /** A connection is forgotten. */
  remove(connection: { readonly id: string; readonly source: string | undefined }): void;
}
