/**
 * The actor for whom the most messages wait. To look at 100,000 actors takes some milliseconds, so they are looked at in slices with
 * the event loop's other work in between; nothing is kept or counted for it where messages are sent.
 */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { Cell } from './cell.ts';

/** A slice takes some tenths of a millisecond. */
const sliceLength = 5000;

export interface FullMailbox {
  readonly length: number;
  /** Where the actor is in the supervision tree, and its address. */
  readonly path: string;
  readonly pid: string;
}

/** Undefined if no message waits. Of an actor that starts or ends meanwhile it may know or not. */
export async function fullestMailbox(kernel: { cells(): Iterable<Cell> }): Promise<FullMailbox | undefined> {
  let fullest: Cell | undefined;
  let length = 0;
  let left = sliceLength;
  for (const cell of kernel.cells()) {
    if (cell.mailbox.length > length) {
      fullest = cell;
      length = cell.mailbox.length;
    }
    left -= 1;
    if (left > 0) continue;
    left = sliceLength;
    await otherWork();
  }
  return fullest && { length, path: fullest.path, pid: fullest.toString() };
}
