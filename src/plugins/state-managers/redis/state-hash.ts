/** The hash of one session's state in Redis, and what is done with it. */
import { readFileSync } from 'node:fs';
import { HiveError } from '../../../observe/errors.ts';
import type { RedisCommand } from '../../connectors/redis/refusal.ts';
import type { SessionClaim } from '../../types.ts';

export interface StateHash {
  /** Resolves to the number of its fields. */
  set(fields: readonly string[]): Promise<number>;
  replace(fields: readonly string[]): Promise<void>;
  /** Resolves to the reply of `HGETALL`. */
  take(): Promise<unknown>;
  /** Resolves to whether there is one, which lives on now. */
  renew(): Promise<boolean>;
  drop(): Promise<void>;
}

export interface StateHashSetup {
  readonly key: string;
  readonly ttlMs: number;
  /** Resolves to the replies; rejects if Redis is away, or refuses one of the commands. */
  readonly run: (commands: RedisCommand[]) => Promise<unknown[]>;
}

/** Of a session that ends with its node: nobody else ever writes it. */
export class OwnHash implements StateHash {
  readonly #setup: StateHashSetup;

  constructor(setup: StateHashSetup) {
    this.#setup = setup;
  }

  async set(fields: readonly string[]): Promise<number> {
    const { key, ttlMs, run } = this.#setup;
    const replies = await run([
      ['hset', key, ...fields],
      ['pexpire', key, ttlMs],
      ['hlen', key],
    ]);
    return Number(replies[2]);
  }

  async replace(fields: readonly string[]): Promise<void> {
    const { key, ttlMs, run } = this.#setup;
    const commands: RedisCommand[] = [['multi'], ['del', key]];
    if (fields.length > 0) commands.push(['hset', key, ...fields], ['pexpire', key, ttlMs]);
    await run([...commands, ['exec']]);
  }

  async take(): Promise<unknown> {
    const [fields] = await this.#setup.run([['hgetall', this.#setup.key]]);
    return fields;
  }

  async renew(): Promise<boolean> {
    const { key, ttlMs, run } = this.#setup;
    const [present] = await run([['pexpire', key, ttlMs]]);
    return present === 1;
  }

  async drop(): Promise<void> {
    await this.#setup.run([['del', this.#setup.key]]);
  }
}

function script(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

const scripts = { set: script('set'), replace: script('replace'), take: script('take'), drop: script('drop') };

/** How long the epoch of a session that has ended is remembered. A node that was away for longer has lost all its connections. */
const rememberedMs = 3_600_000;

/** Of a session that outlives its node: who has a lower epoch than the last claim changes nothing any more. */
export class ClaimedHash implements StateHash {
  readonly #setup: StateHashSetup;
  readonly #claim: SessionClaim;
  readonly #epochKey: string;

  constructor(setup: StateHashSetup, claim: SessionClaim) {
    this.#setup = setup;
    this.#claim = claim;
    this.#epochKey = besides(setup.key, 'epoch');
  }

  set(fields: readonly string[]): Promise<number> {
    return this.#number('set', this.#setup.ttlMs, ...fields);
  }

  async replace(fields: readonly string[]): Promise<void> {
    await this.#number('replace', this.#setup.ttlMs, ...fields);
  }

  take(): Promise<unknown> {
    return this.#run('take', this.#setup.ttlMs);
  }

  async renew(): Promise<boolean> {
    const { key, ttlMs, run } = this.#setup;
    const [present] = await run([
      ['pexpire', key, ttlMs],
      ['pexpire', this.#epochKey, ttlMs],
    ]);
    return present === 1;
  }

  async drop(): Promise<void> {
    await this.#run('drop', rememberedMs);
  }

  async #number(name: keyof typeof scripts, ...args: (string | number)[]): Promise<number> {
    return Number(await this.#run(name, ...args));
  }

  async #run(name: keyof typeof scripts, ...args: (string | number)[]): Promise<unknown> {
    const { key, run } = this.#setup;
    const [reply] = await run([['eval', scripts[name], 2, key, this.#epochKey, this.#claim.epoch, ...args]]);
    if (reply === -1) throw new HiveError('stopped', 'Another node has the session.');
    return reply;
  }
}

/** The name of a key in the same slot of a Cluster. */
function besides(key: string, name: string): string {
  return /\{[^}]+\}/.test(key) ? `${key}:${name}` : `{${key}}:${name}`;
}
