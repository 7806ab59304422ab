/**
 * The relay of a node: its streams to and from other nodes. It belongs to the node; the relay actor brings it what other
 * nodes send. A stream costs a table entry at both ends and no actor.
 *
 * Nothing stays behind: a lost node takes its streams with it; one end that is lost tells the other; a signal for an unknown
 * stream is answered with `lost`; a relay that was restarted, and so may have lost signals, says that it has started anew.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import type { TimingWheel } from '../../kernel/timers.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { Flow } from '../../web/client/relay/flow.ts';
import {
  type ChunkMessage,
  isChunk,
  type RelayMessage,
  relayName,
  type Side,
  type SignalMessage,
  signalIn,
} from '../../web/client/relay/messages.ts';
import type {
  RelayEnd,
  RelayHost,
  RelayStream,
  Relays,
  RequestHead,
  ReturnHead,
  ToEntry,
  ToOwner,
} from '../../web/client/relay/relay.ts';
import { Stream, type StreamKind } from '../../web/client/relay/stream.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';

type EntryStream = Stream<ToEntry, ToOwner>;
type OwnerStream = Stream<ToOwner, ToEntry>;

export interface RelaySetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterTable;
  /** What may wait for another node before the link to it is dropped; of that, relays take a small part. */
  readonly maxQueueBytes: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A link carries calls and publishes, too. And a string may be three times as many bytes as it is long. */
const partOfQueue = 8;
/** How long clients that return wait for a node that is lost, ms since then: a link that was reset is back in less. */
const patienceMs = 2000;
/** With less, each message would wait for the note of the one before. */
const minBudget = 2 * Flow.noteWeight;

export class RelayService implements Relays {
  readonly #cluster: ClusterTable;
  readonly #log: Log;
  readonly #counters: Record<'forwarded' | 'accepted' | 'lost' | 'errors', Counter>;
  /** Streams of clients that are here, by number. */
  readonly #entries = new Map<number, EntryStream>();
  /** Streams of sessions that are here, by the node that has the client. */
  readonly #owned = new Map<NodeName, Map<number, OwnerStream>>();
  /** The ways to the connected nodes. */
  readonly #flows = new Map<NodeName, Flow>();
  readonly #budget: number;
  #host: RelayHost | undefined;
  readonly #wheel: TimingWheel;
  #lastStream = 0;

