/**
 * `sm.redis`: the state of each session is a hash in Redis, one field per key, each value as JSON text. The hash has one
 * owner, the client, so what the client wrote is what the hash holds: it keeps a copy and reads are served from it, also
 * while Redis is away. Writes go to Redis first.
 *
 * The hash expires by itself if its node dies; activity of the client renews it. If Redis has lost the hash (restarted
 * without persistence), the next write writes all of it anew.
 */
import { type Static, Type } from 'typebox';
import { milliseconds, strictObject } from '../../config/schema/fields.ts';
import { toHiveError } from '../../observe/errors.ts';
import { checkPool } from '../args.ts';
import type { RedisCommand } from '../connectors/redis/refusal.ts';
import type { RedisRequest } from '../connectors/redis/worker.ts';
import type { ClientState, Services, State, StateManager, StateManagerPlugin } from '../types.ts';
import { StateCounters } from './counters.ts';

const argsSchema = strictObject({
  connector: Type.String({ minLength: 1, description: 'Name of a `connector.redis` pool.' }),
  expiration_timeout: milliseconds('Time after the last activity at which the state of a session is dropped.', {
    minimum: 1,
    default: 48 * 60 * 60 * 1000,
  }),
  key_prefix: Type.Optional(
    Type.String({ description: 'What stands before the session id in keys; default `hive:<cluster_name>:state:`.' }),
  ),
});

type RedisStateArgs = Static<typeof argsSchema>;

export const redisStateManager: StateManagerPlugin<RedisStateArgs> = {
  args: argsSchema,
  check: (args, config) => checkPool(args, config, ['connector.redis']),
  create: (args, services) => new RedisStateManager(args, services),
};

/** Activity renews the expiration when so much of it has passed. */
const renewalFraction = 0.1;

class RedisStateManager implements StateManager {
  readonly ttlMs: number;
  readonly counters: StateCounters;
  readonly #services: Services;
  readonly #connector: string;
  readonly #keyPrefix: string;

  constructor(args: RedisStateArgs, services: Services) {
    this.ttlMs = args.expiration_timeout;
    this.counters = new StateCounters(services.metrics);
    this.#services = services;
    this.#connector = args.connector;
    this.#keyPrefix = args.key_prefix ?? `hive:${services.config.hive.cluster_name}:state:`;
  }

  async open(sid: string, initial: State): Promise<ClientState> {
    this.counters.count('init');
    const state = new RedisState(this, this.#keyPrefix + sid);
    await state.replace(initial);
    return state;
  }

  async adopt(sid: string): Promise<ClientState> {
    this.counters.count('init');
    const state = new RedisState(this, this.#keyPrefix + sid);
    await state.load();
    return state;
  }

  async run(commands: RedisCommand[]): Promise<unknown[]> {
    try {
      const request: RedisRequest = { commands };
      return await this.#services.pools.get<RedisRequest, unknown[]>(this.#connector).request(request);
    } catch (error) {
      this.counters.failed();
      throw error;
    }
  }

  /** For what nobody waits for. */
  warn(error: unknown): void {
    const { code, message } = toHiveError(error, 'redis_error');
    const { log } = this.#services;
    if (log.excess('The state of a session could not be renewed', code)) return;
    log.warning(`The state of a session could not be renewed: ${message}`, { code });
  }
}

class RedisState implements ClientState {
  readonly #manager: RedisStateManager;
  readonly #key: string;
  #pairs: State = {};
  #renewedAt = 0;
  /** A write failed half-way, or the hash is gone: what Redis holds is not what it should hold. */
  #inDoubt = false;

  constructor(manager: RedisStateManager, key: string) {
    this.#manager = manager;
    this.#key = key;
  }

  get(): State {
    this.#manager.counters.count('get');
    if (performance.now() - this.#renewedAt > this.#manager.ttlMs * renewalFraction) this.#renew();
    return this.#pairs;
  }

  async set(pairs: State): Promise<void> {
    this.#manager.counters.count('set');
    const merged = { ...this.#pairs, ...pairs };
    if (this.#inDoubt) return this.replace(merged);
    const fields = fieldsOf(pairs);
    if (fields.length === 0) return;
    const { ttlMs } = this.#manager;
    // Until Redis has answered nobody knows what it holds.
    this.#inDoubt = true;
    const [, , fieldCount] = await this.#manager.run([
      ['hset', this.#key, ...fields],
      ['pexpire', this.#key, ttlMs],
      ['hlen', this.#key],
    ]);
    if (fieldCount !== Object.keys(merged).length) return this.replace(merged);
    this.#inDoubt = false;
    this.#renewedAt = performance.now();
    this.#pairs = merged;
  }

  /** Takes what the hash holds. */
  async load(): Promise<void> {
    const [fields] = await this.#manager.run([['hgetall', this.#key]]);
    const pairs: Record<string, unknown> = {};
    for (const [key, text] of entriesOf(fields)) pairs[key] = JSON.parse(text);
    this.#pairs = pairs;
    this.#renewedAt = performance.now();
  }

  async cleanup(): Promise<void> {
    this.#manager.counters.count('cleanup');
    await this.#manager.run([['del', this.#key]]);
  }

  /** Makes the hash hold these pairs and nothing else. (An empty hash does not exist, and needs not.) */
  async replace(pairs: State): Promise<void> {
    const fields = fieldsOf(pairs);
    this.#inDoubt = true;
    const commands: RedisCommand[] = [['multi'], ['del', this.#key]];
    if (fields.length > 0) {
      commands.push(['hset', this.#key, ...fields], ['pexpire', this.#key, this.#manager.ttlMs]);
    }
    await this.#manager.run([...commands, ['exec']]);
    this.#inDoubt = false;
    this.#renewedAt = performance.now();
    this.#pairs = pairs;
  }

  /** Nobody waits for it: a reader has what it wants. */
  #renew(): void {
    this.#renewedAt = performance.now();
    this.#expireLater().catch((error: unknown) => this.#manager.warn(error));
  }

  async #expireLater(): Promise<void> {
    const [present] = await this.#manager.run([['pexpire', this.#key, this.#manager.ttlMs]]);
    if (present === 0 && Object.keys(this.#pairs).length > 0) this.#inDoubt = true;
  }
}

/** Every value as JSON, so that it comes back as what it was: `"5"` is a string, `5` a number. */
function fieldsOf(pairs: State): string[] {
  const fields: string[] = [];
  for (const [key, value] of Object.entries(pairs)) {
    const text = JSON.stringify(value);
    if (text !== undefined) fields.push(key, text);
  }
  return fields;
}

/** What `HGETALL` replies: keys and values in turn, or a map. */
function entriesOf(reply: unknown): [string, string][] {
  if (!Array.isArray(reply)) return Object.entries(Object(reply) as Record<string, string>);
  const entries: [string, string][] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) entries.push([String(reply[at]), String(reply[at + 1])]);
  return entries;
}
