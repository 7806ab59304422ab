/** What the relays of two nodes tell each other. `node` is the sender; the entry node numbers the streams. */
import type { NodeName } from '../../kernel/types.ts';
import type { Opening, Piece, ToEntry, ToOwner } from '../../web/relay.ts';

/** The name under which every node's relay is registered. */
export const relayName = 'hive_relay';

/** The node that has the client, and the one that owns its session. */
export type Side = 'entry' | 'owner';

export interface SignalMessage {
  readonly type: 'signal';
  readonly node: NodeName;
  readonly stream: number;
  readonly to: Side;
  /** A ToOwner or a ToEntry. */
  readonly signal: ToOwner | ToEntry;
  /** It closes the stream. */
  readonly last: boolean;
}

export type RelayMessage =
  | PieceMessage
  | { readonly type: 'open'; readonly node: NodeName; readonly stream: number; readonly opening: Opening }
  | SignalMessage
  /** The sender knows no such stream, or has lost it. */
  | { readonly type: 'lost'; readonly node: NodeName; readonly stream: number; readonly to: Side }
  /** The sender has started anew: it knows no stream at all. */
  | { readonly type: 'started'; readonly node: NodeName };

/**
 * The signal that is a piece. Nearly all are, so it is a list, which is written and read in less than half the time that the other
 * form takes: what is said of a piece by words there is a sum of `flags` here.
 */
export type PieceMessage = readonly [node: NodeName, stream: number, flags: number, data: string | Uint8Array];

const flags = { toOwner: 1, last: 2, isText: 4, more: 8 } as const;
const all = 15;

export function pieceMessage(node: NodeName, stream: number, to: Side, piece: Piece, last: boolean): PieceMessage {
  const { data, isText, more } = piece;
  const sum =
    (to === 'owner' ? flags.toOwner : 0) +
    (last ? flags.last : 0) +
    (isText ? flags.isText : 0) +
    (more ? flags.more : 0);
  return [node, stream, sum, data];
}

export function isPiece(message: RelayMessage): message is PieceMessage {
  return Array.isArray(message);
}

export function signalIn(message: PieceMessage): SignalMessage {
  const sum = message[2];
  const isText = (sum & flags.isText) > 0;
  const signal: Piece = { type: 'piece', data: message[3], isText, more: (sum & flags.more) > 0 };
  const to = (sum & flags.toOwner) > 0 ? 'owner' : 'entry';
  return { type: 'signal', node: message[0], stream: message[1], to, signal, last: (sum & flags.last) > 0 };
}

/** What comes from other nodes, which may run other versions, is looked at before it is used. */
export function isRelayMessage(message: unknown): message is RelayMessage {
  if (Array.isArray(message)) return isPieceMessage(message);
  if (typeof message !== 'object' || message === null) return false;
  const { type, node, stream, to, signal, opening } = message as Record<string, unknown>;
  if (typeof node !== 'string') return false;
  if (type === 'started') return true;
  if (typeof stream !== 'number') return false;
  if (type === 'open') return typeof opening === 'object' && opening !== null;
  if (to !== 'owner' && to !== 'entry') return false;
  return type === 'lost' || (type === 'signal' && typeof signal === 'object' && signal !== null);
}

function isPieceMessage(message: readonly unknown[]): boolean {
  const sum = message[2];
  const data = message[3];
  if (typeof message[0] !== 'string' || typeof message[1] !== 'number') return false;
  if (typeof sum !== 'number' || (sum & all) !== sum) return false;
  return typeof data === 'string' || data instanceof Uint8Array;
}
