/**
 * The body of a relayed request on its way to the owner. It waits at this node until the owner has found the session, and
 * then no more of it is under way than a window: the rest is left in the client's socket.
 *
 *   waiting ──wanted──▶ flowing ──window full──▶ paused ──half taken──▶ flowing
 *
 * While the way to the owner is overloaded, a body of which enough is under way waits for its own to be taken, so that some
 * get through; the others are refused.
 */
import type { HttpResponse } from '../../http/http.ts';
import { noteBytes, sendChunks } from './chunks.ts';
import type { RelayStream, ToOwner } from './relay.ts';

/** Bytes of one body that may be under way: enough that a fast link is never idle. */
const windowBytes = 256 * 1024;

/** What waits of all bodies that are not wanted yet. */
export interface Held {
  bytes: number;
  readonly max: number;
}

export interface BodyParts {
  readonly res: HttpResponse;
  readonly stream: RelayStream<ToOwner>;
  /** The first chunk beyond so many bytes is the last that is sent: from that the owner sees that it is too large. */
  readonly limitBytes: number;
  readonly held: Held;
  /** False: it is small and goes along at once. */
  readonly waits: boolean;
  /** Too much waits already, and nothing of this body will be taken. */
  readonly refuse: () => void;
}

export class BodyForward {
  readonly #parts: BodyParts;
  #waits: boolean;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #isComplete = false;
  #read = 0;
  /** The cost of what the owner has not taken yet. */
  #underWay = 0;
  #isPaused = false;
  #isOver = false;

  constructor(parts: BodyParts) {
    this.#parts = parts;
    this.#waits = parts.waits;
    parts.res.onData((chunk, isLast) => this.#receive(chunk, isLast));
    // What came together with the head is all that has to be held.
    if (parts.waits) this.#pause();
  }

  /** The owner wants it. */
  wanted(): void {
    if (!this.#waits || this.#isOver) return;
    this.#waits = false;
    const body = this.#letGo();
    if (body.length > 0 || this.#isComplete) this.#send(body, this.#isComplete);
    this.#goOn();
  }

  /** The owner has taken so much of it. */
  taken(cost: number): void {
    if (this.#isOver) return;
    this.#underWay -= cost;
    this.#goOn();
  }

  /** The response is about to be answered, or gone: what still comes is for nobody. @param isGone it cannot be touched */
  end(isGone = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
    if (this.#isPaused && !isGone) this.#parts.res.resume();
  }

  #receive(chunk: ArrayBuffer, isLast: boolean): void {
    const { limitBytes, held, stream, refuse } = this.#parts;
    if (this.#isOver || this.#read > limitBytes) return;
    this.#read += chunk.byteLength;
    this.#isComplete = isLast;
    const mustWait = this.#waits || this.#chunks.length > 0 || stream.load >= 1;
    if (!mustWait) {
      this.#send(chunk, isLast);
      if (this.#underWay < windowBytes) return;
    } else if (!this.#waits && this.#underWay < noteBytes) {
      return refuse();
    } else {
      if (held.bytes + chunk.byteLength > held.max) return refuse();
      // The bytes are the library's, and valid during the call only.
      const kept = Buffer.from(Buffer.from(chunk));
      this.#chunks.push(kept);
      this.#heldBytes += kept.length;
      held.bytes += kept.length;
    }
    if (!isLast) this.#pause();
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#parts.res.pause();
  }

  #send(data: ArrayBuffer | Buffer, isLast: boolean): void {
    this.#underWay += sendChunks(this.#parts.stream, data, false, !isLast);
  }

  #goOn(): void {
    const { stream, refuse } = this.#parts;
    if (this.#waits || this.#underWay > windowBytes / 2) return;
    if (this.#chunks.length > 0) {
      // Of less than that the owner need not say that it has taken it.
      if (stream.load >= 1) return this.#underWay < noteBytes ? refuse() : undefined;
      this.#send(this.#letGo(), this.#isComplete);
    }
    if (!this.#isPaused || this.#underWay > windowBytes / 2) return;
    this.#isPaused = false;
    this.#parts.res.resume();
  }

  #letGo(): Buffer {
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#parts.held.bytes -= this.#heldBytes;
    this.#heldBytes = 0;
    return body;
  }
}
