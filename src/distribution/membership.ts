/**
 * Who belongs to the cluster, and the effort to be connected with all of them. Configured nodes are dialled for ever, with
 * back-off. Two nodes that connect tell each other whom else they know; so everybody gets to know everybody, and a full
 * mesh grows from one common acquaintance. Nodes known from hearsay are forgotten when they cannot be reached for long,
 * or when they say that they leave.
 *
 *   idle ──dial──▶ dialling ──▶ connected
 *     ▲               │ failed       │ lost
 *     └── wait, 100 ms … 5 s ◀───────┘
 */
import type { From } from '../kernel/types.ts';
import { HiveError, toHiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import { Atom } from './codec/terms.ts';
import { NotRegistered } from './epmd/epmd.ts';
import { HandshakeError } from './handshake.ts';
import type { NodeDown, NodeUp } from './peers.ts';

/** The name under which the members of a cluster talk about each other. */
export const membersName = 'hive_members';

/** Why the connection with a node ended that had said that it leaves. */
export const leaving = 'shutdown';

/** What membership needs of `Distribution`. */
export interface Connections {
  readonly node: string;
  readonly port: number;
  connect(node: string, port?: number): Promise<void>;
  disconnect(node: string, reason?: string): boolean;
  members(): NodeUp[];
  onNodeUp(listener: (event: NodeUp) => void): Disposable;
  onNodeDown(listener: (event: NodeDown) => void): Disposable;
  handle(name: string, builtin: (message: unknown, from: From | undefined, session: { node: string }) => void): void;
  tell(node: string, name: string, message: unknown): boolean;
}

export interface MembershipOptions {
  readonly connections: Connections;
  /** `name@host` or `name@host:port`. */
  readonly seeds: readonly string[];
  readonly log: Log;
  /** A node has not been reached, and nobody listens where it would: it has ended, or will be another boot. */
  readonly onAbsent?: (node: string) => void;
  /** First and longest wait between two dials. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /** A node known from hearsay that was unreachable for this long is forgotten (one hour). */
  readonly forgetAfterMs?: number;
  /** How long a node may be away before that is warned of (ten seconds). */
  readonly patienceMs?: number;
}

interface Known {
  readonly node: string;
  readonly configured: boolean;
  /** The port was configured, and hearsay does not change it. */
  readonly fixed: boolean;
  port: number | undefined;
  failures: number;
  unreachableSince: number;
  /** A warning has said that it cannot be reached. */
  told: boolean;
  timer: NodeJS.Timeout | undefined;
  dialling: boolean;
}

/** How long `start` waits for the first dials: a host that swallows packets must not hold up a start. */
const firstRoundMs = 2000;
/** Hearsay is bounded: a cluster has tens of nodes. */
const maxKnown = 1024;

/** Splits `name@host:port`; undefined if it is neither that nor `name@host`. */
export function parseSeed(seed: string): { node: string; port: number | undefined } | undefined {
  const match = /^([^@\s:]+@[^@\s:]+)(?::(\d{1,5}))?$/.exec(seed);
  if (!match) return undefined;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && (port === 0 || port > 65535)) return undefined;
  return { node: match[1]!, port };
}

export class Membership {
  readonly #connections: Connections;
  readonly #log: Log;
  readonly #onAbsent: (node: string) => void;
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #forgetAfterMs: number;
  readonly #patienceMs: number;
  readonly #known = new Map<string, Known>();
  readonly #listening: Disposable[] = [];
  #stopped = false;

  /** @throws HiveError `invalid_config` for a seed that is no name of a node */
  constructor(options: MembershipOptions) {
    this.#connections = options.connections;
    this.#log = options.log;
    this.#onAbsent = options.onAbsent ?? (() => {});
    this.#minDelayMs = options.minDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 5000;
    this.#forgetAfterMs = options.forgetAfterMs ?? 60 * 60 * 1000;
    this.#patienceMs = options.patienceMs ?? 10_000;
    for (const seed of options.seeds) {
      const parsed = parseSeed(seed);
      if (!parsed) throw new HiveError('invalid_config', `"${seed}" is not a node: name@host or name@host:port.`);
      this.#learn(parsed.node, parsed.port, true);
    }
  }

