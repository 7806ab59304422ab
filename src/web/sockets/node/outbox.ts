/**
 * What is sent to a socket in one round of the event loop leaves in one write: writes are what sending mostly costs. Where
 * many sockets are sent the same frames, as they are by publishes, these are put together once.
 *
 *     send, publish ─► outbox of the socket ─┬─ end of the round ─► socket
 *                                            └─ 64 KiB ──────────► socket
 */
import type { Writable } from 'node:stream';

/** Bytes; more is written at once, so that the system's buffers and not ours fill up. */
const fullBytes = 64 * 1024;

export class Outbox {
  readonly #socket: Writable;
  /** One frame mostly, so there is no list for it. */
  #frames: Buffer | Buffer[] | undefined;
  #bytes = 0;

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** Bytes that wait for the client. */
  get length(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  add(frame: Buffer): void {
    const frames = this.#frames;
    if (frames === undefined) {
      this.#frames = frame;
      if (waiting.push(this) === 1) setImmediate(flushAll);
    } else if (Array.isArray(frames)) {
      frames.push(frame);
    } else {
      this.#frames = [frames, frame];
    }
    this.#bytes += frame.length;
    if (this.#bytes >= fullBytes) this.flush();
  }

  flush(): void {
    const frames = this.#frames;
    if (frames === undefined) return;
    this.#frames = undefined;
    this.#bytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    const bytes = Array.isArray(frames) ? joined(frames) : frames;
    socket.write(socket.writableLength > 0 ? alone(bytes) : bytes);
  }

  /** Throws away what waits here. */
  clear(): void {
    this.#frames = undefined;
    this.#bytes = 0;
  }
}

/**
 * What comes behind other data may wait for long. Small pieces of memory are parts of larger ones, all of which would be kept for
 * it: eighty times as much as the limit of what may wait for a client.
 */
function alone(bytes: Buffer): Buffer {
  if (bytes.length === bytes.buffer.byteLength) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** Outboxes with something in them, and such that have been emptied meanwhile. */
let waiting: Outbox[] = [];

function flushAll(): void {
  const outboxes = waiting;
  waiting = [];
  for (const outbox of outboxes) outbox.flush();
  lastParts = none;
  lastJoined = undefined;
}

const none: readonly Buffer[] = [];
/** What was put together last, for the next socket that is sent the same. */
let lastParts: readonly Buffer[] = none;
let lastJoined: Buffer | undefined;

function joined(parts: Buffer[]): Buffer {
  if (lastJoined !== undefined && same(parts, lastParts)) return lastJoined;
  lastParts = parts;
  lastJoined = Buffer.concat(parts);
  return lastJoined;
}

function same(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}
