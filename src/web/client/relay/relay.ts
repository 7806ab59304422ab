/**
 * The seam between nodes: requests and WebSockets that reach a node which does not own their session. The node with the
 * client forwards everything to the owner, which treats it like its own; neither speaks a protocol of clients in between.
 *
 *     client ──► RequestForward ══ RelayStream ══► RelayedResponse ──► engine-server, legacy-server
 *     client ──► SocketForward  ══ RelayStream ══► RelayedSocket   ──► the connection
 *     client ──► RemoteSession  ══ RelayStream ══► RemoteClient    ──► the session to which the client has returned
 *                (entry node)                       (owner)
 *
 * A stream is one request, one WebSocket, or one client that has returned: its connection stays where it is, and what the streams
 * carry are its packets. Signals arrive in order. One that is sent as the last closes the stream at
 * both ends; so does the loss of a node, of which the other end hears by `lost`.
 */
import type { NodeName } from '../../../kernel/types.ts';
import type { Headers } from '../../http/http.ts';
import type { CloseReason, TransportKind } from '../client-handle.ts';

/** A client that has come back to another node than that of its session. */
export interface ReturnHead {
  readonly kind: 'return';
  readonly pid: string;
  /** Absent if it has received no event. */
  readonly offset?: string;
  readonly namespace: string;
  readonly transport: TransportKind;
}

/** A request as the owner sees it. */
export interface RequestHead {
  readonly kind: 'request' | 'socket';
  readonly method: string;
  readonly url: string;
  /** The raw query string. */
  readonly query: string;
  readonly headers: Headers;
  readonly address: string;
}

/**
 * A part of a body or of a WebSocket's message: at most 64 KiB, so that nothing waits long behind it. A string is
 * text, bytes are text or not.
 */
export interface Chunk {
  readonly type: 'chunk';
  readonly data: string | Uint8Array;
  readonly isText: boolean;
  /** More chunks belong to the same body or message. */
  readonly more: boolean;
}

/** So much of what was sent has been dealt with; see `costOf`. */
interface Credit {
  readonly type: 'taken';
  readonly cost: number;
}

/**
 * A body that goes along with its request: the owner does not know the session yet, but so little is not worth waiting for.
 * All others wait at the entry until the owner says that it wants them, so that nobody can send for sessions that are made up.
 */
export const smallBodyBytes = 16 * 1024;

/** Whether the body waits for `wanted`; both ends know from the request. */
export function waitsToBeWanted({ method, headers }: RequestHead): boolean {
  if (method === 'get' || method === 'head') return false;
  const length = headers.find(([name]) => name === 'content-length')?.[1];
  return length === undefined || !(Number(length) <= smallBodyBytes);
}

/** What the entry node tells the owner. */
export type ToOwner =
  | Chunk
  | Credit
  | { readonly type: 'pong' }
  /** A client that has returned has changed its transport. */
  | { readonly type: 'moved'; readonly transport: TransportKind }
  /** The last one: the client has gone away, or closed its socket. */
  | { readonly type: 'gone'; readonly reason: CloseReason };

/** What the owner tells the entry node. */
export type ToEntry =
  | Chunk
  | Credit
  /** The session is known and the body may come. */
  | { readonly type: 'wanted' }
  /** The head of an answer; the body's chunks follow, the last of which is the last signal. */
  | { readonly type: 'answer'; readonly status: string; readonly headers: Headers; readonly close: boolean }
  /** The WebSocket is welcome; `window` is how much may be under way to it. */
  | { readonly type: 'accepted'; readonly window: number }
  | { readonly type: 'ping' }
  /** The client has its session back. What it has missed follows. */
  | { readonly type: 'recovered'; readonly window: number }
  /** Not yet: the session is about to go on at another node. */
  | { readonly type: 'leaving' }
  /** The last one: it goes on at another node. */
  | { readonly type: 'left' }
  /** The last one: it has not. */
  | { readonly type: 'refused' }
  /** The last one: its session has ended, or has another connection. */
  | { readonly type: 'ended'; readonly reason: CloseReason }
  /** The last one: close the socket, with a closing handshake if there is a code. */
  | { readonly type: 'end'; readonly code: number | undefined };

/** One end of a stream. After the last signal, every call is a no-op. */
export interface RelayStream<Signal> {
  send(signal: Signal, last?: boolean): void;
  /** That of the way to the other node; see `Relays.load`. */
  readonly load: number;
}

/** Who hears what the other end sends. */
export interface RelayEnd<Signal> {
  receive(signal: Signal): void;
  /** The other end is gone, and the stream is closed. */
  lost(): void;
}

/** The way to other nodes. */
export interface Relays {
  /** The connected node, other than this one, whose present boot made this transport id. */
  ownerOf(id: string): NodeName | undefined;
  /** That node, if it is another one. */
  otherNode(node: string): NodeName | undefined;
  /** The same for an id whose owner is being looked for because it was lost in the last moments; undefined for any other. */
  awaitOwner(id: string): Promise<NodeName | undefined> | undefined;
  open(owner: NodeName, head: RequestHead | ReturnHead, end: RelayEnd<ToEntry>): RelayStream<ToOwner>;
  /**
   * How much of all clients together waits here because a node has not dealt with what is under way to it: 0 is nothing, 1
   * as much as may wait. From 1 on nothing new is taken in for that node.
   */
  load(node: NodeName): number;
  /** Bytes of bodies that may wait until they are wanted, all together. */
  readonly maxHeld: number;
  /** Takes in what other nodes forward, until what is returned is disposed of: then every stream of this node is lost, to both ends. */
  serve(host: RelayHost): Disposable;
}

/** Where a node takes in what other nodes forward. */
export interface RelayHost {
  /** The answer may have been sent when this returns. */
  open(head: RequestHead | ReturnHead, stream: RelayStream<ToEntry>): RelayEnd<ToOwner>;
}
