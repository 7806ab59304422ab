/**
 * The table of peers: dials, accepts, settles who wins when both happen at once, and raises `nodeup` and `nodedown`.
 *
 *   (absent) ──connect──▶ connecting ──handshake──▶ up ──link closed──▶ (absent)
 *      └──────accepted, and the cookie proven────────┘└── the same node, alive again: replaced
 *
 * When two nodes dial each other at the same moment, the dial of the node with the greater name goes on: it refuses the
 * other's. The lesser one lets it in and goes on as well, to be refused. What comes in has no effect before it has proven the
 * cookie; see claims.ts.
 */
import type { Server, Socket } from 'node:net';
import type { NodeName } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import { events } from '../observe/events.ts';
import { sourceOf } from '../observe/source.ts';
import { Claims } from './claims.ts';
import { atom, tuple } from './codec/terms.ts';
import { DistConnection } from './dist-connection.ts';
import { DistSession, type DistSessionContext } from './dist-session.ts';
import { hostOf, lookUp, NotRegistered, shortName } from './epmd/epmd.ts';
import { HandshakeError, type Peer, type Self, type Status } from './handshake.ts';
import { answer, initiate, type Negotiated, type NegotiateOptions, setupTimeoutMs } from './negotiate.ts';
import type { Sockets } from './sockets.ts';

/** How long a connected node may take to show that it is there, when another comes under its name. */
const probeTimeoutMs = 1000;
const dialTimeoutMs = 3000;
/** One of the range may hang, and others are behind it. */
const guessTimeoutMs = 1000;

export interface NodeUp {
  readonly node: NodeName;
  readonly creation: number;
  /** One of ours, not an Erlang node. */
  readonly hive: boolean;
}

export interface NodeDown extends NodeUp {
  readonly reason: string;
}

export interface PeersOptions {
  readonly self: Self;
  readonly context: DistSessionContext;
  readonly sockets: Sockets;
  readonly epmdPort: () => number;
  readonly portMin: number;
  readonly portMax: number;
  readonly tickTimeMs: number;
  readonly maxFrame: number;
  readonly onUp: (event: NodeUp) => void;
  readonly onDown: (event: NodeDown) => void;
}

interface Dial {
  aborted: boolean;
  /** The socket, once the other side may have heard our name. */
  socket: Socket | undefined;
}

