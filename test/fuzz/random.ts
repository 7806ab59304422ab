/** Choices that a text determines: the same text, the same choices, on every machine. */
import { createHash } from 'node:crypto';
import { seeded } from '../support/wire.ts';

export class Random {
  readonly #next: () => number;

  constructor(seed: string) {
    this.#next = seeded(createHash('sha256').update(seed).digest().readUInt32BE(0));
  }

  /** At least 0, less than `limit`. */
  int(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error('nothing to choose from');
    return items[this.int(items.length)]!;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(256)));
  }
}
