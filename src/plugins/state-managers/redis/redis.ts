/**
 * `sm.redis`: the state of each session is a hash in Redis, one field per key, each value as JSON text. The hash has one
 * owner, the client, so what the client wrote is what the hash holds: it keeps a copy and reads are served from it, also
 * while Redis is away. Writes go to Redis first.
 *
 * The hash expires by itself if its node dies and nobody goes on with the session; activity of the client renews it. If Redis has lost
 * the hash (restarted without persistence), the next write writes all of it anew.
 */
import { type Static, Type } from 'typebox';
import { milliseconds, strictObject } from '../../../config/schema/fields.ts';
import { toHiveError } from '../../../observe/errors.ts';
import { checkPool } from '../../args.ts';
import type { RedisCommand } from '../../connectors/redis/refusal.ts';
import type { RedisRequest } from '../../connectors/redis/worker.ts';
import type { ClientState, Services, SessionClaim, State, StateManager, StateManagerPlugin } from '../../types.ts';
import { StateCounters } from '../counters.ts';
import { ClaimedHash, OwnHash, type StateHash } from './state-hash.ts';

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

  async open(sid: string, initial: State, claim?: SessionClaim): Promise<ClientState> {
    this.counters.count('init');
    const state = new RedisState(this, this.#hash(sid, claim));
    await state.replace(initial);
    return state;
  }

  async adopt(sid: string, claim: SessionClaim): Promise<ClientState> {
    this.counters.count('init');
    const state = new RedisState(this, this.#hash(sid, claim));
    await state.load();
    return state;
  }

  #hash(sid: string, claim: SessionClaim | undefined): StateHash {
    const setup = {
      key: this.#keyPrefix + sid,
      ttlMs: this.ttlMs,
      run: (commands: RedisCommand[]) => this.#run(commands),
    };
    return claim ? new ClaimedHash(setup, claim) : new OwnHash(setup);
  }

  async #run(commands: RedisCommand[]): Promise<unknown[]> {
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
  readonly #hash: StateHash;
  #pairs: State = {};
  #renewedAt = 0;
  /** A write failed half-way, or the hash is gone: what Redis holds is not what it should hold. */
  #inDoubt = false;

  constructor(manager: RedisStateManager, hash: StateHash) {
    this.#manager = manager;
    this.#hash = hash;
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
    // Until Redis has answered nobody knows what it holds.
    this.#inDoubt = true;
    const fieldCount = await this.#hash.set(fields);
    if (fieldCount !== Object.keys(merged).length) return this.replace(merged);
    this.#holds(merged);
  }

  /** Takes what the hash holds. */
  async load(): Promise<void> {
    const pairs: Record<string, unknown> = {};
    for (const [key, text] of entriesOf(await this.#hash.take())) pairs[key] = JSON.parse(text);
    this.#holds(pairs);
  }

  async cleanup(): Promise<void> {
    this.#manager.counters.count('cleanup');
    await this.#hash.drop();
  }

  /** Makes the hash hold these pairs and nothing else. (An empty hash does not exist, and needs not.) */
  async replace(pairs: State): Promise<void> {
    this.#inDoubt = true;
    await this.#hash.replace(fieldsOf(pairs));
    this.#holds(pairs);
  }

  #holds(pairs: State): void {
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
    const isThere = await this.#hash.renew();
    if (!isThere && Object.keys(this.#pairs).length > 0) this.#inDoubt = true;
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