interface Entry {
  readonly node: NodeName;
  readonly session: DistSession;
  readonly ready: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  dial: Dial | undefined;
  /** Whether the connected node still answers, if that is being asked. */
  probe: Promise<boolean> | undefined;
  patience: NodeJS.Timeout | undefined;
  link: DistConnection | undefined;
  peer: Peer | undefined;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #negotiate: NegotiateOptions;
  readonly #table = new Map<string, Entry>();
  readonly #handshakes = new Set<Socket>();
  readonly #claims = new Claims();
  #server: Server | undefined;
  #ownPort = 0;
  #stopped = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { self, sockets, maxFrame } = options;
    this.#negotiate = { self, headerSize: sockets.handshakeHeader, maxFrame };
  }

  /** Connections come in through this server, which listens on `port`. */
  serve(server: Server, port: number): void {
    this.#server = server;
    this.#ownPort = port;
  }

  /** The session with a node that is connected or being connected. */
  session(node: string): DistSession | undefined {
    return this.#table.get(node)?.session;
  }

  /** Everybody who is connected. */
  up(): NodeUp[] {
    const all: NodeUp[] = [];
    for (const { node, peer, link } of this.#table.values()) {
      if (link && peer) all.push({ node, creation: peer.creation, hive: peer.hive });
    }
    return all;
  }

  /** Bytes that wait for all peers together. */
  queued(): number {
    let bytes = 0;
    for (const { session } of this.#table.values()) bytes += session.outbox.queued;
    return bytes;
  }

  /** Bytes that wait for the peer for which most wait. */
  maxQueued(): number {
    let bytes = 0;
    for (const { session } of this.#table.values()) bytes = Math.max(bytes, session.outbox.queued);
    return bytes;
  }

  /**
   * Connects; resolves when connected, at once if so already. What is sent meanwhile waits and keeps its order.
   * @param port tried before EPMD is asked
   * @throws HiveError `name_taken` if the node knows another one of our name, `cluster_error` for all other failures
   */
  connect(node: string, port?: number): Promise<void> {
    const { self } = this.#options;
    if (this.#stopped || node === self.node) {
      return Promise.reject(new HiveError('cluster_error', `${self.node} cannot connect to ${node}.`));
    }
    const present = this.#table.get(node);
    if (present) return present.ready;
    const entry = this.#enter(node);
    this.#dial(entry, port);
    return entry.ready;
  }

  /** Drops the connection, or the attempt at one. False if there was none. */
  disconnect(node: string, reason = 'disconnect', graceful = false): boolean {
    const entry = this.#table.get(node);
    if (!entry) return false;
    this.#abortDial(entry);
    this.#claims.drop(node);
    if (!entry.link) this.#fail(entry, new Error(reason));
    else {
      entry.session.outbox.flush();
      entry.link.close(reason, graceful);
    }
    return true;
  }

  stop(reason = 'shutdown'): void {
    this.#stopped = true;
    this.#server?.close();
    for (const node of [...this.#table.keys()]) this.disconnect(node, reason, true);
    for (const socket of this.#handshakes) socket.destroy();
  }

  #enter(node: string): Entry {
    let resolve = () => {};
    let reject: (error: Error) => void = () => {};
    const ready = new Promise<void>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // Whoever cares awaits it; an accepted connection that fails has nobody who does.
    ready.catch(() => {});
    const entry: Entry = {
      node: node as NodeName,
      session: new DistSession(node as NodeName, this.#options.context),
      ready,
      resolve,
      reject,
      dial: undefined,
      probe: undefined,
      patience: undefined,
      link: undefined,
      peer: undefined,
    };
    this.#table.set(node, entry);
    return entry;
  }

  // --- dialling

  async #dial(entry: Entry, port: number | undefined): Promise<void> {
    const dial: Dial = { aborted: false, socket: undefined };
    entry.dial = dial;
    const reached = await this.#reach(entry, dial, port).catch((error: Error) => error);
    if (dial.aborted) {
      if (!(reached instanceof Error)) reached.socket.destroy();
      return;
    }
    entry.dial = undefined;
    if (!(reached instanceof Error)) return this.#connected(entry, reached);
    if (reached instanceof HandshakeError && reached.kind === 'simultaneous') return this.#awaitTheirs(entry, reached);
    // Our dial may have been dropped because theirs is about to succeed.
    await this.#claims.settled(entry.node);
    if (!entry.link) this.#fail(entry, reached);
  }

  /** The other side dials us at this moment and its dial goes first; it has the time of one set-up. */
  #awaitTheirs(entry: Entry, failure: Error): void {
    entry.patience = setTimeout(() => {
      if (!entry.link) this.#fail(entry, failure);
    }, setupTimeoutMs);
  }

  /** Tries the given port, else what EPMD says, else (without EPMD, or where it says nothing) the ports of the range. */
  async #reach(entry: Entry, dial: Dial, port: number | undefined): Promise<Negotiated> {
    const host = hostOf(entry.node);
    if (port !== undefined) {
      try {
        return await this.#greet(entry, dial, host, port, false);
      } catch (error) {
        if (error instanceof HandshakeError && error.kind !== 'wrong_node') throw error;
      }
    }
    let found: number | undefined;
    try {
      found = await lookUp(host, this.#options.epmdPort(), shortName(entry.node));
    } catch (error) {
      return this.#search(entry, dial, host, error as Error);
    }
    if (found === undefined) throw new NotRegistered(`${entry.node} is not registered with the EPMD of its host`);
    return this.#greet(entry, dial, host, found, false);
  }

  async #search(entry: Entry, dial: Dial, host: string, why: Error): Promise<Negotiated> {
    const { portMin, portMax, self } = this.#options;
    let last = why;
    for (let port = portMin; port > 0 && port <= portMax && !dial.aborted; port += 1) {
      if (port === this.#ownPort && host === hostOf(self.node)) continue;
      try {
        return await this.#greet(entry, dial, host, port, true);
      } catch (error) {
        // The host itself is not to be reached: on no port.
        if (!(error instanceof HandshakeError) && !isRefused(error)) throw error;
        last = error as Error;
      }
    }
    throw last;
  }

  /** @param guessing the port may be anybody's: nobody else's connection may suffer */
  async #greet(entry: Entry, dial: Dial, host: string, port: number, guessing: boolean): Promise<Negotiated> {
    const socket = await this.#options.sockets.connect(host, port, dialTimeoutMs);
    await this.#claims.settled(entry.node);
    if (dial.aborted) {
      socket.destroy();
      throw new Error('aborted');
    }
    dial.socket = socket;
    try {
      const patienceMs = guessing ? guessTimeoutMs : setupTimeoutMs;
      return await initiate(socket, this.#negotiate, entry.node, () => !guessing && !entry.link, patienceMs);
    } finally {
      dial.socket = undefined;
    }
  }

  #abortDial(entry: Entry): void {
    if (!entry.dial) return;
    entry.dial.aborted = true;
    entry.dial.socket?.destroy();
    entry.dial = undefined;
  }

  // --- accepting

  /** A socket came in. */
  async accept(socket: Socket): Promise<void> {
    let node: string | undefined;
    // A socket that was closed has forgotten it.
    const address = socket.remoteAddress ?? 'an unknown address';
    this.#handshakes.add(socket);
    const negotiated = await answer(socket, this.#negotiate, async (peer) => {
      const status = await this.#decide(peer);
      if (status === 'nok' || status === 'not_allowed') return status;
      node = peer.node;
      this.#claims.add(node, socket);
      return status;
    }).catch((error: Error) => error);
    this.#handshakes.delete(socket);
    if (negotiated instanceof Error) {
      this.#refused(address, negotiated);
    } else if (this.#stopped) {
      socket.destroy();
    } else {
      const { peer } = negotiated;
      this.#connected(this.#table.get(peer.node) ?? this.#enter(peer.node), negotiated);
    }
    if (node !== undefined) this.#claims.delete(node, socket);
  }

  #refused(address: string, error: Error): void {
    const { log } = this.#options.context;
    const text = `refused a connection from ${address}: ${error.message}`;
    // Whoever is refused has proven nothing, and may come as often as it likes.
    if (error instanceof HandshakeError && error.kind === 'cookie') {
      if (!log.excess('refused a connection', sourceOf(address))) log.warning(text);
    } else if (!log.excess('a handshake of another node failed', sourceOf(address), 'debug')) log.debug(text);
  }

  /** How far a claim may go on. Whoever makes it has proven nothing yet, so nothing is changed here. */
  async #decide(peer: Peer): Promise<Status> {
    const { self, context } = this.#options;
    if (this.#stopped) return 'not_allowed';
    if (peer.node === self.node) {
      const { log } = context;
      if (peer.creation !== self.creation && !log.excess('another node has our name', self.node, 'error')) {
        log.error(`another node calls itself ${self.node}`);
      }
      return 'not_allowed';
    }
    const entry = this.#table.get(peer.node);
    if (!entry) return 'ok';
    if (entry.link) {
      if (entry.peer?.creation === peer.creation) return 'alive';
      return this.#decideBetween(entry, peer);
    }
    // The dial of one that has not said our name yet waits for this claim.
    if (!entry.dial?.socket) return 'ok';
    return Buffer.compare(Buffer.from(self.node), Buffer.from(peer.node)) > 0 ? 'nok' : 'ok_simultaneous';
  }

  /**
   * A node of that name is connected. If it still answers, the newcomer bears a taken name; else it is its next life, should
   * it know the cookie.
   */
  async #decideBetween(entry: Entry, peer: Peer): Promise<Status> {
    entry.probe ??= this.#answers(entry);
    if (!(await entry.probe)) return 'ok';
    const { log } = this.#options.context;
    if (!log.excess('refused a second node of a name', peer.node)) {
      log.warning(`refused a second node named ${peer.node}: the first one is connected`);
    }
    return 'not_allowed';
  }

  #answers(entry: Entry): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (answered: boolean) => {
        clearTimeout(timer);
        waiting.settled?.();
        entry.probe = undefined;
        resolve(answered);
      };
      const waiting = {
        settled: undefined as (() => void) | undefined,
        reply: () => settle(true),
        fail: () => settle(false),
      };
      const timer = setTimeout(() => settle(false), probeTimeoutMs);
      const question = tuple(atom('is_auth'), atom(this.#options.self.node));
      entry.session.call({ node: entry.node, name: 'net_kernel' }, question, waiting);
    });
  }

  // --- up and down

  #connected(given: Entry, { socket, reader, peer }: Negotiated): void {
    let entry = given;
    if (entry.link) {
      entry.link.close(entry.peer?.creation === peer.creation ? 'replaced' : 'restarted');
      entry = this.#table.get(peer.node) ?? this.#enter(peer.node);
    } else if (this.#table.get(peer.node) !== entry) {
      return void socket.destroy();
    }
    clearTimeout(entry.patience);
    this.#abortDial(entry);
    entry.peer = peer;
    const { context, tickTimeMs, onUp } = this.#options;
    const link: DistConnection = new DistConnection({
      socket,
      reader,
      tickTimeMs,
      maxQueueBytes: context.maxQueueBytes,
      onFrame: (bytes, start, end) => entry.session.receive(bytes, start, end),
      onFrames: () => context.kernel.runQueue.runNow(),
      onClose: (reason) => this.#closed(entry, peer, reason),
    });
    entry.link = link;
    entry.session.outbox.attach(link);
    context.log.info(`connected with ${peer.node}`, { peer: peer.node, creation: peer.creation, hive: peer.hive });
    const { creation, hive } = peer;
    if (events.linkUp.hasSubscribers) {
      events.linkUp.publish({ node: this.#options.self.node, peer: entry.node, creation, hive });
    }
    onUp({ node: entry.node, creation, hive });
    link.start();
    entry.resolve();
  }

  #closed(entry: Entry, peer: Peer, reason: string): void {
    if (this.#table.get(entry.node) === entry) this.#table.delete(entry.node);
    entry.session.end(reason);
    this.#options.context.log.info(`connection with ${entry.node} ended: ${reason}`, { peer: entry.node, reason });
    const { creation, hive } = peer;
    if (events.linkDown.hasSubscribers) {
      events.linkDown.publish({ node: this.#options.self.node, peer: entry.node, creation, hive, reason });
    }
    this.#options.onDown({ node: entry.node, creation, hive, reason });
  }

  #fail(entry: Entry, error: Error): void {
    clearTimeout(entry.patience);
    if (this.#table.get(entry.node) === entry) this.#table.delete(entry.node);
    entry.session.end(error.message);
    const refused = error instanceof HandshakeError && error.kind === 'refused';
    const text = `Cannot connect to ${entry.node}: ${error.message}`;
    entry.reject(new HiveError(refused ? 'name_taken' : 'cluster_error', text, { cause: error }));
  }
}

/** Nobody listens on that port, or somebody does who wants nothing of us. */
function isRefused(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET';
}
