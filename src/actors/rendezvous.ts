/**
 * Which node is a key's home, of a channel for instance: that with the highest of the numbers which the key and each node's name make
 * (rendezvous hashing). All nodes that see the same members agree, and a member that comes or goes moves its own keys only.
 */
import type { NodeName } from '../kernel/types.ts';

export class Rendezvous {
  #nodes: readonly NodeName[] = [];
  #seeds: readonly number[] = [];

  /** The nodes that may be homes; at least one. */
  set nodes(nodes: readonly NodeName[]) {
    this.#nodes = [...nodes].sort();
    this.#seeds = this.#nodes.map(hash);
  }

  /** The first of those that would be its homes if those before them went. */
  homesOf(text: string, count: number): NodeName[] {
    const key = hash(text);
    const scores = this.#nodes.map((node, at) => [mixed(key ^ this.#seeds[at]!), node] as const);
    // Of equal ones the first is the home.
    const ranked = scores.sort(([a], [b]) => b - a);
    return ranked.slice(0, count).map(([, node]) => node);
  }

  homeOf(text: string): NodeName {
    const nodes = this.#nodes;
    if (nodes.length === 1) return nodes[0]!;
    const key = hash(text);
    let best = 0;
    let highest = -1;
    for (let at = 0; at < nodes.length; at += 1) {
      const score = mixed(key ^ this.#seeds[at]!);
      if (score <= highest) continue;
      highest = score;
      best = at;
    }
    return nodes[best]!;
  }
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return mixed(value);
}

/** The end of MurmurHash3: every bit of it depends on every bit of the value. */
function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
