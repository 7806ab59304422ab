/**
 * Sessions of a simulation that outlive their nodes: where they are, what may become of them, and what must be left of them. Redis and
 * a node may both fail, but what both at once have cost is not looked at: such a session is at risk, and may vanish.
 */

import type { Stream } from './client.ts';
import { Machine, type VirtualClock } from './clock.ts';
import { Session } from './expectations.ts';
import type { Asked, Place, SimNode } from './node.ts';
import { RedisSite } from './redis/site.ts';

export interface DurabilitySetup {
  readonly clock: VirtualClock;
  readonly leaseMs: number;
  readonly sessions: Map<string, Session>;
  /** Those that are there. */
  readonly nodes: readonly SimNode[];
  readonly say: (what: string) => void;
  readonly broken: (what: string) => void;
  /** What was published through that boot and not confirmed may be lost. */
  readonly lose: (boot: string) => void;
}

/** Moments at which nodes may be killed: a hook asks a back end; a write to Redis is on its way, or has been executed and not answered. */
export const steps = ['on_connect', 'on_disconnect', 'on_suspend', 'on_recover', 'sent', 'executed'] as const;
export type Step = (typeof steps)[number];

/** How much the wall clock of a node may be wrong, ms. */
const maxSkewMs = 300;
/** How long it takes until a node that has started knows the key of the cluster. */
const keyMs = 100;

export class Durability {
  readonly redis: RedisSite;
  readonly #setup: DurabilitySetup;
  /** All that ever were, by their boots. */
  readonly #all = new Map<string, SimNode>();
  readonly #startedAt = new Map<string, number>();
  /** When nodes were killed, or something else went wrong but with Redis. */
  readonly #troubles: number[] = [];
  #strike: { readonly step: Step; left: number; readonly strike: (node: SimNode) => void } | undefined;

  constructor(setup: DurabilitySetup) {
    this.#setup = setup;
    this.redis = new RedisSite(setup.clock);
    this.redis.reached = (step, machine) => {
      const node = setup.nodes.find((living) => living.machine === machine);
      if (node) this.reached(step, node.boot);
    };
  }

  /** For the next node. */
  get place(): Place {
    const { clock } = this.#setup;
    const machine = new Machine();
    machine.skewMs = clock.between(-maxSkewMs, maxSkewMs);
    return {
      machine,
      redis: this.redis,
      claimed: (node, sid, settled) => this.#claimed(node, sid, settled),
    };
  }