  constructor({ kernel, cluster, maxQueueBytes, log, metrics }: RelaySetup) {
    this.#cluster = cluster;
    this.#log = log;
    this.#wheel = kernel.wheel;
    this.#budget = Math.max(minBudget, Math.floor(maxQueueBytes / partOfQueue));
    this.#counters = metrics.counters('hive.relay', ['forwarded', 'accepted', 'lost', 'errors']);
    metrics.gauge('hive.relay.entries', () => this.#count('owner', ['request', 'socket']));
    metrics.gauge('hive.relay.owned', () => this.#count('entry', ['request', 'socket']));
    metrics.gauge('hive.relay.returned.entries', () => this.#count('owner', ['return']));
    metrics.gauge('hive.relay.returned.owned', () => this.#count('entry', ['return']));
    metrics.gauge('hive.relay.waiting_bytes', () => this.#countWaiting());
    cluster.listen({
      nodeUp: (node) => {
        this.#flows.set(node, new Flow(kernel.remote<RelayMessage>(node, relayName), cluster.self, this.#budget));
      },
      nodeDown: (node) => {
        this.#lose(node);
        this.#flows.delete(node);
      },
    });
  }

  // --- Relays

  ownerOf(id: string): NodeName | undefined {
    const owner = this.#cluster.ownerOf(id);
    return owner === this.#cluster.self ? undefined : owner;
  }

  otherNode(node: string): NodeName | undefined {
    return node === this.#cluster.self ? undefined : this.#cluster.nodes().find((one) => one === node);
  }

  awaitOwner(id: string): Promise<NodeName | undefined> | undefined {
    const lostAt = this.#cluster.lostAt(id);
    const leftMs = lostAt === undefined ? 0 : lostAt + patienceMs - performance.now();
    if (leftMs <= 0) return undefined;
    return new Promise((resolve) => {
      const listening = this.#cluster.listen({ nodeUp: () => settle(), nodeDown: () => {}, nodeGone: () => settle() });
      const timer = this.#wheel.schedule(leftMs, () => settle(true));
      // That boot has come back, or another one, or nobody will.
      const settle = (isOver = false) => {
        if (!isOver && this.#cluster.lostAt(id) !== undefined) return;
        listening[Symbol.dispose]();
        timer.cancel();
        resolve(this.ownerOf(id));
      };
    });
  }

  open(owner: NodeName, head: RequestHead | ReturnHead, end: RelayEnd<ToEntry>): RelayStream<ToOwner> {
    if (head.kind !== 'return') this.#counters.forwarded.value += 1;
    this.#lastStream += 1;
    const number = this.#lastStream;
    const { self } = this.#cluster;
    const flow = this.#flows.get(owner)!;
    const stream: EntryStream = new Stream({ self, flow, number, to: 'owner', table: this.#entries, kind: head.kind });
    stream.end = end;
    flow.send({ type: 'open', node: self, stream: number, opening: head });
    return stream;
  }

  load(node: NodeName): number {
    return this.#flows.get(node)?.load ?? 0;
  }

  get maxHeld(): number {
    return this.#budget;
  }

  serve(host: RelayHost): Disposable {
    this.#host = host;
    return { [Symbol.dispose]: () => this.#close(host) };
  }

  #close(host: RelayHost): void {
    if (this.#host !== host) return;
    this.#host = undefined;
    for (const stream of this.#all()) this.#end(stream);
  }

  #end(stream: EntryStream | OwnerStream): void {
    stream.tellLost();
    this.#guard(stream, () => stream.lost());
  }

  /** For each client that is here and has its session elsewhere: ends its connection, so that it turns to another node. */
  get farewells(): (() => void)[] {
    return [...this.#entries.values()].map((stream) => () => this.#end(stream));
  }

  // --- what other nodes send

  /** The relay actor has (re)started: whatever was sent to its predecessor may not have been handled. */
  started(): void {
    for (const stream of this.#all()) this.#guard(stream, () => stream.lost());
    const { self } = this.#cluster;
    for (const flow of this.#flows.values()) {
      flow.reset();
      flow.relay.tell({ type: 'started', node: self });
    }
  }

  /** Something has come that is no message. */
  refuse(): void {
    this.#counters.errors.value += 1;
    if (this.#log.excess('The relay does not understand', 'peers')) return;
    this.#log.warning('The relay got something that it does not understand');
  }

  receive(message: RelayMessage): void {
    const flow = this.#flows.get(isChunk(message) ? message[0] : message.node);
    // It has been lost since it sent this, and its streams with it.
    if (!flow) return;
    if (isChunk(message)) this.#deliver(flow, signalIn(message));
    else this.#perform(flow, message);
    flow.received(message);
  }

  #perform(flow: Flow, message: Exclude<RelayMessage, ChunkMessage>): void {
    switch (message.type) {
      case 'open':
        return this.#accept(flow, message.stream, message.opening);
      case 'signal':
        return this.#deliver(flow, message);
      case 'credit':
        return flow.credit(message.weight);
      case 'lost': {
        const stream = this.#find(message.node, message.stream, message.to);
        if (stream) this.#guard(stream, () => stream.lost());
        return;
      }
      case 'started':
        this.#lose(message.node);
        return flow.reset();
    }
  }

  #accept(flow: Flow, number: number, head: RequestHead | ReturnHead): void {
    const { node } = flow;
    let table = this.#owned.get(node);
    if (!table) {
      table = new Map();
      this.#owned.set(node, table);
    }
    const { self } = this.#cluster;
    const stream: OwnerStream = new Stream({ self, flow, number, to: 'entry', table, kind: head.kind });
    const host = this.#host;
    if (!host) {
      stream.tellLost();
      stream.lost();
      return;
    }
    if (head.kind !== 'return') this.#counters.accepted.value += 1;
    this.#guard(stream, () => {
      stream.end = host.open(head, stream);
    });
  }

  #deliver(flow: Flow, { node, stream: number, to, signal, last }: SignalMessage): void {
    const stream = this.#find(node, number, to) as Stream<ToOwner | ToEntry, never> | undefined;
    if (stream) {
      try {
        stream.receive(signal, last);
      } catch (error) {
        this.#crashed(stream, error);
      }
    } else if (!last) {
      // Both ends may have closed it at the same time, or this one has lost it.
      const other = to === 'owner' ? 'entry' : 'owner';
      flow.send({ type: 'lost', node: this.#cluster.self, stream: number, to: other });
    }
  }

  #find(node: NodeName, number: number, side: Side): EntryStream | OwnerStream | undefined {
    if (side === 'owner') return this.#owned.get(node)?.get(number);
    const stream = this.#entries.get(number);
    return stream?.peer === node ? stream : undefined;
  }

  /** A node is lost, or has lost all streams. */
  #lose(node: NodeName): void {
    for (const stream of this.#all()) {
      if (stream.peer !== node) continue;
      this.#counters.lost.value += 1;
      this.#guard(stream, () => stream.lost());
    }
    this.#owned.delete(node);
  }

  /** A programming error in one stream is the loss of that stream only. */
  #guard(stream: EntryStream | OwnerStream, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#crashed(stream, error);
    }
  }

  #crashed(stream: Pick<EntryStream | OwnerStream, 'tellLost' | 'lost'>, error: unknown): void {
    this.#counters.errors.value += 1;
    const isLogged = !this.#log.excess('relaying failed', 'streams', 'error');
    if (isLogged) this.#log.crash('relaying failed', { error });
    stream.tellLost();
    try {
      stream.lost();
    } catch (second) {
      if (isLogged) this.#log.crash('giving up a relayed stream failed', { error: second });
    }
  }

  #all(): (EntryStream | OwnerStream)[] {
    const all: (EntryStream | OwnerStream)[] = [...this.#entries.values()];
    for (const table of this.#owned.values()) all.push(...table.values());
    return all;
  }

  #countWaiting(): number {
    let bytes = 0;
    for (const flow of this.#flows.values()) bytes += flow.waiting;
    return bytes;
  }

  /** Streams whose other end is that one. */
  #count(to: Side, kinds: readonly StreamKind[]): number {
    return this.#all().filter((stream) => stream.to === to && kinds.includes(stream.kind)).length;
  }
}
