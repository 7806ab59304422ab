/**
 * The Redis of a simulation, and the connections of nodes to it. Each node has two, whose commands overtake one another. What is asked
 * while there is no connection waits for a while; what was sent may be executed though the answer does not come, and long after nobody
 * waits for it any more.
 *
 *   ask ──▶ (waits for a connection) ──▶ on its way ──▶ executed ──▶ answer
 *               │ too long                  │ lost        │ lost
 *               └──▶ fails: not executed    └─────────────┴──▶ fails: nobody knows
 */
import type { RedisCommand } from '../../../src/sessions/durable/commands.ts';
import type { Machine, VirtualClock } from '../clock.ts';
import { maxDelayMs } from '../lane.ts';
import { RedisModel } from './model.ts';

/** How long commands wait for a connection, and for an answer. */
const patienceMs = 400;
const askAgainMs = 40;
const connections = 2;
const maxWayMs = maxDelayMs / 2;
/** What is stored by other commands than scripts. */
const writes: ReadonlySet<string> = new Set(['xadd', 'multi', 'hset', 'hdel']);

export class RedisSite {
  readonly model: RedisModel;
  readonly clock: VirtualClock;
  /** Nodes that cannot reach it. */
  readonly partedFrom = new Set<Machine>();
  /** It is not there; connections to it are lost. */
  isAway = false;
  /** When something about it was last not as it should be. */
  troubledAt = Number.NEGATIVE_INFINITY;
  /** Commands that have come while it stands still. */
  #held: (() => void)[] | undefined;
  /** How often connections were lost. */
  era = 0;
  /** A node has sent a write, or that has been executed. */
  reached: (step: 'sent' | 'executed', machine: Machine) => void = () => {};

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.model = new RedisModel(() => clock.now);
  }

  /** Whether everything is as it should be. */
  get isWell(): boolean {
    return !this.isAway && !this.#held && this.partedFrom.size === 0;
  }

  canReach(machine: Machine): boolean {
    return !this.isAway && !this.partedFrom.has(machine);
  }

  leave(): void {
    this.isAway = true;
    this.era += 1;
  }

  comeBack(): void {
    this.isAway = false;
  }

  standStill(): void {
    this.#held ??= [];
  }

  goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) run();
  }

  /** Runs that now, or when it goes on. */
  whenAwake(run: () => void): void {
    if (this.#held) this.#held.push(run);
    else run();
  }
}

export class RedisLink {
  readonly #site: RedisSite;
  readonly #machine: Machine;
  readonly #broken: (what: string) => void;
  /** When what was sent last arrives, by connection. */
  readonly #arrivals = new Array<number>(connections).fill(0);
  #next = 0;

  /** @param broken what must not happen in any run */
  constructor(site: RedisSite, machine: Machine, broken: (what: string) => void) {
    this.#site = site;
    this.#machine = machine;
    this.#broken = broken;
  }

  run(commands: readonly RedisCommand[]): Promise<unknown[]> {
    if (this.#machine.isDead) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      let isOver = false;
      const settle = (done: () => void) =>
        this.#machine.whenAwake(() => {
          if (!isOver) done();
          isOver = true;
        });
      const fail = (what: string) => settle(() => reject(new Error(what)));
      this.#ask(commands, this.#site.clock.now, (replies) => settle(() => resolve(replies)), fail);
    });
  }

  #ask(
    commands: readonly RedisCommand[],
    askedAt: number,
    answered: (replies: unknown[]) => void,
    failed: (what: string) => void,
  ): void {
    const { clock } = this.#site;
    if (this.#machine.isDead) return;
    if (this.#site.canReach(this.#machine)) return this.#send(commands, answered, failed);
    if (clock.now - askedAt >= patienceMs) return failed('Redis is unreachable');
    clock.after(askAgainMs, () => this.#ask(commands, askedAt, answered, failed));
  }

  #send(
    commands: readonly RedisCommand[],
    answered: (replies: unknown[]) => void,
    failed: (what: string) => void,
  ): void {
    const site = this.#site;
    const { clock, era } = site;
    clock.after(patienceMs, () => failed('Redis did not answer'));
    const lost = () => clock.after(clock.between(0, 20), () => failed('The connection to Redis is lost'));
    this.#next = (this.#next + 1) % connections;
    const arrival = Math.max(this.#arrivals[this.#next]!, clock.now + clock.between(0, maxWayMs));
    this.#arrivals[this.#next] = arrival;
    const machine = this.#machine;
    const isWrite = commands.some(
      ([name, , keys]) => writes.has(String(name)) || (name === 'eval' && Number(keys) > 1),
    );
    if (isWrite) clock.after(0, () => site.reached('sent', machine));
    clock.after(arrival - clock.now, () => {
      if (site.era !== era) return lost();
      if (site.partedFrom.has(machine) || machine.isLost) return;
      site.whenAwake(() => {
        if (site.isAway) return lost();
        let replies: unknown[];
        try {
          replies = site.model.run(commands);
        } catch (error) {
          const what = (error as Error).message;
          // Nothing that a node sends is to be refused.
          this.#broken(`Redis refuses a command: ${what}`);
          return failed(what);
        }
        if (isWrite) site.reached('executed', machine);
        clock.after(clock.between(0, maxWayMs), () => {
          if (site.era !== era) lost();
          else if (!site.partedFrom.has(machine)) answered(replies);
        });
      });
    });
  }
}
