/**
 * The distribution layer of one node: every Hive node is a hidden Erlang node. This is what the rest of the system uses.
 *
 *   kernel ◀──▶ DistributionTransport ──▶ Peers ──▶ Session ──▶ Outbox ──▶ Link ──▶ socket
 *      ▲                                               │                     │
 *      └───────────── messages, signals ───────────────┴───── frames ────────┘
 *
 * It listens on the host of the node's name. Membership, in membership.ts, decides whom to connect with.
 */
import type { Kernel } from '../kernel/kernel.ts';
import type { From } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { Atom, atom, isAtom, Tuple } from './codec/terms.ts';
import type { Builtin } from './dist-session.ts';
import { hostOf } from './epmd/epmd.ts';
import { EpmdRegistration } from './epmd/registration.ts';
import { type NodeDown, type NodeUp, Peers } from './peers.ts';
import { describeTerm } from './reasons.ts';
import { listenInRange, type Sockets, tcp } from './sockets.ts';
import { DistributionTransport } from './transport.ts';

export interface DistributionOptions {
  readonly kernel: Kernel;
  /** Shared secret of the nodes. */
  readonly cookie: string;
  /** Range of ports (inclusive) from which the listener takes the first free one; 0 and 0: any. */
  readonly portMin: number;
  readonly portMax: number;
  /** 0: an EPMD of this node's own, on any port (tests). */
  readonly epmdPort: number;
  /** A peer that is silent for this long is lost. */
  readonly netTicktimeMs: number;
  /** Outgoing bytes that may wait for one peer before it is dropped. */
  readonly maxQueueBytes: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Address to listen on; the host of the node's name by default. */
  readonly host?: string;
  /** Bytes of an incoming frame. */
  readonly maxFrameBytes: number;
  /** Nesting of an incoming term. */
  readonly maxDepth: number;
  /** Items of lists, tuples and maps in an incoming frame. */
  readonly maxElements: number;
  /** Atoms of incoming terms that are kept for reuse, for each peer. */
  readonly maxAtoms: number;
  /** TCP by default. */
  readonly sockets?: Sockets;
}

export class Distribution {
  readonly node: string;
  readonly creation: number;
  readonly #peers: Peers;
  readonly #registration: EpmdRegistration;
  readonly #kernel: Kernel;
  readonly #builtins: Map<string, Builtin>;
  readonly #upListeners = new Set<(event: NodeUp) => void>();
  readonly #downListeners = new Set<(event: NodeDown) => void>();
  /** Where other nodes reach this one. */
  readonly port: number;

