/**
 * Questions to one client: events that it is to acknowledge. They go past its mailbox, and so do the answers: a client whose hook waits for a
 * back end can be asked by that very back end. Nothing of it outlives the connection.
 *
 *   ask ──▶ event with an id ──▶ acknowledged ───────────────────────────────────▶ its arguments
 *                         └────▶ time is over, connection lost, session ended ──▶ an error
 */
import { randomInt } from 'node:crypto';
import { Timer, type TimingWheel } from '../../kernel/timers.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { EventPacket } from '../../protocol/packet.ts';

/** What the asks of all clients share. */
export class AskServices {
  readonly wheel: TimingWheel;
  readonly counters: Readonly<Record<'asked' | 'answered' | 'unanswered', Counter>>;

  constructor(wheel: TimingWheel, metrics: Metrics) {
    this.wheel = wheel;
    this.counters = metrics.counters('clients.asks', ['asked', 'answered', 'unanswered']);
  }
}

/** That one client may be asked before it answers. */
const maxPending = 100;
/**
 * Ids are random, so that none is that of a question of another node, before the session went on here, nor one that a back end has chosen.
 * They have the 15 digits that every generation takes.
 */
const idLimit = 2 ** 47;

interface Pending {
  readonly timer: Timer;
  readonly resolve: (args: readonly unknown[]) => void;
  readonly reject: (error: HiveError) => void;
}

export class Asks {
  readonly #services: AskServices;
  readonly #pending = new Map<number, Pending>();

  constructor(services: AskServices) {
    this.#services = services;
  }

  /** Resolves to what the client has acknowledged. @throws HiveError (rejection) `timeout`, `overloaded`, and what `fail` is given */
  ask(event: EventPacket, timeoutMs: number, send: (packet: EventPacket) => void): Promise<readonly unknown[]> {
    const { wheel, counters } = this.#services;
    counters.asked.value += 1;
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= maxPending) {
        counters.unanswered.value += 1;
        return reject(new HiveError('overloaded', `The client has not answered ${maxPending} questions yet.`));
      }
      const id = randomInt(idLimit);
      const late = () => this.#give(id, new HiveError('timeout', `The client did not answer within ${timeoutMs} ms.`));
      const timer = new Timer({ expire: late });
      this.#pending.set(id, { timer, resolve, reject });
      wheel.start(timer, timeoutMs);
      send(new EventPacket(event.name, event.argsJson, id, true));
    });
  }

  /** Whether that was asked, and waited for. */
  acknowledged(id: number, args: readonly unknown[]): boolean {
    return this.#give(id, args);
  }

  /** Nobody will answer any more. */
  fail(error: HiveError): void {
    for (const id of [...this.#pending.keys()]) this.#give(id, error);
  }

  #give(id: number, outcome: readonly unknown[] | HiveError): boolean {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    this.#pending.delete(id);
    pending.timer.cancel();
    const { counters } = this.#services;
    if (outcome instanceof HiveError) {
      counters.unanswered.value += 1;
      pending.reject(outcome);
    } else {
      counters.answered.value += 1;
      pending.resolve(outcome);
    }
    return true;
  }
}
