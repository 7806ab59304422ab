/**
 * A stand-in for the network between kernels of one process: messages are copied, keep their order per pair of nodes, and
 * arrive in later turns of the event loop, as a seeded generator says; so that tests meet orders of events that are rare on a real one.
 */
import type { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Offered, PendingFrom, RemoteTarget, Transport } from '../../src/kernel/transport.ts';
import type { From, NodeName, Ref } from '../../src/kernel/types.ts';
import { HiveError, toHiveError } from '../../src/observe/errors.ts';

interface End {
  readonly kernel: Kernel;
  readonly table: ClusterTable;
}

/** One direction of one connection. */
class Lane {
  readonly #queue: (() => void)[] = [];
  readonly #random: () => number;
  closed = false;
  #held = false;
  constructor(random: () => number) {
    this.#random = random;
  }

  get idle(): boolean {
    return this.closed || this.#queue.length === 0;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  hold(held: boolean): void {
    this.#held = held;
    if (!held && this.#queue.length > 0) this.#drain();
  }

  push(arrive: () => void): void {
    this.#queue.push(arrive);
    if (this.#queue.length === 1 && !this.#held) this.#drain();
  }

  #drain(): void {
    setImmediate(() => {
      for (let burst = Math.floor(this.#random() * 4); burst > 0 && this.#queue.length > 0; burst -= 1) {
        const arrive = this.#queue.shift()!;
        if (!this.closed) arrive();
      }
      if (this.#queue.length > 0 && !this.closed && !this.#held) this.#drain();
    });
  }
}

export class Wire {
  readonly #ends = new Map<NodeName, End>();
  readonly #lanes = new Map<string, Lane>();
  readonly #calls = new Map<string, Set<From>>();
  readonly #random: () => number;
  /** How many messages and calls went from node to node, by their type. */
  readonly crossed = new Map<string, number>();
  /** Called when what a node has sent is to leave at once: here it does so anyway. */
  onFlush: (from: NodeName) => void = () => {};

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return [...this.#lanes.values()].every((lane) => lane.idle);
  }

  attach(kernel: Kernel, table: ClusterTable): void {
    this.#ends.set(kernel.node, { kernel, table });
    kernel.transport = new WireTransport(this, kernel.node);
  }

  /** Keeps back what one node sends to another, or lets it go. */
  hold(from: Kernel, to: Kernel, held = true): void {
    this.#lanes.get(`${from.node}>${to.node}`)!.hold(held);
  }

  /** Messages that are kept back. */
  waiting(from: Kernel, to: Kernel): number {
    return this.#lanes.get(`${from.node}>${to.node}`)!.waiting;
  }

  connect(a: Kernel, b: Kernel): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#lanes.set(`${from.node}>${to.node}`, new Lane(this.#random));
      this.#ends.get(from.node)!.table.up(to.node, to.creation);
    }
  }

  disconnect(a: Kernel, b: Kernel): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const key = `${from.node}>${to.node}`;
      const lane = this.#lanes.get(key);
      if (lane) lane.closed = true;
      this.#lanes.delete(key);
      for (const call of this.#calls.get(key) ?? []) call.fail(new HiveError('cluster_error', `${to.node} is lost.`));
      this.#calls.delete(key);
      this.#ends.get(from.node)!.table.down(to.node);
    }
  }

  /** @internal */
  carry(from: NodeName, to: RemoteTarget, message: unknown, call?: PendingFrom): boolean {
    const key = `${from}>${to.node}`;
    const lane = this.#lanes.get(key);
    if (!lane) {
      call?.fail(new HiveError('cluster_error', `${to.node} is not connected.`));
      return false;
    }
    const type = (message as { type?: string }).type ?? 'other';
    this.crossed.set(type, (this.crossed.get(type) ?? 0) + 1);
    const copy: unknown = structuredClone(message);
    lane.push(() => {
      const target = this.#target(to);
      const back = call && this.#back(key, to.node, from, call);
      if (back && target) target.call(copy, back);
      else if (target) target.tell(copy);
      else back?.fail(new HiveError('not_running', 'Nobody is there.'));
    });
    if (call) {
      const calls = this.#calls.get(key) ?? new Set();
      calls.add(call);
      this.#calls.set(key, calls);
    }
    return true;
  }

  #back(key: string, answerer: NodeName, asker: NodeName, call: PendingFrom): From {
    const answer = (settle: () => void) => {
      this.#lanes.get(`${answerer}>${asker}`)?.push(() => {
        this.#calls.get(key)?.delete(call);
        settle();
      });
    };
    return {
      reply: (value) => answer(() => call.reply(structuredClone(value))),
      fail: (error) => answer(() => call.fail(toHiveError(error))),
    };
  }

  #target(to: RemoteTarget): Ref<unknown> | undefined {
    const { kernel } = this.#ends.get(to.node)!;
    if ('name' in to) return kernel.whereis<unknown>(to.name);
    return kernel.local(to.id, to.serial, to.creation) as Ref<unknown> | undefined;
  }
}

class WireTransport implements Transport {
  readonly #wire: Wire;
  readonly #node: NodeName;
  constructor(wire: Wire, node: NodeName) {
    this.#wire = wire;
    this.#node = node;
  }

  send(to: RemoteTarget, message: unknown): boolean {
    return this.#wire.carry(this.#node, to, message);
  }

  offer(to: RemoteTarget, message: unknown): Offered {
    return this.send(to, message) ? 'sent' : 'later';
  }

  flush(): void {
    this.#wire.onFlush(this.#node);
  }

  call(to: RemoteTarget, message: unknown, from: PendingFrom): void {
    this.#wire.carry(this.#node, to, message, from);
  }

  whereis(): void {
    throw new Error('the wire knows no names');
  }
  stop(): void {
    throw new Error('the wire stops nobody');
  }
  link(): void {
    throw new Error('the wire carries no links');
  }
  unlink(): void {}
  exit(): void {}
  linkExit(): void {}
  monitor(): void {
    throw new Error('the wire carries no monitors');
  }
  demonitor(): void {}
}

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