  /** @internal Use `startDistribution`. */
  constructor(parts: {
    kernel: Kernel;
    port: number;
    registration: EpmdRegistration;
    builtins: Map<string, Builtin>;
    makePeers: (onUp: (event: NodeUp) => void, onDown: (event: NodeDown) => void) => Peers;
  }) {
    this.#kernel = parts.kernel;
    this.node = parts.kernel.node;
    this.creation = parts.kernel.creation;
    this.port = parts.port;
    this.#registration = parts.registration;
    this.#builtins = parts.builtins;
    this.#peers = parts.makePeers(
      (event) => {
        for (const listener of this.#upListeners) listener(event);
      },
      (event) => {
        for (const listener of this.#downListeners) listener(event);
      },
    );
  }

  /** @internal */
  get peers(): Peers {
    return this.#peers;
  }

  /** The EPMD in use. */
  get epmdPort(): number {
    return this.#registration.epmdPort;
  }

  /** True while this node serves EPMD for its machine. */
  get servesEpmd(): boolean {
    return this.#registration.serves;
  }

  /**
   * Connects with a node; resolves when connected. What is sent to it meanwhile waits and keeps its order.
   * @param port tried before EPMD is asked
   * @throws HiveError `name_taken` if that node knows another one of our name, `cluster_error` for other failures
   */
  connect(node: string, port?: number): Promise<void> {
    return this.#peers.connect(node, port);
  }

  /** Drops the connection with a node. False if there was none. */
  disconnect(node: string, reason?: string): boolean {
    return this.#peers.disconnect(node, reason);
  }

  /** The names of all connected nodes, Erlang nodes included. */
  nodes(): string[] {
    return this.#peers.up().map((peer) => peer.node);
  }

  /** The connected Hive nodes; this one is not among them. */
  members(): NodeUp[] {
    return this.#peers.up().filter((peer) => peer.hive);
  }

  /** Called after a node was connected, before anything it sends is handled, until what is returned is disposed of. */
  onNodeUp(listener: (event: NodeUp) => void): Disposable {
    this.#upListeners.add(listener);
    return { [Symbol.dispose]: () => this.#upListeners.delete(listener) };
  }

  /** Called after a node was lost and everything that relied on it was told, until what is returned is disposed of. */
  onNodeDown(listener: (event: NodeDown) => void): Disposable {
    this.#downListeners.add(listener);
    return { [Symbol.dispose]: () => this.#downListeners.delete(listener) };
  }

  /** Answers a registered name within this layer, without an actor. */
  handle(name: string, builtin: Builtin): void {
    this.#builtins.set(name, builtin);
  }

  /** Sends to a name on a connected node. False if it is not connected. */
  tell(node: string, name: string, message: unknown): boolean {
    const session = this.#peers.session(node);
    return session?.send({ node: session.node, name }, message) ?? false;
  }

  /**
   * Leaves: sends what is still queued, closes all connections and the listener, and gives the name back.
   * @param reason why the connections end, for those who are told on this node
   */
  stop(reason?: string): void {
    this.#kernel.transport = undefined;
    this.#peers.stop(reason);
    this.#registration.stop();
  }
}

/**
 * Starts to listen, registers with EPMD (or serves it), and connects the kernel.
 * @throws HiveError `name_taken` if a node of that name is running, `port_taken` if no port of the range is free,
 *   `cluster_error` if the host's address cannot be listened on
 */
export async function startDistribution(options: DistributionOptions): Promise<Distribution> {
  const { kernel, cookie, log, metrics, portMin, portMax } = options;
  const sockets = options.sockets ?? tcp;
  const builtins = new Map<string, Builtin>([
    ['net_kernel', answerPing],
    ['rex', (message, from) => answerWhereis(kernel, message, from)],
  ]);
  const names = ['received', 'sent', 'errors'] as const;
  const counters = metrics.counters('hive.distribution', names);
  const context = {
    kernel,
    log,
    maxQueueBytes: options.maxQueueBytes,
    maxDepth: options.maxDepth,
    maxElements: options.maxElements,
    maxAtoms: options.maxAtoms,
    maxFrameBytes: options.maxFrameBytes,
    builtins,
    ...counters,
  };
  let peers: Peers | undefined;
  const server = sockets.listen((socket) => {
    if (peers) peers.accept(socket);
    else socket.destroy();
  });
  const host = options.host ?? hostOf(kernel.node);
  const port = await listenInRange(server, host, portMin, portMax).catch((error: NodeJS.ErrnoException) => {
    const range = portMin === portMax ? `port ${portMin}` : `any port of ${portMin}–${portMax}`;
    const code = error.code === 'EADDRINUSE' ? 'port_taken' : 'cluster_error';
    throw new HiveError(code, `Cannot listen for other nodes on ${range} of ${host}: ${error.message}`);
  });
  const registration = new EpmdRegistration({ node: kernel.node, port, epmdPort: options.epmdPort, log });
  const distribution = new Distribution({
    kernel,
    port,
    registration,
    builtins,
    makePeers: (onUp, onDown) =>
      new Peers({
        self: { node: kernel.node, creation: kernel.creation, cookie },
        context,
        sockets,
        epmdPort: () => registration.epmdPort,
        portMin,
        portMax,
        tickTimeMs: options.netTicktimeMs,
        maxFrame: options.maxFrameBytes,
        onUp,
        onDown,
      }),
  });
  peers = distribution.peers;
  peers.serve(server, port);
  // Before the node can be found: whoever connects at once must get answers.
  kernel.transport = new DistributionTransport(kernel, (node) => distribution.peers.session(node));
  try {
    await registration.start();
  } catch (error) {
    distribution.stop();
    throw error;
  }
  metrics.gauge('hive.distribution.queued_bytes', () => distribution.peers.queued());
  metrics.gauge('hive.distribution.max_queued_bytes', () => distribution.peers.maxQueued(), 'max');
  return distribution;
}

/** `net_adm:ping` asks `net_kernel` whether it may talk to us. */
const answerPing: Builtin = (message, from) => {
  if (message instanceof Tuple && isAtom(message.items[0], 'is_auth')) return from?.reply(atom('yes'));
  from?.fail(new HiveError('bad_request', `net_kernel does not understand ${describeTerm(message)}.`));
};

/** The one remote procedure call that is served: `erlang:whereis(Name)`, for those who link to a name or send it an exit signal. */
function answerWhereis(kernel: Kernel, message: unknown, from: From | undefined): void {
  const [call, module, name, args] = message instanceof Tuple ? message.items : [];
  const isServed = isAtom(call, 'call') && isAtom(module, 'erlang') && isAtom(name, 'whereis');
  const [wanted] = isServed && Array.isArray(args) && args.length === 1 ? args : [];
  if (wanted instanceof Atom) return from?.reply(kernel.whereis(wanted.name));
  from?.fail(new HiveError('bad_request', `rex does not serve ${describeTerm(message)}.`));
}
