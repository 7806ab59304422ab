/**
 * `hive_departures`: tells back ends again of the clients that have gone, until they answer. What waits is in the node's table.
 * Messages: `look`, from itself: something may be due.
 */
import { Actor } from '../../kernel/actor.ts';
import type { Timer } from '../../kernel/timers.ts';
import type { From } from '../../kernel/types.ts';
import type { DepartureTable } from './departure-table.ts';

interface Look {
  readonly type: 'look';
}

export class Departures extends Actor<Look> {
  readonly #table: DepartureTable;
  #timer: Timer | undefined;
  /** It has been told to look, and has not yet. */
  #isWoken = false;

  constructor(table: DepartureTable) {
    super();
    this.#table = table;
  }

  override init(): void {
    this.#table.watch(() => this.#wake());
    this.#wake();
  }

  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    this.send(this.self, { type: 'look' });
  }

  receive(message: Look, from: From | undefined): void {
    if (message.type !== 'look') return this.unexpected(message, from);
    this.#isWoken = false;
    this.#timer?.cancel();
    this.#table.tellDue();
    const ms = this.#table.dueInMs;
    this.#timer = ms === undefined ? undefined : this.after(ms, { type: 'look' });
  }

  override inspect(): Record<string, unknown> {
    const { waiting, oldestMs } = this.#table;
    return { waiting, oldestMs };
  }
}
