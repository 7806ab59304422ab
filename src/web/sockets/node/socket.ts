/**
 * A WebSocket: the `ws` package reads what comes in and does the closing handshake; what goes out is framed here (frames.ts),
 * so that a publish is framed once for all, and leaves through the outbox. As on the native libraries the layers above hear of the
 * end of a socket at once, when either side begins it.
 */
import type { Socket } from 'node:net';
import { WebSocket as Peer } from 'ws';
import type { Payload, SocketBehavior, WebSocket } from '../types.ts';
import { toArrayBuffer } from './exchange.ts';
import { compressedFrameOf, frameOf, opcodes } from './frames.ts';
import { Outbox } from './outbox.ts';
import type { Subscriptions } from './subscriptions.ts';

const sent = 1;
const waits = 0;
const dropped = 2;

const tooBig = 1009;

/** What a socket needs of its server. */
export interface SocketHost<Data> {
  readonly behavior: SocketBehavior<Data>;
  readonly subscriptions: Subscriptions<NodeSocket<Data>>;
  /** Those that are open. */
  readonly sockets: Set<NodeSocket<Data>>;
}

/** The class that `ws` makes its sockets of. Events go where they belong without a listener for each. */
export class HeldPeer extends Peer {
  declare holder: NodeSocket<unknown> | undefined;

  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { holder } = this;
    if (!holder) return super.emit(event, first, second);
    if (event === 'message') holder.received(first as Buffer | ArrayBuffer, second as boolean);
    else if (event === 'ping') holder.pinged(first as Buffer);
    else if (event === 'pong') holder.ponged();
    else if (event === 'close') holder.gone(false);
    return true;
  }

  /** `ws` calls it as well, when the client closes the socket or breaks the rules. */
  override close(code?: number, reason?: string | Buffer): void {
    const { holder } = this;
    holder?.flush();
    super.close(code, reason);
    holder?.closed(code === tooBig);
  }
}

export class NodeSocket<Data> implements WebSocket<Data> {
  /** Whether the client understands compressed messages. */
  readonly inflates: boolean;
  readonly #host: SocketHost<Data>;
  readonly #peer: HeldPeer;
  readonly #socket: Socket;
  readonly #data: Data;
  readonly #outbox: Outbox;
  #topics: Set<string> | undefined;
  #isOver = false;

  constructor(host: SocketHost<Data>, peer: HeldPeer, socket: Socket, data: Data) {
    this.#host = host;
    this.#peer = peer;
    this.#socket = socket;
    this.#data = data;
    this.#outbox = new Outbox(socket);
    this.inflates = peer.extensions !== '';
    peer.holder = this as NodeSocket<unknown>;
    peer.binaryType = 'arraybuffer';
    host.sockets.add(this);
    socket.on('drain', () => {
      if (!this.#isOver) host.behavior.drain(this);
    });
  }

  send(message: Payload, isBinary = false, compress = false): number {
    const opcode = isBinary ? opcodes.binary : opcodes.text;
    const compressed = compress && this.inflates ? compressedFrameOf(opcode, message) : undefined;
    return this.push(compressed ?? frameOf(opcode, message));
  }

  /** Sends a whole frame. */
  push(frame: Buffer): number {
    if (this.#isOver) return dropped;
    if (this.#outbox.length > this.#host.behavior.maxBackpressure) {
      this.#drop();
      return dropped;
    }
    this.#outbox.add(frame);
    return this.#socket.writableNeedDrain ? waits : sent;
  }

  ping(): void {
    this.push(frameOf(opcodes.ping, ''));
  }

  end(code?: number, message?: string): void {
    if (!this.#isOver) this.#peer.close(code, message);
  }

  close(): void {
    this.#drop();
    this.gone(false);
  }

  getBufferedAmount(): number {
    // What waits for the end of the round only has not met any resistance yet.
    this.#outbox.flush();
    return this.#outbox.length;
  }

  getUserData(): Data {
    return this.#data;
  }

  subscribe(topic: string): void {
    if (this.#isOver) return;
    this.#topics ??= new Set();
    this.#topics.add(topic);
    this.#host.subscriptions.add(topic, this);
  }

  unsubscribe(topic: string): void {
    if (this.#topics?.delete(topic)) this.#host.subscriptions.remove(topic, this);
  }

  isSubscribed(topic: string): boolean {
    return this.#topics?.has(topic) === true;
  }

  getTopics(): string[] {
    return this.#topics ? [...this.#topics] : [];
  }

  // What the peer says

  received(data: Buffer | ArrayBuffer, isBinary: boolean): void {
    if (this.#isOver) return;
    const { behavior } = this.#host;
    // Text comes as a buffer whatever the binary type, and has been checked to be UTF-8.
    if (Buffer.isBuffer(data)) behavior.message(this, isBinary ? toArrayBuffer(data) : data.toString(), isBinary);
    else behavior.message(this, data, isBinary);
  }

  pinged(payload: Buffer): void {
    this.push(frameOf(opcodes.pong, payload));
    if (!this.#isOver) this.#host.behavior.ping();
  }

  ponged(): void {
    if (!this.#isOver) this.#host.behavior.pong(this);
  }

  flush(): void {
    this.#outbox.flush();
  }

  /** The close frame was sent. The server closes the connection first (RFC 6455 §7.1.1), with whatever answer. */
  closed(messageTooBig: boolean): void {
    this.#socket.end();
    this.gone(messageTooBig);
  }

  /** Neither side may send any more. Idempotent. */
  gone(messageTooBig: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { behavior, sockets, subscriptions } = this.#host;
    sockets.delete(this);
    if (this.#topics) for (const topic of this.#topics) subscriptions.remove(topic, this);
    behavior.close(this, messageTooBig);
  }

  /** The layers above hear of it when the socket is closed, which is not within this call. */
  #drop(): void {
    this.#outbox.clear();
    this.#peer.terminate();
  }
}
