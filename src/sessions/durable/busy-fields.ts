/**
 * Who has something to do that was confirmed to somebody, as fields of a hash in Redis. A session that is done before anybody asks costs
 * nothing there.
 *
 *   add ──▶ new ──take──▶ stored ──delete──▶ over ──take──▶ (nothing)
 *            └──delete──▶ (nothing)   ◀──add──┘
 */
import type { RedisCommand } from './commands.ts';

export class BusyFields {
  readonly #new = new Set<string>();
  readonly #stored = new Set<string>();
  readonly #over = new Set<string>();

  /** Somebody is busy of whom Redis does not know. */
  get isBehind(): boolean {
    return this.#new.size > 0;
  }

  add(field: string): void {
    if (!this.#over.delete(field)) this.#new.add(field);
    else this.#stored.add(field);
  }

  /** Returns whether Redis is to be told. */
  delete(field: string): boolean {
    if (this.#new.delete(field) || !this.#stored.delete(field)) return false;
    this.#over.add(field);
    return true;
  }

  /** The commands by which Redis learns of changes: from then on it knows of them. */
  take(key: string): RedisCommand[] {
    const commands: RedisCommand[] = [];
    if (this.#over.size > 0) commands.push(['hdel', key, ...this.#over]);
    if (this.#new.size > 0) commands.push(['hset', key, ...[...this.#new].flatMap((field) => [field, 1])]);
    for (const field of this.#new) this.#stored.add(field);
    this.#new.clear();
    this.#over.clear();
    return commands;
  }

  /** Redis knows of nobody. */
  forgetStored(): void {
    for (const field of this.#stored) this.#new.add(field);
    this.#stored.clear();
    this.#over.clear();
  }
}
