/**
 * The control part of the last message to a name. Most messages of one connection go to the same few names and differ in
 * nothing but their payload: what begins with the same bytes says the same, and need not be read again. (A term ends where
 * its own bytes say, so equal bytes are equal terms.)
 */

import type { BytePattern } from './byte-pattern.ts';
import type { Decoder } from './decoder.ts';

/** Longer ones are not worth the comparison. */
const longest = 256;

export class HeaderCache {
  #piece: BytePattern | undefined;
  #name: string | undefined;

  /** The name that a frame is for, if it begins as the last one did; its payload is read next. */
  nameIn(frame: Decoder): string | undefined {
    return this.#piece !== undefined && frame.stepOver(this.#piece) ? this.#name : undefined;
  }

  /** The frame that began at `start` was for that name, and its payload comes next. */
  remember(frame: Decoder, start: number, name: string): void {
    if (frame.position - start > longest) return;
    this.#piece = frame.pieceFrom(start);
    this.#name = name;
  }
}
