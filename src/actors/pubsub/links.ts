/**
 * Publications on their way between nodes: each is kept for every node that wants it until that node has acknowledged it, and sent
 * again when a lost connection is back. See publish-log.ts for the sender's half, publish-receipts.ts for the receiver's,
 * confirmations.ts for those who wait.
 *
 *   publish ──▶ log of each node that wants it ──▶ its manager ──▶ receipts ──new──▶ channels there
 *                 ▲                                                   │
 *                 └───────── taken, once per turn and node ◀──────────┘
 *
 * It belongs to the node and not to an actor: neither what is kept nor what was received is lost with a manager that crashes. Other
 * nodes speak to it through the manager. Whatever a manager's crash or a full mailbox takes from a stream is noticed by its end:
 * what comes next does not fit, or nothing comes and the sender asks.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { Timer } from '../../kernel/timers.ts';
import type { NodeName, Ref } from '../../kernel/types.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Privilege, Publication, PublishOptions } from '../../plugins/types.ts';
import { Confirmation, Confirmations } from './confirmations.ts';
import { KeptPublishes } from './kept-publishes.ts';
import type { LinkSettings } from './link-settings.ts';
import type { PubSubMessage } from './messages.ts';
import { bootOf, nodeIn, type Peer, PeerTable } from './peers.ts';
import { sizeOf, toTerm, type WirePublication } from './publication.ts';
import { PublishLog, type PublishLogEvents } from './publish-log.ts';
import { Receipts } from './receipts.ts';
import { type GapMessage, type PublishMessage, type PublishTerm, type TakenMessage, toWire } from './wire-messages.ts';

export interface LinksSetup extends LinkSettings {
  readonly kernel: Kernel;
  /** The name of the managers of all nodes. */
  readonly managerName: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How often is looked after nodes that are lost, or do not acknowledge. */
const tickMs = 500;
/** How long a node may take to say what it has. */
const askTimeoutMs = 30_000;

export class Links {
  readonly peers = new PeerTable();
  /** What comes from other nodes. */
  readonly receipts: Receipts;
  /** What was published for boots that are gone. */
  readonly kept: KeptPublishes;
  readonly #setup: LinksSetup;
  /** The boot of this node. */
  readonly #boot: string;
  readonly #manager: Ref<PubSubMessage>;
  readonly #confirmations: Confirmations<Peer>;
  readonly #counters: ReturnType<typeof countersOf>;
  readonly #tick = new Timer({ expire: () => this.#look() });
  readonly #expiry = new Timer({ expire: () => this.#expire() });
  #number = 0;
  /** Somebody may have got the last publication. */
  #isSent = false;
  /** Something was published that may not have left yet. */
  #isLeaving = false;

