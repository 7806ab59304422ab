/**
 * One live connection: frames in, frames out, heartbeats. Heartbeats are ticks, frames without content, sent when nothing
 * else was; every byte that comes counts as a sign of life, so a long transfer does not look like silence. Ticks go out
 * at flush borders, that is always between two frames. Source: Erlang distribution protocol.
 *
 *   Outbox ─ whole frames ─▶ write ─▶ socket          a peer that does not read fills the socket's queue up to
 *                              ▲                       `maxQueueBytes`, then the link is dropped
 *              timer ── tick ──┘
 */
import type { Socket } from 'node:net';
import type { FrameReader } from './frames.ts';

/** A link is dead after this many quarters of the tick time in silence (as in Erlang). */
const quarters = 4;
const tick = Buffer.alloc(4);
/** How long a peer may take to read what was still queued when the link was closed. */
const lingerMs = 1000;

/**
 * Bytes that are read before the rest of the node gets its turn. A socket gives up to 2 MB in a row, faster than actors handle
 * what is in them: thousands of messages would wait, and outlive the cheap kind of garbage collection.
 */
const readPerTurn = 64 * 1024;

export interface DistConnectionOptions {
  readonly socket: Socket;
  readonly reader: FrameReader;
  readonly tickTimeMs: number;
  readonly maxQueueBytes: number;
  /** A frame that is no tick, from `start` to `end` of the bytes. What it throws ends the link. */
  readonly onFrame: (bytes: Buffer, start: number, end: number) => void;
  /** All frames that came together have been given away. */
  readonly onFrames: () => void;
  /** Called once, with the reason. */
  readonly onClose: (reason: string) => void;
}

export class DistConnection {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #maxQueueBytes: number;
  readonly #onFrame: DistConnectionOptions['onFrame'];
  readonly #onFrames: () => void;
  readonly #onClose: (reason: string) => void;
  readonly #ticker: NodeJS.Timeout;
  #readThisTurn = 0;
  #readAtTick = 0;
  #writtenAtTick = 0;
  #silentQuarters = 0;
  #open = true;

  constructor(options: DistConnectionOptions) {
    this.#socket = options.socket;
    this.#reader = options.reader;
    this.#maxQueueBytes = options.maxQueueBytes;
    this.#onFrame = options.onFrame;
    this.#onFrames = options.onFrames;
    this.#onClose = options.onClose;
    this.#readAtTick = this.#socket.bytesRead;
    this.#ticker = setInterval(() => this.#tick(), options.tickTimeMs / quarters);
  }

  /** Starts reading: first what came together with the handshake. */
  start(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#read();
      this.#readThisTurn += chunk.length;
      if (this.#readThisTurn >= readPerTurn) this.#rest();
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.close(error.code === 'ECONNRESET' ? 'connection_reset' : 'connection_failed'),
    );
    socket.on('close', () => this.close('connection_closed'));
    if (socket.destroyed) return this.close('connection_closed');
    this.#read();
    socket.resume();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes that the peer has not taken yet. */
  get queued(): number {
    return this.#socket.writableLength;
  }

  /** Where the peer's bytes come from. */
  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** Sends whole frames. */
  write(frames: Buffer): void {
    if (!this.#open) return;
    this.#socket.write(frames);
    if (this.#socket.writableLength > this.#maxQueueBytes) this.close('queue_full');
  }

  /** Ends the link now. What is queued is lost, except with `graceful`. */
  close(reason: string, graceful = false): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#ticker);
    if (graceful) {
      this.#socket.end(() => this.#socket.destroy());
      setTimeout(() => this.#socket.destroy(), lingerMs).unref();
    } else {
      this.#socket.destroy();
    }
    this.#onClose(reason);
  }

  #read(): void {
    const reader = this.#reader;
    try {
      while (this.#open && reader.advance()) {
        if (reader.end > reader.start) this.#onFrame(reader.bytes, reader.start, reader.end);
      }
    } catch (error) {
      this.close(`bad_frame: ${(error as Error).message}`);
    }
    this.#onFrames();
  }

  /** Lets the others have their turn: above all the actors for whom all this is. */
  #rest(): void {
    this.#socket.pause();
    this.#readThisTurn = Number.NEGATIVE_INFINITY;
    setImmediate(() => {
      this.#readThisTurn = 0;
      this.#socket.resume();
    });
  }

  #tick(): void {
    const { bytesRead, bytesWritten } = this.#socket;
    if (bytesRead === this.#readAtTick) this.#silentQuarters += 1;
    else this.#silentQuarters = 0;
    this.#readAtTick = bytesRead;
    if (this.#silentQuarters >= quarters) return this.close('net_tick_timeout');
    if (bytesWritten === this.#writtenAtTick) this.write(tick);
    this.#writtenAtTick = this.#socket.bytesWritten;
  }
}