  /**
   * Dials the configured nodes and goes on doing so. Resolves when each was tried once, or after two seconds.
   * @throws HiveError `name_taken` if one of them knows another node of our name
   */
  async start(): Promise<void> {
    const { node } = this.#connections;
    this.#connections.handle(membersName, (message, _from, session) => this.#hear(session.node, message));
    this.#listening.push(this.#connections.onNodeUp((event) => this.#up(event)));
    this.#listening.push(this.#connections.onNodeDown((event) => this.#down(event)));
    // Who was quick enough to connect before that may have spoken before anybody listened.
    for (const event of this.#connections.members()) this.#up(event, true);
    const dials = [...this.#known.values()].map((known) => this.#dial(known));
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined[]>((resolve) => {
      timer = setTimeout(() => resolve([]), firstRoundMs);
    });
    const failures = await Promise.race([Promise.all(dials), patience]);
    clearTimeout(timer);
    const taken = failures.find((failure) => failure?.code === 'name_taken');
    if (!taken) return;
    this.stop();
    throw new HiveError('name_taken', `Another node named ${node} is in the cluster: ${taken.message}`);
  }

  /** Stops dialling and tells the others that this node leaves, if it does so for good. */
  stop(forGood = true): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const one of this.#listening) one[Symbol.dispose]();
    for (const known of this.#known.values()) clearTimeout(known.timer);
    for (const { node } of forGood ? this.#connections.members() : []) {
      this.#connections.tell(node, membersName, { type: 'leaving' });
    }
  }

  /** Everybody heard of, connected or not. */
  known(): { node: string; configured: boolean; failures: number }[] {
    return [...this.#known.values()].map(({ node, configured, failures }) => ({ node, configured, failures }));
  }

  #learn(node: string, port: number | undefined, configured: boolean): Known | undefined {
    if (node === this.#connections.node) return undefined;
    const present = this.#known.get(node);
    if (present) {
      if (!present.fixed) present.port = port ?? present.port;
      return present;
    }
    if (this.#known.size >= maxKnown) return undefined;
    const known: Known = {
      node,
      configured,
      fixed: configured && port !== undefined,
      port,
      failures: 0,
      unreachableSince: 0,
      told: false,
      timer: undefined,
      dialling: false,
    };
    this.#known.set(node, known);
    return known;
  }

  /** One attempt; the failure, if it failed. The next attempt is arranged. */
  async #dial(known: Known): Promise<HiveError | undefined> {
    if (this.#stopped || known.dialling) return undefined;
    clearTimeout(known.timer);
    known.dialling = true;
    try {
      await this.#connections.connect(known.node, known.port);
      return undefined;
    } catch (error) {
      const failure = toHiveError(error, 'cluster_error');
      if (known.unreachableSince === 0) known.unreachableSince = performance.now();
      if (isNobody(failure.cause)) this.#onAbsent(known.node);
      this.#report(known, failure);
      known.failures += 1;
      this.#again(known);
      return failure;
    } finally {
      known.dialling = false;
    }
  }

  /** Nodes of a cluster are started one after the other: that one is not there yet is no reason to worry. */
  #report(known: Known, failure: HiveError): void {
    const fields = { peer: known.node };
    const mayCome = isAbsence(failure.cause) && performance.now() - known.unreachableSince < this.#patienceMs;
    if (mayCome) {
      if (known.failures === 0) this.#log.info(failure.message, fields);
    } else if (!known.told || failure.code === 'name_taken') {
      known.told = true;
      this.#log.warning(failure.message, fields);
    }
  }

  #again(known: Known): void {
    if (this.#stopped || this.#known.get(known.node) !== known) return;
    const forgotten = known.unreachableSince > 0 && performance.now() - known.unreachableSince > this.#forgetAfterMs;
    if (!known.configured && forgotten) {
      this.#known.delete(known.node);
      this.#log.notice(`forgetting ${known.node}, which could not be reached for long`);
      return;
    }
    // Full jitter over half of the delay, so that nodes that lost each other do not redial in step.
    const delay = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** Math.min(known.failures, 16));
    clearTimeout(known.timer);
    known.timer = setTimeout(() => this.#dial(known), delay * (0.5 + Math.random() / 2));
  }

  #up(event: NodeUp, answer = false): void {
    const known = this.#known.get(event.node) ?? (event.hive ? this.#learn(event.node, undefined, false) : undefined);
    if (known) {
      clearTimeout(known.timer);
      known.failures = 0;
      known.unreachableSince = 0;
      known.told = false;
    }
    if (event.hive) this.#greet(event.node, answer);
  }

  /** Tells a member whom else this node knows. `answer`: it shall do the same. */
  #greet(to: string, answer: boolean): void {
    const members = this.#connections
      .members()
      .filter(({ node }) => node !== to)
      .map(({ node }) => ({ node, port: this.#known.get(node)?.port ?? 0 }));
    this.#connections.tell(to, membersName, { type: 'members', port: this.#connections.port, members, answer });
  }

  #down(event: NodeDown): void {
    const known = this.#known.get(event.node);
    if (!known) return;
    if (event.reason === leaving && !known.configured) {
      clearTimeout(known.timer);
      this.#known.delete(event.node);
      return;
    }
    known.unreachableSince = performance.now();
    this.#again(known);
  }

  /** Another member speaks. What is not understood is ignored: it may be of a newer version. */
  #hear(from: string, message: unknown): void {
    if (this.#stopped || !isRecord(message)) return;
    const type = message.type instanceof Atom ? message.type.name : message.type;
    if (type === 'leaving') {
      this.#connections.disconnect(from, leaving);
      return;
    }
    if (type !== 'members') return;
    this.#learn(from, portIn(message), false);
    if (message.answer === true) this.#greet(from, false);
    if (!Array.isArray(message.members)) return;
    const connected = new Set<string>(this.#connections.members().map(({ node }) => node));
    for (const member of message.members) {
      if (!isRecord(member) || typeof member.node !== 'string' || !parseSeed(member.node)) continue;
      const known = this.#learn(member.node, portIn(member), false);
      if (known && !connected.has(known.node)) this.#dial(known);
    }
  }
}

/** It could not be reached, in contrast to: it was, and refused. */
const absences = new Set<unknown>([
  undefined,
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

function isAbsence(cause: unknown): boolean {
  if (cause instanceof HandshakeError) return false;
  return absences.has((Object(cause) as { code?: unknown }).code);
}

/** There is no process that could be reached, in contrast to: the way to it is blocked. */
function isNobody(cause: unknown): boolean {
  return cause instanceof NotRegistered || (Object(cause) as { code?: unknown }).code === 'ECONNREFUSED';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function portIn(record: Record<string, unknown>): number | undefined {
  const { port } = record;
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}
