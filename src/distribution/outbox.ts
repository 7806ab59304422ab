/**
 * Frames on their way to one peer. While the connection is being made they wait here, so that order holds; afterwards
 * they are collected during a turn of the event loop and written together.
 */
import type { AnyRef } from '../kernel/types.ts';
import { Encoder, located } from './codec/encoder.ts';
import { type Reference, TermError, tag } from './codec/terms.ts';
import { op } from './control.ts';
import type { DistConnection } from './dist-connection.ts';

const none = Buffer.alloc(0);
const passThrough = 112;
/** Collected bytes beyond this are written at once. */
const flushBytes = 64 * 1024;

/** Somebody on the peer's node. */
export type Target = AnyRef | { readonly name: string };

export class Outbox {
  readonly #encoder = new Encoder();
  readonly #maxBytes: number;
  #link: DistConnection | undefined;
  #scheduled = false;
  #start = 0;
  /** How the last message to a name began, up to its payload: the next one to that name begins so, too. */
  #head: Buffer = none;
  #headName: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The connection is there: what waited goes out first. */
  attach(link: DistConnection): void {
    this.#link = link;
    this.flush();
  }

  /** Bytes that wait here or in the socket. */
  get queued(): number {
    return this.#encoder.length + (this.#link?.queued ?? 0);
  }

  /** So much waits that what can be done without should be. */
  get isHalfFull(): boolean {
    return this.queued > this.#maxBytes / 2;
  }

  /**
   * A message; `from` is the same each time. False if it does not fit in while the connection is being made.
   * @throws TermError if it cannot be a term, or is larger than the queue may ever be
   */
  send(from: AnyRef, to: Target, message: unknown): boolean {
    if (this.#isFull()) return false;
    if (!('serial' in to) && to.name === this.#headName) {
      this.#start = this.#encoder.length;
      this.#encoder.raw(this.#head);
      this.#tail(message);
      return true;
    }
    const encoder = this.#open();
    if ('serial' in to) {
      encoder.tuple(3);
      encoder.integer(op.send);
      encoder.atom('');
      encoder.pid(to);
    } else {
      encoder.tuple(4);
      encoder.integer(op.regSend);
      encoder.pid(from);
      encoder.atom('');
      encoder.atom(to.name);
      encoder.byte(tag.version);
      this.#head = encoder.copy(this.#start);
      this.#headName = to.name;
      this.#tail(message);
      return true;
    }
    this.#payload(message);
    return true;
  }

  /** The answer to a call whose tag is an alias. */
  sendAlias(from: AnyRef, alias: Reference, message: unknown): void {
    const encoder = this.#open();
    encoder.tuple(3);
    encoder.integer(op.aliasSend);
    encoder.pid(from);
    encoder.reference(alias);
    this.#payload(message);
  }

  /** LINK, or UNLINK_ID (or its acknowledgement) with its number. */
  link(operation: number, from: AnyRef, to: AnyRef, id?: unknown): void {
    const encoder = this.#open();
    encoder.tuple(id === undefined ? 3 : 4);
    encoder.integer(operation);
    if (id !== undefined) encoder.term(id);
    encoder.pid(from);
    encoder.pid(to);
    this.#close();
  }

  /** EXIT (a link broke) or EXIT2 (a signal was sent). */
  exit(operation: number, from: AnyRef, to: AnyRef, reason: unknown): void {
    const encoder = this.#open();
    encoder.tuple(4);
    encoder.integer(operation);
    encoder.pid(from);
    encoder.pid(to);
    this.#tail(reason);
  }

  /** MONITOR_P or DEMONITOR_P. */
  monitor(operation: number, from: AnyRef, to: Target, ref: Reference): void {
    const encoder = this.#open();
    encoder.tuple(4);
    encoder.integer(operation);
    encoder.pid(from);
    if ('serial' in to) encoder.pid(to);
    else encoder.atom(to.name);
    encoder.reference(ref);
    this.#close();
  }

  /** MONITOR_P_EXIT: a monitored process ended. */
  down(from: Target, to: AnyRef, ref: Reference, reason: unknown): void {
    const encoder = this.#open();
    encoder.tuple(5);
    encoder.integer(op.monitorExit);
    if ('serial' in from) encoder.pid(from);
    else encoder.atom(from.name);
    encoder.pid(to);
    encoder.reference(ref);
    this.#tail(reason);
  }

  /** SPAWN_REPLY: we start nothing for others. */
  refuseSpawn(request: Reference, to: AnyRef): void {
    const encoder = this.#open();
    encoder.tuple(5);
    encoder.integer(op.spawnReply);
    encoder.reference(request);
    encoder.pid(to);
    encoder.integer(0);
    encoder.atom('notsup');
    this.#close();
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#link && this.#encoder.length > 0) this.#link.write(this.#encoder.take());
  }

  /** Without a connection the bound is kept by refusing; with one, the link drops itself. */
  #isFull(): boolean {
    return this.#link === undefined && this.#encoder.length > this.#maxBytes;
  }

  #open(): Encoder {
    const encoder = this.#encoder;
    this.#start = encoder.length;
    encoder.uint32(0);
    encoder.byte(passThrough);
    encoder.byte(tag.version);
    return encoder;
  }

  #payload(message: unknown): void {
    this.#encoder.byte(tag.version);
    this.#tail(message);
  }

  /** Writes the last term of the frame. One that cannot be written takes its frame with it. */
  #tail(term: unknown): void {
    try {
      this.#encoder.term(term);
    } catch (error) {
      this.#encoder.truncate(this.#start);
      throw located(error, term);
    }
    this.#close();
  }

  #close(): void {
    const encoder = this.#encoder;
    const length = encoder.length - this.#start;
    if (length > this.#maxBytes) {
      encoder.truncate(this.#start);
      throw new TermError(`a message of ${length} bytes is larger than the queue (${this.#maxBytes})`, 'its end');
    }
    encoder.patchUint32(this.#start, length - 4);
    if (encoder.length >= flushBytes) return this.flush();
    if (this.#scheduled || this.#link === undefined) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }
}
