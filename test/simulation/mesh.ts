/**
 * The connections between the nodes of a simulation, in the place of src/distribution. They are reset, with what is under way lost and
 * each end learning of it by itself; they stay away for a while; nodes freeze.
 *
 *   up ──reset──▶ one end knows, the other sends on into nothing ──▶ both know ──▶ up again
 */
import type { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import { isPublishTerm } from '../../src/actors/pubsub/wire-messages.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Offered, PendingFrom, RemoteTarget, Transport } from '../../src/kernel/transport.ts';
import type { From, NodeName, Ref } from '../../src/kernel/types.ts';
import { HiveError, toHiveError } from '../../src/observe/errors.ts';
import type { Machine, VirtualClock } from './clock.ts';
import { Lane } from './lane.ts';

interface End {
  readonly kernel: Kernel;
  readonly table: ClusterTable;
  readonly machine: Machine | undefined;
}

/** Runs what comes from outside where a node runs. */
function arrive({ machine }: End, clock: VirtualClock, run: () => void): void {
  if (machine) machine.whenAwake(() => clock.on(machine, run));
  else run();
}

/** As many messages may wait for another node. */
const maxWaiting = 30;

/** One connection, until both ends know that it is lost. */
class Link {
  readonly #mesh: Mesh;
  readonly #ends: readonly [End, End];
  readonly #lanes: readonly [Lane, Lane];
  readonly #calls: readonly [Set<From>, Set<From>] = [new Set(), new Set()];
  readonly #knows = [true, true];
  readonly #clock: VirtualClock;
  cutAt: number | undefined;

  constructor(one: End, other: End, mesh: Mesh, clock: VirtualClock) {
    this.#mesh = mesh;
    this.#clock = clock;
    this.#ends = [one, other];
    this.#lanes = [new Lane(clock), new Lane(clock)];
  }

  /** Both ends know that it is. */
  get isLost(): boolean {
    return !this.#knows[0] && !this.#knows[1];
  }

  #side(node: NodeName): 0 | 1 {
    return this.#ends[0].kernel.node === node ? 0 : 1;
  }

  /** Whether that node believes in it. */
  isUp(node: NodeName): boolean {
    return this.#knows[this.#side(node)]!;
  }

  /** How many messages of that node wait. */
  waiting(node: NodeName): number {
    return this.#lanes[this.#side(node)].length;
  }

  up(): void {
    for (const side of [0, 1] as const) {
      const { kernel } = this.#ends[1 - side]!;
      const end = this.#ends[side];
      arrive(end, this.#clock, () => end.table.up(kernel.node, kernel.creation));
    }
  }

  stall(stalled: boolean): void {
    for (const lane of this.#lanes) lane.stall(stalled);
  }

  get isCut(): boolean {
    return this.cutAt !== undefined;
  }

  cut(clock: VirtualClock): void {
    this.cutAt = clock.now;
    for (const lane of this.#lanes) lane.cut(clock.chance(0.5) ? 0 : clock.between(0, 3));
  }

  /** An end learns that it is lost. */
  down(side: 0 | 1): void {
    if (!this.#knows[side]) return;
    this.#knows[side] = false;
    this.#lanes[1 - side]!.cut(0);
    const { node } = this.#ends[1 - side]!.kernel;
    const calls = [...this.#calls[side]];
    this.#calls[side].clear();
    arrive(this.#ends[side], this.#clock, () => {
      for (const call of calls) call.fail(new HiveError('cluster_error', `${node} is lost.`));
      this.#ends[side].table.down(node);
    });
  }

  carry(from: NodeName, to: RemoteTarget, message: unknown, call: PendingFrom | undefined): void {
    const side = this.#side(from);
    const copy: unknown = structuredClone(message);
    if (call) this.#calls[side].add(call);
    this.#lanes[side].push(1, () => {
      const end = this.#ends[1 - side]!;
      if (this.#mesh.isLost(end.kernel.node, copy)) return;
      arrive(end, this.#clock, () => {
        const target = targetIn(end.kernel, to);
        const back = call && this.#back(side, call);
        if (back && target) target.call(copy, back);
        else if (target) target.tell(copy);
        else back?.fail(new HiveError('not_running', 'Nobody is there.'));
      });
    });
  }

  #back(side: 0 | 1, call: PendingFrom): From {
    const answer = (settle: () => void) => {
      if (!this.#knows[1 - side]) return;
      this.#lanes[1 - side]!.push(1, () => {
        if (this.#calls[side].delete(call)) arrive(this.#ends[side], this.#clock, settle);
      });
    };
    return {
      reply: (value) => answer(() => call.reply(structuredClone(value))),
      fail: (error) => answer(() => call.fail(toHiveError(error))),
    };
  }
}

function targetIn(kernel: Kernel, to: RemoteTarget): Ref<unknown> | undefined {
  if ('name' in to) return kernel.whereis<unknown>(to.name);
  return kernel.local(to.id, to.serial, to.creation) as Ref<unknown> | undefined;
}

export class Mesh {
  readonly #clock: VirtualClock;
  readonly #ends = new Map<NodeName, End>();
  /** By the names of both, in order. */
  readonly #links = new Map<string, Link>();
  /** Those that are not to come back for a while, likewise. */
  readonly #parted = new Set<string>();
  readonly #frozen = new Set<NodeName>();
  /** When something of it was last not as it should be. */
  readonly #troubled = new Map<NodeName, number>();
  /** When they were frozen last. */
  readonly #frozenAt = new Map<NodeName, number>();
  /** Until when what is published for them is lost. */
  readonly #losing = new Map<NodeName, number>();
  /** Boots that were ever connected. */
  readonly #met = new Map<Kernel, Set<Kernel>>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  attach(kernel: Kernel, table: ClusterTable, machine?: Machine): void {
    kernel.transport = new MeshTransport(this, kernel.node);
    const end = { kernel, table, machine };
    this.#ends.set(kernel.node, end);
    for (const other of this.#ends.keys()) if (other !== kernel.node) this.#connect(other, kernel.node);
  }

  /** When something was last wrong between that node and another one; undefined if nothing ever was. */
  troubledAt(node: NodeName): number | undefined {
    return this.isTroubled(node) ? this.#clock.now : this.#troubled.get(node);
  }

  /** Whether a node is frozen, or lacks a connection. */
  isTroubled(node: NodeName): boolean {
    if (this.#frozen.has(node)) return true;
    for (const other of this.#ends.keys()) {
      if (other === node) continue;
      const link = this.#links.get(keyOf(node, other));
      if (!link || link.isCut || this.#frozen.has(other)) return true;
    }
    return false;
  }

  isFrozen(node: NodeName): boolean {
    return this.#frozen.has(node);
  }

  /** When it was frozen last: now, while it is. */
  frozenAt(node: NodeName): number {
    return this.isFrozen(node) ? this.#clock.now : (this.#frozenAt.get(node) ?? Number.NEGATIVE_INFINITY);
  }

  /** A node may not have heard what it was told just now. */
  disturb(node: NodeName): void {
    this.#frozenAt.set(node, this.#clock.now);
    this.#note(node);
  }

  losePublishes(node: NodeName, ms: number): void {
    this.#losing.set(node, this.#clock.now + ms);
  }

  /** @internal */
  isLost(node: NodeName, message: unknown): boolean {
    if (this.#clock.now >= (this.#losing.get(node) ?? 0)) return false;
    return isPublishTerm(message) || (message as { readonly type?: unknown }).type === 'gap';
  }

  /** Since when a node sends into nothing without knowing it. */
  deceivedSince(from: NodeName, to: NodeName): number | undefined {
    return this.link(from, to)?.cutAt;
  }

  /** Whether the two boots were ever connected. */
  haveMet(one: Kernel, other: Kernel): boolean {
    return this.#met.get(one)?.has(other) ?? false;
  }

  /** A connection is reset, and comes back after that time. */
  reset(one: NodeName, other: NodeName, awayMs: number): void {
    const key = keyOf(one, other);
    const link = this.#links.get(key);
    if (!link || link.isCut) return;
    this.#note(one, other);
    link.cut(this.#clock);
    this.#parted.add(key);
    this.#lose(key, link, 300);
    this.#clock.after(awayMs, () => {
      this.#parted.delete(key);
      this.#connect(one, other);
    });
  }

  /** The ends learn of it one after the other. */
  #lose(key: string, link: Link, withinMs: number): void {
    const learn = (side: 0 | 1) => {
      link.down(side);
      if (link.isLost && this.#links.get(key) === link) {
        this.#links.delete(key);
        const [one, other] = key.split('>') as [NodeName, NodeName];
        this.#connect(one, other);
      }
    };
    for (const side of [0, 1] as const) this.#clock.after(this.#clock.between(0, withinMs), () => learn(side));
  }

  #connect(one: NodeName, other: NodeName): void {
    const key = keyOf(one, other);
    const ends = [this.#ends.get(one), this.#ends.get(other)] as const;
    if (!ends[0] || !ends[1] || this.#links.has(key) || this.#parted.has(key)) return;
    this.#clock.after(this.#clock.between(1, 60), () => {
      const now = [this.#ends.get(one), this.#ends.get(other)];
      if (now[0] !== ends[0] || now[1] !== ends[1] || this.#links.has(key) || this.#parted.has(key)) return;
      if (this.#frozen.has(one) || this.#frozen.has(other)) return this.#connect(one, other);
      this.#note(one, other);
      const link = new Link(ends[0]!, ends[1]!, this, this.#clock);
      this.#links.set(key, link);
      this.#meet(ends[0]!.kernel, ends[1]!.kernel);
      link.up();
    });
  }

  freeze(node: NodeName, frozen: boolean): void {
    this.#note(node, ...this.#ends.keys());
    if (frozen) this.#frozen.add(node);
    else this.#frozen.delete(node);
    this.#frozenAt.set(node, this.#clock.now);
    for (const [key, link] of this.#links) {
      const ends = key.split('>') as NodeName[];
      if (ends.includes(node)) link.stall(ends.some((end) => this.#frozen.has(end)));
    }
  }

  /** A node is no more. */
  lose(node: NodeName): void {
    this.#note(...this.#ends.keys());
    this.#ends.delete(node);
    this.#frozen.delete(node);
    for (const [key, link] of this.#links) {
      if (!key.split('>').includes(node)) continue;
      link.stall(false);
      link.cut(this.#clock);
      this.#lose(key, link, 300);
    }
  }

  #meet(one: Kernel, other: Kernel): void {
    for (const [kernel, its] of [
      [one, other],
      [other, one],
    ] as const) {
      const met = this.#met.get(kernel) ?? new Set();
      this.#met.set(kernel, met.add(its));
    }
  }

  #note(...nodes: NodeName[]): void {
    for (const node of nodes) this.#troubled.set(node, this.#clock.now);
  }

  /** @internal The connection that a node believes in. */
  link(from: NodeName, to: NodeName): Link | undefined {
    const link = this.#links.get(keyOf(from, to));
    return link?.isUp(from) ? link : undefined;
  }
}

function keyOf(one: NodeName, other: NodeName): string {
  return one < other ? `${one}>${other}` : `${other}>${one}`;
}

class MeshTransport implements Transport {
  readonly #mesh: Mesh;
  readonly #node: NodeName;

  constructor(mesh: Mesh, node: NodeName) {
    this.#mesh = mesh;
    this.#node = node;
  }

  send(to: RemoteTarget, message: unknown): boolean {
    const link = this.#mesh.link(this.#node, to.node);
    link?.carry(this.#node, to, message, undefined);
    return link !== undefined;
  }

  offer(to: RemoteTarget, message: unknown): Offered {
    const link = this.#mesh.link(this.#node, to.node);
    if (!link || link.waiting(this.#node) >= maxWaiting) return 'later';
    link.carry(this.#node, to, message, undefined);
    return 'sent';
  }

  call(to: RemoteTarget, message: unknown, from: PendingFrom): void {
    const link = this.#mesh.link(this.#node, to.node);
    if (link) link.carry(this.#node, to, message, from);
    else from.fail(new HiveError('cluster_error', `${to.node} is not connected.`));
  }

  flush(): void {}

  // Nothing in a simulation uses these between nodes.

  whereis(): void {
    throw new Error('the mesh knows no names');
  }
  stop(): void {
    throw new Error('the mesh stops nobody');
  }
  link(): void {
    throw new Error('the mesh carries no links');
  }
  unlink(): void {}
  exit(): void {}
  linkExit(): void {}
  monitor(): void {
    throw new Error('the mesh carries no monitors');
  }
  demonitor(): void {}
}