  constructor(setup: LinksSetup) {
    const { kernel, metrics, managerName } = setup;
    this.#setup = setup;
    this.#boot = bootOf(kernel.node, kernel.creation);
    this.receipts = new Receipts(this.#boot, this.peers, setup.stored);
    this.kept = new KeptPublishes({ ...setup, boot: this.#boot, peers: this.peers, receipts: this.receipts });
    this.#manager = kernel.remote(kernel.node, managerName);
    const counters = countersOf(metrics);
    this.#counters = counters;
    const latency = metrics.histogram('pubsub.confirmation_latency');
    this.#confirmations = new Confirmations({
      confirmed: (ms) => {
        counters.confirmed.value += 1;
        latency.record(ms);
      },
      unconfirmed: () => {
        counters.unconfirmed.value += 1;
      },
    });
    const total = (read: (log: PublishLog) => number) => () => {
      let sum = 0;
      for (const { log } of this.peers.all()) sum += read(log);
      return sum;
    };
    if (setup.stored) {
      // Sessions of a boot that was gone before this one came may be gone on with: what is published until then is for them, too.
      this.peers.keepFormer('', { log: this.#newLog(kernel.node), lostAt: performance.now() });
      this.#wind();
    }
    metrics.gauge(
      'pubsub.unacknowledged',
      total((log) => log.length),
    );
    metrics.gauge(
      'pubsub.unacknowledged_bytes',
      total((log) => log.bytes),
    );
  }

  // --- connections

  up(node: NodeName, creation: number): void {
    const { kernel, managerName } = this.#setup;
    const boot = bootOf(node, creation);
    const manager = kernel.remote(node, managerName);
    const { peer, replaced } = this.peers.connect({ node, boot, manager }, () => this.#newLog(node));
    // Its clients are gone, and with them whoever could miss anything.
    if (replaced) this.#confirmations.release(replaced, performance.now());
    if (replaced && this.#setup.stored) this.peers.keepFormer(replaced.boot, replaced);
    this.#manager.tell({ type: 'nodeup', peer: peer.interest! });
    this.receipts.connected(boot);
    peer.log.connect();
    this.#pump(peer);
    this.#wind();
  }

  /** Tells a node that no channel is here yet. */
  wantsNothing(node: NodeName): void {
    const peer = this.peers.get(node);
    peer?.manager.tell({ type: 'interest', node: this.#setup.kernel.node, all: true, add: [], remove: [] });
  }

  /** @param hasLeft whether it has said that it goes */
  down(node: NodeName, hasLeft: boolean): void {
    const peer = this.peers.get(node);
    if (!peer?.interest) return;
    this.#manager.tell({ type: 'nodedown', peer: peer.interest });
    peer.interest = undefined;
    peer.lostAt = performance.now();
    peer.log.disconnect();
    this.#wind();
    const isKept = !hasLeft || this.#setup.stored;
    if (!isKept || this.#setup.resumeMs === 0) this.#giveUp(peer, hasLeft);
  }

  /** A new manager of this node: what was on its way to the one before it may be lost, here and there. */
  resume(): void {
    for (const peer of this.peers.all()) {
      if (!peer.interest) continue;
      peer.isBehind = false;
      this.receipts.ask(peer.boot);
    }
  }

  /** A node has let somebody wait for too long, or has answered since. */
  setBehind(node: NodeName, isBehind: boolean): void {
    const peer = this.peers.get(node);
    if (!peer) return;
    peer.isBehind = isBehind;
    if (isBehind) this.#confirmations.release(peer, performance.now());
  }

  /** @param hasLeft as planned: its clients have been told, and nobody misses anything */
  #giveUp(peer: Peer, hasLeft = false): void {
    const dropped = peer.log.giveUp();
    this.#confirmations.release(peer, performance.now());
    const { log } = this.#setup;
    if (dropped === 0 || hasLeft || log.excess('publishes for a lost node were dropped', peer.node)) return;
    log.warning(`${peer.node} does not come back: ${dropped} publishes that were kept for it are dropped`, {
      peer: peer.node,
    });
  }

  // --- from here to other nodes

  /**
   * Sends it to every node that wants it, and keeps it for those that cannot take it now.
   * @param confirm whether to say who is to confirm it
   * @returns undefined if nobody is
   */
  publish(
    prefixes: readonly string[],
    privilege: Privilege,
    publication: Publication,
    confirm: boolean,
    options?: PublishOptions,
  ): Confirmation | undefined {
    let term: WirePublication | undefined;
    let bytes = 0;
    let confirmation: Confirmation | undefined;
    const number = this.#number + 1;
    for (const peer of this.peers.all()) {
      if (!peer.wants(prefixes)) continue;
      this.#number = number;
      const { log } = peer;
      if (log.givenUp) {
        log.miss(number, prefixes);
        continue;
      }
      if (term === undefined) {
        term = toTerm(publication);
        bytes = sizeOf(term, prefixes);
        this.#isLeaving = true;
        this.#wind();
      }
      const isKept = log.add(number, prefixes, privilege, term, bytes, confirm, options);
      if (!confirm) continue;
      confirmation ??= new Confirmation(number, performance.now());
      if (isKept && !peer.isBehind) this.#confirmations.await(confirmation, peer);
      else this.#confirmations.miss(confirmation, peer);
    }
    const { former } = this.peers;
    if (former) {
      this.#number = number;
      if (term === undefined) {
        term = toTerm(publication);
        bytes = sizeOf(term, prefixes);
      }
      for (const { log } of former) log.add(number, prefixes, privilege, term, bytes, false, options);
    }
    if (this.kept.keepsOwn) {
      this.#number = number;
      this.kept.add(this.#message(number, prefixes, privilege, term ?? toTerm(publication), options));
    }
    this.#isSent = this.#number === number;
    return confirmation;
  }

  #message(
    number: number,
    channels: readonly string[],
    privilege: Privilege,
    publication: WirePublication,
    options: PublishOptions | undefined,
  ): PublishMessage {
    const [type, origin, after, confirm] = ['publish', this.#boot, 0, false] as const;
    return { type, origin, number, after, confirm, channels, privilege, publication, options };
  }

  /** Names the last publication, if other nodes may have got it and sessions outlive their nodes. */
  get lastId(): string | undefined {
    return this.#setup.stored && this.#isSent ? `${this.#boot}/${this.#number}` : undefined;
  }

  /** Sessions outlive their nodes: publications have ids. */
  get isStored(): boolean {
    return this.#setup.stored !== undefined;
  }

  /** The channels below a prefix that other nodes have told. */
  *below(prefix: string): Iterable<string> {
    for (const { interest } of this.peers.all()) if (interest) yield* interest.below(prefix);
  }

  /** Whether another node may have that channel. */
  wants(channel: string): boolean {
    for (const peer of this.peers.all()) if (!peer.log.givenUp && peer.wants([channel])) return true;
    return false;
  }

  idOf(origin: string, number: number): string | undefined {
    return this.#setup.stored ? `${origin}/${number}` : undefined;
  }

  /** What was published leaves for the other nodes now: somebody is about to deliver it to many here, which takes its time. */
  flush(): void {
    if (!this.#isLeaving) return;
    this.#isLeaving = false;
    for (const { interest } of this.peers.all()) interest?.manager.flush();
  }

  /** From now on it is settled when all nodes have confirmed it, after a second at most. */
  begin(confirmation: Confirmation): void {
    this.#confirmations.begin(confirmation);
    if (!this.#expiry.pending) this.#windExpiry();
  }

  taken({ by, origin, upTo, again }: TakenMessage): void {
    const peer = this.peers.get(nodeIn(by));
    if (origin !== this.#boot || peer?.boot !== by) return;
    if (again) peer.log.again(upTo);
    else peer.log.taken(upTo);
    this.#confirmations.taken(peer, upTo, performance.now());
    this.#pump(peer);
  }

  #newLog(node: NodeName): PublishLog {
    const { kernel, maxBytes, managerName } = this.#setup;
    const manager = kernel.remote<PublishTerm | GapMessage>(node, managerName);
    const offer = (message: PublishMessage | GapMessage) => manager.offer(toWire(message));
    return new PublishLog({ origin: this.#boot, maxBytes, offer, events: this.#logEvents(node) });
  }

  #logEvents(node: NodeName): PublishLogEvents {
    const counters = this.#counters;
    const { log } = this.#setup;
    return {
      resent: () => {
        counters.resent.value += 1;
      },
      gap: () => {
        counters.gaps.value += 1;
      },
      lost: (publications) => {
        counters.dropped.value += publications;
      },
      overflowed: () => {
        if (log.excess('nodes that miss publishes', node)) return;
        log.warning(`${node} misses publishes: too much waits for it`, { peer: node });
      },
      gapEnded: (publications, bytes) => {
        if (log.excess('nodes that are sent publishes again', node, 'notice')) return;
        log.notice(`${node} is sent publishes again; it has missed ${publications}`, { peer: node, bytes });
      },
    };
  }

  #pump(peer: Peer): void {
    if (peer.isPumping || !peer.log.pump()) return;
    peer.isPumping = true;
    setImmediate(() => {
      peer.isPumping = false;
      this.#pump(peer);
    });
  }

  // --- time

  /** Looks after the nodes from now on, until there is nothing to look after. */
  #wind(): void {
    if (!this.#tick.pending) this.#setup.kernel.wheel.start(this.#tick, tickMs);
  }

  #look(): void {
    const now = performance.now();
    let isOver = true;
    for (const peer of this.peers.all()) {
      const { log } = peer;
      if (log.connected) {
        this.#pump(peer);
        const { oldest } = log;
        if (oldest > 0 && oldest === peer.awaited) this.#ask(peer);
        peer.awaited = oldest;
        if (log.length > 0) isOver = false;
      } else if (!log.givenUp) {
        if (now - peer.lostAt >= this.#setup.resumeMs) this.#giveUp(peer);
        else isOver = false;
      }
    }
    if (this.peers.forgetFormer(now - this.#setup.resumeMs)) isOver = false;
    if (!isOver) this.#wind();
  }

  /** What it has not acknowledged for a while may be lost there. */
  #ask(peer: Peer): void {
    if (peer.isAsked) return;
    peer.isAsked = true;
    const { interest, log } = peer;
    const sent = log.newest;
    const answered = (upTo: number): void => {
      peer.isAsked = false;
      if (peer.interest !== interest || !Number.isSafeInteger(upTo)) return;
      this.taken({ type: 'taken', by: peer.boot, origin: this.#boot, upTo, again: upTo < sent });
    };
    const failed = (): void => {
      peer.isAsked = false;
    };
    const question = { type: 'taken_wanted', origin: this.#boot } as const;
    this.#setup.kernel.askThen(peer.manager, question, askTimeoutMs, answered, failed);
  }

  #windExpiry(): void {
    const { dueAt } = this.#confirmations;
    if (dueAt === undefined) return;
    this.#setup.kernel.wheel.start(this.#expiry, Math.max(1, dueAt - performance.now()));
  }

  #expire(): void {
    const { log } = this.#setup;
    for (const peer of this.#confirmations.expire(performance.now())) {
      const { node, interest } = peer;
      peer.isBehind = true;
      if (!interest) continue;
      this.#manager.tell({ type: 'unconfirmed', peer: interest });
      if (log.excess('nodes that do not confirm publishes', node, 'notice')) continue;
      log.notice(`${node} does not confirm publishes and is not waited for until it answers`, { peer: node });
    }
    this.#windExpiry();
  }
}

function countersOf(metrics: Metrics) {
  return metrics.counters('pubsub', ['resent', 'gaps', 'dropped', 'confirmed', 'unconfirmed']);
}
