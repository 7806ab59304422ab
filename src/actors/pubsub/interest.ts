/**
 * Which channels the other nodes have. A node tells every other which channels it serves, all of them when they connect and
 * each change from then on, so that a publish crosses the wire once per interested node and not at all to others.
 *
 * A node that has not told yet (or not since its manager restarted) counts as interested in everything: too much may be
 * sent, never too little. The table belongs to the node and not to an actor; publishers read it directly.
 */
import type { NamedRef } from '../../kernel/remote-ref.ts';
import type { NodeName } from '../../kernel/types.ts';
import { isUnder } from '../channel-ids.ts';
import type { WireMessage } from './wire-messages.ts';

/** The channels of one node, for the time of one connection with it. */
export class PeerInterest {
  readonly node: NodeName;
  /** The node's manager. */
  readonly manager: NamedRef<WireMessage>;
  #known = false;
  readonly #ids = new Set<string>();
  /** How many of the ids are, or lie under, each dotted prefix. */
  readonly #counts = new Map<string, number>();

  constructor(node: NodeName, manager: NamedRef<WireMessage>) {
    this.node = node;
    this.manager = manager;
  }

  /** Whether it has told its channels. */
  get known(): boolean {
    return this.#known;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Whether something published to these ids or prefixes must be sent there. */
  wants(prefixes: readonly string[]): boolean {
    if (!this.#known) return true;
    for (const prefix of prefixes) if (this.#counts.has(prefix)) return true;
    return false;
  }

  /** The channels below a prefix. */
  *below(prefix: string): Iterable<string> {
    const count = this.#counts.get(prefix) ?? 0;
    if (count === 0 || (count === 1 && this.#ids.has(prefix))) return;
    for (const id of this.#ids) if (id.length > prefix.length && isUnder(id, prefix)) yield id;
  }

  /** @param all whether `add` is the whole truth, or a change of what was told before */
  learn(all: boolean, add: readonly string[], remove: readonly string[]): void {
    if (all) this.forget();
    for (const id of remove) if (this.#ids.delete(id)) this.#count(id, -1);
    for (const id of add) {
      if (this.#ids.has(id)) continue;
      this.#ids.add(id);
      this.#count(id, 1);
    }
    if (all) this.#known = true;
  }

  /** What it told does not count any more. */
  forget(): void {
    this.#known = false;
    this.#ids.clear();
    this.#counts.clear();
  }

  #count(id: string, change: 1 | -1): void {
    for (let end = id.indexOf('.'); ; end = id.indexOf('.', end + 1)) {
      const prefix = end < 0 ? id : id.slice(0, end);
      const count = (this.#counts.get(prefix) ?? 0) + change;
      if (count > 0) this.#counts.set(prefix, count);
      else this.#counts.delete(prefix);
      if (end < 0) return;
    }
  }
}
