/** Publications in a row that are lost for another node: it is told which channels they were for, as long as these are few. */
import type { GapMessage } from './wire-messages.ts';

/** Beyond so many ids and prefixes the gap concerns all channels. */
export const maxGapChannels = 100;

export class Gap {
  /** The number before the first one that is lost. */
  readonly after: number;
  #number: number;
  /** Undefined: all. */
  #channels: Set<string> | undefined = new Set();
  publications = 0;
  bytes = 0;

  constructor(after: number) {
    this.after = after;
    this.#number = after;
  }

  get isEmpty(): boolean {
    return this.#number === this.after;
  }

  /** A publication is lost. */
  add(number: number, channels: readonly string[], bytes: number): void {
    this.publications += 1;
    this.bytes += bytes;
    this.extend(number, channels);
  }

  /** @param channels none: all */
  extend(number: number, channels: readonly string[]): void {
    this.#number = number;
    const known = this.#channels;
    if (!known) return;
    if (channels.length === 0) this.#channels = undefined;
    for (const channel of channels) known.add(channel);
    if (known.size > maxGapChannels) this.#channels = undefined;
  }

  /** What was lost behind it. */
  join(later: Gap): void {
    this.publications += later.publications;
    this.bytes += later.bytes;
    this.extend(later.#number, later.#channels ? [...later.#channels] : []);
  }

  message(origin: string): GapMessage {
    return { type: 'gap', origin, number: this.#number, after: this.after, channels: [...(this.#channels ?? [])] };
  }
}
