/**
 * The busiest actors of a node. How many messages each handles per second is seen by looking twice: once at the beginning of
 * the time that is asked about and once at its end, so that askers need not know of each other. Nothing is kept between.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cell } from './cell.ts';
import type { Kernel } from './kernel.ts';

/** `rate`: who handles the most messages per second; `mailbox`: for whom the most messages wait. The other one breaks ties. */
export type BusiestSort = 'rate' | 'mailbox';

export interface BusiestOptions {
  readonly sort: BusiestSort;
  /** How many actors are listed at most. */
  readonly limit: number;
  /** How long is looked at, ms. */
  readonly overMs: number;
}

export interface BusyActor {
  readonly pid: string;
  readonly label: string;
  /** Where it is in the supervision tree: labels from the top down. */
  readonly path: string;
  readonly status: string;
  /** Messages handled: per second in the time that was looked at, and since its start. */
  readonly rate: number;
  readonly handled: number;
  readonly mailbox: { readonly length: number; readonly peak: number };
  readonly ageMs: number;
}

interface Candidate {
  readonly cell: Cell;
  readonly first: number;
  readonly second: number;
  readonly recent: number;
}

/** Busy ones only: fewer than `limit` if the others handled nothing and nothing waits for them. The busiest first. */
export async function busiest(kernel: Kernel, { sort, limit, overMs }: BusiestOptions): Promise<BusyActor[]> {
  const before = new Sample(kernel);
  await delay(overMs);
  const seconds = (performance.now() - before.at) / 1000;
  const ranking: Candidate[] = [];
  for (const cell of kernel.cells()) {
    const recent = cell.handled - before.handledBy(cell);
    const waiting = cell.mailbox.length;
    if (recent === 0 && waiting === 0) continue;
    const [first, second] = sort === 'rate' ? [recent, waiting] : [waiting, recent];
    rank(ranking, { cell, first, second, recent }, limit);
  }
  return ranking.map(({ cell, recent }) => ({
    pid: cell.toString(),
    label: cell.label,
    path: cell.path,
    status: cell.status,
    rate: Math.round((recent / seconds) * 10) / 10,
    handled: cell.handled,
    mailbox: { length: cell.mailbox.length, peak: cell.mailbox.peak },
    ageMs: cell.ageMs,
  }));
}

/** Keeps the best `limit` in order. Most candidates are not better than the last one, and cost one comparison. */
function rank(ranking: Candidate[], candidate: Candidate, limit: number): void {
  if (ranking.length >= limit && !isBefore(candidate, ranking[ranking.length - 1])) return;
  let from = 0;
  for (let to = ranking.length; from < to; ) {
    const middle = (from + to) >> 1;
    if (isBefore(candidate, ranking[middle])) to = middle;
    else from = middle + 1;
  }
  ranking.splice(from, 0, candidate);
  if (ranking.length > limit) ranking.pop();
}

function isBefore(one: Candidate, other: Candidate | undefined): boolean {
  if (!other) return false;
  return one.first > other.first || (one.first === other.first && one.second > other.second);
}

/**
 * What each actor had handled at one time: two plain arrays, as cells come in the order of their numbers each time.
 *
 *   then:  1  2  5  9        an actor that is not there any more is skipped,
 *   now:   1     5  9  12    one that is new had handled nothing
 */
class Sample {
  readonly at = performance.now();
  readonly #ids: number[] = [];
  readonly #handled: number[] = [];
  #next = 0;

  constructor(kernel: Kernel) {
    for (const cell of kernel.cells()) {
      this.#ids.push(idOf(cell));
      this.#handled.push(cell.handled);
    }
  }

  /** To be asked in the order of the actors' start. */
  handledBy(cell: Cell): number {
    const id = idOf(cell);
    while (this.#next < this.#ids.length && this.#ids[this.#next]! < id) this.#next += 1;
    return this.#ids[this.#next] === id ? this.#handled[this.#next]! : 0;
  }
}

function idOf({ serial, id }: Cell): number {
  return serial * 2 ** 28 + id;
}
