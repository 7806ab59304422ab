/**
 * Connections that have no client: whoever opens them has not asked for a client yet, or has none any more. They take no
 * slots, so they are limited for themselves: a stranger can open them for the price of a request. What they keep shares its limit
 * with what is kept of clients until their hooks of `on_connect` are done.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Handshake } from './client-handle.ts';

/** More than the slots: those that come while all clients reconnect, and find the last slots taken meanwhile. */
const surplus = 1.1;

/** What all of them may keep of their requests. */
const maxBytes = 64 * 1024 * 1024;

/** Of a connection without its headers and query, and of each of these without name and value. */
const connectionBytes = 2048;
const entryBytes = 64;

export class Clientless {
  readonly #max: number;
  #count = 0;
  #bytes = 0;

  constructor(slots: number) {
    this.#max = Math.ceil(surplus * slots);
  }

  /** Why there is no room for one more, or undefined. */
  refusal(): HiveError | undefined {
    const hasRoom = this.#count < this.#max && this.#bytes + connectionBytes <= maxBytes;
    return hasRoom ? undefined : new HiveError('no_slots', 'Too many connections have no client.');
  }

  /** More are here than may be: clients have left and their connections have stayed. */
  get isOver(): boolean {
    return this.#count > this.#max || this.#bytes > maxBytes;
  }

  /** Counts one in. @returns the bytes that `leave` wants back */
  enter(handshake: Handshake): number {
    const bytes = connectionBytes + weightOf(handshake);
    this.#count += 1;
    this.#bytes += bytes;
    return bytes;
  }

  leave(bytes: number): void {
    this.#count -= 1;
    this.#bytes -= bytes;
  }

  /** Counts what is kept of a client's requests until it is connected. @returns whether there is room */
  hold(bytes: number): boolean {
    if (this.#bytes + bytes > maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What is kept of a handshake. */
export function weightOf({ headers, query }: Pick<Handshake, 'headers' | 'query'>): number {
  return weightOfAll(headers) + weightOfAll(query);
}

function weightOfAll(entries: Record<string, string>): number {
  let bytes = 0;
  for (const name in entries) bytes += entryBytes + weightOfText(name) + weightOfText(entries[name]!);
  return bytes;
}

/** A text with one character beyond ASCII may take two bytes for each. */
function weightOfText(text: string): number {
  return Buffer.byteLength(text) === text.length ? text.length : 2 * text.length;
}
