/** What the relays of two nodes tell each other. `node` is the sender; the entry node numbers the streams. */
import type { NodeName } from '../../../kernel/types.ts';
import type { Headers } from '../../http/http.ts';
import { type CloseReason, closeReasons, type TransportKind } from '../client-handle.ts';
import type { Chunk, RequestHead, ReturnHead, ToEntry, ToOwner } from './relay.ts';

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
  | ChunkMessage
  | {
      readonly type: 'open';
      readonly node: NodeName;
      readonly stream: number;
      readonly opening: RequestHead | ReturnHead;
    }
  | SignalMessage
  /** The sender knows no such stream, or has lost it. */
  | { readonly type: 'lost'; readonly node: NodeName; readonly stream: number; readonly to: Side }
  /** The sender has dealt with so much of what was sent to it; see `Flow`. */
  | { readonly type: 'credit'; readonly node: NodeName; readonly weight: number }
  /** The sender has started anew: it knows no stream at all. */
  | { readonly type: 'started'; readonly node: NodeName };

/** What a message weighs besides what clients have put into it. */
const baseWeight = 64;

/** What a message counts for in the flow between two nodes; the same at both ends. Every one that is about a stream counts. */
export function weightOf(message: RelayMessage): number {
  if (isChunk(message)) return baseWeight + message[3].length;
  if (message.type === 'open') {
    const { opening } = message;
    if (opening.kind === 'return') return 2 * baseWeight + opening.pid.length + opening.namespace.length;
    const { method, url, query, headers, address } = opening;
    return 2 * baseWeight + method.length + url.length + query.length + address.length + weightOfHeaders(headers);
  }
  if (message.type !== 'signal') return baseWeight;
  const { signal } = message;
  return signal.type === 'answer' ? baseWeight + weightOfHeaders(signal.headers) : baseWeight;
}

function weightOfHeaders(headers: Headers): number {
  let weight = 0;
  for (const [name, value] of headers) weight += name.length + value.length + 16;
  return weight;
}

/**
 * The signal that is a chunk. Nearly all are, so it is a list, which is written and read in less than half the time that the other
 * form takes: what is said of a chunk by words there is a sum of `flags` here.
 */
export type ChunkMessage = readonly [node: NodeName, stream: number, flags: number, data: string | Uint8Array];

const flags = { toOwner: 1, last: 2, isText: 4, more: 8 } as const;
const all = 15;

export function chunkMessage(node: NodeName, stream: number, to: Side, chunk: Chunk, last: boolean): ChunkMessage {
  const { data, isText, more } = chunk;
  const sum =
    (to === 'owner' ? flags.toOwner : 0) +
    (last ? flags.last : 0) +
    (isText ? flags.isText : 0) +
    (more ? flags.more : 0);
  return [node, stream, sum, data];
}

export function isChunk(message: RelayMessage): message is ChunkMessage {
  return Array.isArray(message);
}

export function signalIn(message: ChunkMessage): SignalMessage {
  const sum = message[2];
  const isText = (sum & flags.isText) > 0;
  const signal: Chunk = { type: 'chunk', data: message[3], isText, more: (sum & flags.more) > 0 };
  const to = (sum & flags.toOwner) > 0 ? 'owner' : 'entry';
  return { type: 'signal', node: message[0], stream: message[1], to, signal, last: (sum & flags.last) > 0 };
}

/** What comes from other nodes, which may run other versions, is looked at before it is used. */
export function isRelayMessage(message: unknown): message is RelayMessage {
  if (Array.isArray(message)) return isChunkMessage(message);
  if (typeof message !== 'object' || message === null) return false;
  const { type, node, stream, to, signal, last, opening: head, weight } = message as Record<string, unknown>;
  if (typeof node !== 'string') return false;
  if (type === 'started') return true;
  if (type === 'credit') return typeof weight === 'number' && weight >= 0;
  if (typeof stream !== 'number') return false;
  if (type === 'open') return isRequestHead(head) || isReturnHead(head);
  if (to !== 'owner' && to !== 'entry') return false;
  return type === 'lost' || (type === 'signal' && typeof last === 'boolean' && isSignal(signal, to));
}

function isRequestHead(head: unknown): head is RequestHead {
  if (typeof head !== 'object' || head === null) return false;
  const { kind, method, url, query, headers, address } = head as Record<string, unknown>;
  if (kind !== 'request' && kind !== 'socket') return false;
  return areTexts([method, url, query, address]) && areHeaders(headers);
}

/** What its texts say is looked at by who knows the sessions. */
function isReturnHead(head: unknown): head is ReturnHead {
  if (typeof head !== 'object' || head === null) return false;
  const { kind, pid, offset, namespace, transport } = head as Record<string, unknown>;
  if (kind !== 'return' || !isTransport(transport)) return false;
  return areTexts([pid, namespace]) && (offset === undefined || typeof offset === 'string');
}

/** Chunks have a form of their own. */
function isSignal(signal: unknown, to: Side): signal is ToOwner | ToEntry {
  if (typeof signal !== 'object' || signal === null) return false;
  const fields = signal as Record<string, unknown>;
  const { type, cost, reason, status, headers, close, window, code } = fields;
  if (type === 'taken') return typeof cost === 'number';
  if (to === 'owner') {
    if (type === 'moved') return isTransport(fields.transport);
    return type === 'pong' || (type === 'gone' && isCloseReason(reason));
  }
  switch (type) {
    case 'wanted':
    case 'ping':
    case 'leaving':
    case 'left':
    case 'refused':
      return true;
    case 'ended':
      return isCloseReason(reason);
    case 'answer':
      return typeof status === 'string' && areHeaders(headers) && typeof close === 'boolean';
    case 'accepted':
    case 'recovered':
      return typeof window === 'number';
    case 'end':
      return code === undefined || typeof code === 'number';
    default:
      return false;
  }
}

function isCloseReason(reason: unknown): reason is CloseReason {
  return typeof reason === 'string' && Object.hasOwn(closeReasons, reason);
}

function isTransport(transport: unknown): transport is TransportKind {
  return transport === 'websocket' || transport === 'polling';
}

function areHeaders(headers: unknown): headers is Headers {
  return Array.isArray(headers) && headers.every((pair) => Array.isArray(pair) && pair.length === 2 && areTexts(pair));
}

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

function isChunkMessage(message: readonly unknown[]): boolean {
  const sum = message[2];
  const data = message[3];
  if (typeof message[0] !== 'string' || typeof message[1] !== 'number') return false;
  if (typeof sum !== 'number' || (sum & all) !== sum) return false;
  return typeof data === 'string' || data instanceof Uint8Array;
}