  /** How long it takes until everything is as before when Redis is well again. */
  get #makeUpMs(): number {
    return 2 * this.#setup.leaseMs + 1000;
  }

  started(node: SimNode): void {
    this.#all.set(node.boot, node);
    this.#startedAt.set(node.boot, this.#setup.clock.now);
  }

  /** Nodes of a simulation wait for nothing when they start: one may not know yet with what the cluster signs. */
  isNew(boot: string): boolean {
    return this.#setup.clock.now - (this.#startedAt.get(boot) ?? 0) < keyMs;
  }

  /** A boot, though it be gone. */
  node(boot: string): SimNode | undefined {
    return this.#all.get(boot);
  }

  /** Something happens to a node that others may take for its end. */
  trouble(): void {
    this.#troubles.push(this.#setup.clock.now);
  }

  get #isRedisTroubled(): boolean {
    return this.redis.troubledAt + this.#makeUpMs > this.#setup.clock.now;
  }

  /** Something happens to Redis. */
  redisTrouble(): void {
    this.redis.troubledAt = this.#setup.clock.now;
    for (const session of this.#setup.sessions.values()) if (this.isSplit(session)) session.isDivided = true;
  }

  // --- nodes that are killed in the midst of something

  /** Somebody is to be killed at that moment, when it has come so often. */
  strikeAt(step: Step, times: number, strike: (node: SimNode) => void): void {
    this.#strike = { step, left: times, strike };
  }

  /** Nobody is killed any more. */
  spare(): void {
    this.#strike = undefined;
  }

  /** A node has come so far. */
  reached(step: string, boot: string): void {
    const due = this.#strike;
    if (due?.step !== step) return;
    due.left -= 1;
    if (due.left > 0) return;
    this.#strike = undefined;
    // Not in the midst of its own turn.
    this.#setup.clock.after(0, () => {
      const node = this.#setup.nodes.find((living) => living.boot === boot);
      if (!node) return;
      this.#setup.say(`${boot} was just at this: ${step}`);
      due.strike(node);
    });
  }

  /** What Redis had confirmed may be lost: what nobody has at present but Redis may be as it was, or gone. */
  lostWrites(): void {
    this.redisTrouble();
    for (const session of this.#setup.sessions.values()) {
      session.mayEndAgain = true;
      if (!this.isHome(session)) session.putAtRisk();
    }
  }

  killed(node: SimNode): void {
    this.trouble();
    for (const session of this.#setup.sessions.values()) {
      // What it had kept for another one that is gone goes with it.
      if (session.node !== node.boot && !this.isHome(session)) session.loseOf(node.boot);
      if (session.node !== node.boot) continue;
      session.orphan(this.#setup.clock.now);
      if (this.#isRedisTroubled || session.deaths.length > 1) session.putAtRisk();
    }
  }

  #claimed(node: SimNode, sid: string, settled: Promise<void> | undefined): void {
    const { clock, nodes, sessions, say, lose } = this.#setup;
    say(`${node.boot} claims ${sid}`);
    // Its arrival may have been about to be told.
    const session = sessions.get(sid) ?? new Session(sid, node.boot);
    sessions.set(sid, session);
    // Two may have it for a while.
    const former = nodes.find((other) => other !== node && other.boot === session.node);
    if (former) {
      session.rivals.push(former.boot);
      lose(former.boot);
    }
    session.node = node.boot;
    session.moves += 1;
    session.isMoving = settled !== undefined;
    if (this.#isRedisTroubled && former) session.isDivided = true;
    if (this.#isRedisTroubled && !former) session.putAtRisk();
    // They cannot be asked what they had kept, and count as gone as well.
    for (const other of nodes) if (other.isFrozen) session.loseOf(other.boot);
    for (const subscription of session.subscriptions.values()) subscription.changedAt = clock.now;
    void settled?.then(() => {
      if (session.node === node.boot) session.isMoving = false;
      for (const subscription of session.subscriptions.values()) subscription.settledAt = clock.now;
    });
  }

  /** Whether somebody else may believe that it has that session. */
  isSplit(session: Session): boolean {
    return session.rivals.some((boot) =>
      this.#setup.nodes.some((node) => node.boot === boot && node.client(session.sid) !== undefined),
    );
  }

  /** Whether its node has it, and has it whole. */
  isHome(session: Session): boolean {
    return !session.isMoving && this.#setup.nodes.some(({ boot }) => boot === session.node);
  }

  /** Sessions that their nodes do not have whole. */
  get moving(): string[] {
    const sids: string[] = [];
    for (const session of this.#setup.sessions.values()) if (!this.isHome(session)) sids.push(session.sid);
    return sids;
  }

  began(session: Session): void {
    if (this.#isRedisTroubled || !this.redis.isWell) session.isEarly = true;
  }

  /** Why a session may not be recovered. */
  excuse(session: Session, { lostAt = this.#setup.clock.now }: Stream, windowMs: number): string | undefined {
    if (session.moves > 0 && this.#setup.clock.now - lostAt > windowMs - 2 * maxSkewMs - 100)
      return 'it is too late for some clocks';
    if (session.isAtRisk) return 'two things failed at once';
    if (session.isEarly && session.deaths.length > 0) return 'it began before its node knew the key';
    if (session.rivals.length > 0) return 'its node was taken for dead';
    if (session.deaths.length > 1) return 'its nodes are gone';
    const since = lostAt - this.#makeUpMs;
    if (this.redis.troubledAt >= since || !this.redis.isWell) return 'Redis was not well';
    const [death] = session.deaths;
    if (death !== undefined && death < since) return undefined;
    const troubles = this.#troubles.filter((at) => at >= since);
    if (troubles.length > (death === undefined ? 0 : 1)) return 'too much has happened';
    return undefined;
  }

  /** A back end is told of a departure. */
  departs(session: Session, { key, node, event }: Asked): void {
    const { broken, clock } = this.#setup;
    const [first] = session.ends;
    session.ends.push({ key, event, node, at: clock.now, isStored: !this.#isRedisTroubled });
    if (!first) return;
    if (first.key !== key) broken(`${session.sid} departs as ${first.key} and as ${key}`);
    if (first.event !== event && first.isStored && !session.isAtRisk) {
      broken(`${session.sid} departs as ${first.event} and as ${event}`);
    }
    if (this.#mayRepeat(session)) return;
    broken(`the back end is told twice that ${session.sid} departs, by ${first.node} and by ${node}`);
  }

  /** Whether one that was telling it may not have known that it has. */
  #mayRepeat({ ends, mayEndAgain }: Session): boolean {
    if (mayEndAgain) return true;
    const [first] = ends;
    const teller = this.#setup.nodes.find(({ boot }) => boot === first!.node);
    return !teller || this.#isRedisTroubled || this.#troubles.some((at) => at >= first!.at - this.#makeUpMs);
  }

  /** All sessions have ended. */
  check(): void {
    const { sessions, broken } = this.#setup;
    for (const session of sessions.values()) {
      const mistake = this.#mistakeOf(session);
      if (mistake) broken(mistake);
    }
    const leftovers = this.#leftovers;
    if (leftovers.length > 0) broken(`in Redis there is left: ${leftovers.join(', ')}`);
  }

  /** What is wrong with what the back end was told of a session. */
  #mistakeOf({ told, sid, isAtRisk, moves, rivals }: Session): string | undefined {
    let form = moves > 0 ? /^c?[sr]*d+$/ : /^c(sr)*s?d+$/;
    // One that was taken for dead, and cannot ask Redis, goes on telling what happens to its client.
    if (rivals.length > 0) form = /^c?[sr]*d[srd]*$/;
    if (isAtRisk) form = /^c?[srd]*$/;
    return form.test(told) ? undefined : `the back end is told ${told} of ${sid}`;
  }

  /** What of Redis should not be there when all sessions have ended. */
  get #leftovers(): string[] {
    const { model } = this.redis;
    const { nodes } = this.#setup;
    const owners = new Map<string, string>();
    const left: string[] = [];
    for (const [owner, ownership] of model.hash('hive:simulation:owners') ?? []) {
      const node = nodes.find(({ kernel }) => ownership.startsWith(`${kernel.node}#${kernel.creation}|`));
      if (!node) left.push(`owner ${owner} ${ownership}`);
      else if ([...owners.values()].includes(node.boot)) left.push(`another owner of ${node.boot}`);
      owners.set(owner, node?.boot ?? '');
    }
    for (const key of model.keys) {
      const name = key.slice('hive:simulation:'.length);
      if (name === 'owners' || name === 'secret' || name.endsWith(':gone')) continue;
      const owner = /^lease:(.*)$/.exec(name)?.[1] ?? /^\{(.*)\}:(?:journal|last|kept)$/.exec(name)?.[1];
      // What was on its way from a node that has lost its lease may come behind the deletion of its journal.
      if (owner !== undefined && (owners.get(owner) || this.#troubles.length > 0)) continue;
      // Somebody might return to it still.
      if (name.startsWith('{') && model.get(key)?.until !== undefined) continue;
      // Written under a lease that Redis had lost by then, by a node that was killed before it could store them anew.
      const records = name.endsWith(':sessions') ? [...(model.hash(key)?.keys() ?? [])] : [];
      if (records.length > 0 && records.every((sid) => this.#setup.sessions.get(sid)?.isAtRisk ?? true)) continue;
      left.push(`${name} ${describe(model.get(key)?.value)}`);
    }
    return left;
  }
}

function describe(value: unknown): string {
  if (!(value instanceof Map)) return '';
  return [...(value as ReadonlyMap<string, string>)].map(([field, value]) => `${field}=${value}`).join(' ');
}
