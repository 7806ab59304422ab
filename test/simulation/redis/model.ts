/**
 * Redis, as far as nodes use it for sessions: its commands in memory, on the clock of the caller. Whatever a node sends that is not
 * known here fails, so that it is not forgotten. A test compares it with a real one (model.test.ts).
 */
import { Lua } from './lua.ts';

/** Of a stream: the first part of its id, the second one is 0; and its fields. */
interface Entry {
  readonly id: number;
  readonly fields: readonly string[];
}

class Stream {
  readonly entries: Entry[] = [];
  /** Of the last one that was added, though it be gone. */
  last = 0;
}

type Value = string | Map<string, string> | Set<string> | Stream;

interface Item {
  readonly value: Value;
  /** When it expires. */
  until: number | undefined;
}

/** What Redis refuses a command with. */
export class Refused extends Error {}

const lua = new Lua();
const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';

export class RedisModel {
  readonly #now: () => number;
  #items = new Map<string, Item>();
  #copy = new Map<string, Item>();
  #server = 1;

  /** @param now ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * The replies of a pipeline, all of whose commands are executed.
   * @throws Refused the first refusal
   */
  run(commands: readonly (readonly (string | number)[])[]): unknown[] {
    const replies: unknown[] = [];
    let queued: unknown[] | undefined;
    let refusal: unknown;
    for (const [name = '', ...args] of commands) {
      const command = String(name).toLowerCase();
      if (command === 'multi') {
        queued = [];
        replies.push('OK');
      } else if (command === 'exec') {
        replies.push(queued);
        queued = undefined;
      } else {
        try {
          const reply = this.call(command, ...args.map(String));
          replies.push(queued ? 'QUEUED' : reply);
          queued?.push(reply);
        } catch (error) {
          refusal ??= error;
        }
      }
    }
    if (refusal !== undefined) throw refusal;
    return replies;
  }

  /** @throws Refused */
  call(name: string, ...args: string[]): unknown {
    const command = commands[name.toLowerCase()];
    if (!command) throw new Refused(`ERR the model of Redis does not know ${name}: ${args.join(' ')}`);
    return command(this, args);
  }

  /** Remembers everything as it is now, or nothing, for `restore`. */
  copy(isEmpty: boolean): void {
    this.#copy = isEmpty ? new Map() : copyOfAll(this.#items);
  }

  /** It is another server from now on, with what was copied. */
  restore(): void {
    this.#items = this.#copy;
    this.#server += 1;
  }

  get server(): number {
    return this.#server;
  }

  get keys(): string[] {
    return [...this.#items.keys()].filter((key) => this.get(key) !== undefined);
  }

  // --- for the commands

  get now(): number {
    return this.#now();
  }

  get(key: string): Item | undefined {
    const item = this.#items.get(key);
    if (item?.until === undefined || item.until > this.#now()) return item;
    this.#items.delete(key);
    return undefined;
  }

  put(key: string, value: Value, until?: number): void {
    this.#items.set(key, { value, until });
  }

  delete(key: string): boolean {
    return this.get(key) !== undefined && this.#items.delete(key);
  }

  hash(key: string): Map<string, string> | undefined {
    return this.#of(key, Map<string, string>);
  }

  set(key: string): Set<string> | undefined {
    return this.#of(key, Set<string>);
  }

  stream(key: string): Stream | undefined {
    return this.#of(key, Stream);
  }

  text(key: string): string | undefined {
    const value = this.get(key)?.value;
    if (value !== undefined && typeof value !== 'string') throw new Refused(wrongType);
    return value;
  }

  #of<Kind>(key: string, kind: new () => Kind): Kind | undefined {
    const value = this.get(key)?.value;
    if (value !== undefined && !(value instanceof kind)) throw new Refused(wrongType);
    return value;
  }
}

function copyOfAll(items: ReadonlyMap<string, Item>): Map<string, Item> {
  return new Map([...items].map(([key, { value, until }]) => [key, { value: copyOf(value), until }]));
}

function copyOf(value: Value): Value {
  if (typeof value === 'string') return value;
  if (value instanceof Map) return new Map(value);
  if (value instanceof Set) return new Set(value);
  const copy = new Stream();
  copy.entries.push(...value.entries);
  copy.last = value.last;
  return copy;
}

function made<Kind extends Value>(redis: RedisModel, key: string, present: Kind | undefined, empty: Kind): Kind {
  if (present === undefined) redis.put(key, empty);
  return present ?? empty;
}

function numberOf(text: string | undefined): number {
  const number = Number(text);
  if (text === undefined || !Number.isSafeInteger(number)) {
    throw new Refused('ERR value is not an integer or out of range');
  }
  return number;
}

function pairs(args: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < args.length; at += 2) found.push([args[at]!, args[at + 1]!]);
  return found;
}

/** Of `7-0`; `isEnd` is what nothing in it counts as. */
function idOf(text: string, ifAny: number): number {
  return text === '-' || text === '+' ? ifAny : numberOf(text.split('-')[0]);
}

type Command = (redis: RedisModel, args: readonly string[]) => unknown;

const strings: Readonly<Record<string, Command>> = {
  get: (redis, [key]) => redis.text(key!) ?? null,
  set(redis, [key, value, ...options]) {
    let until: number | undefined;
    for (let at = 0; at < options.length; at += 1) {
      const option = options[at]!.toLowerCase();
      if (option === 'nx') {
        if (redis.get(key!) !== undefined) return null;
      } else if (option === 'px') {
        at += 1;
        until = redis.now + numberOf(options[at]);
      } else {
        throw new Refused(`ERR the model of Redis does not know the option ${option} of SET`);
      }
    }
    redis.put(key!, value!, until);
    return 'OK';
  },
  del: (redis, keys) => keys.filter((key) => redis.delete(key)).length,
  exists: (redis, keys) => keys.filter((key) => redis.get(key) !== undefined).length,
  pexpire(redis, [key, ms]) {
    const item = redis.get(key!);
    if (!item) return 0;
    item.until = redis.now + numberOf(ms);
    return 1;
  },
};

const hashes: Readonly<Record<string, Command>> = {
  hget: (redis, [key, field]) => redis.hash(key!)?.get(field!) ?? null,
  hmget: (redis, [key, ...fields]) => fields.map((field) => redis.hash(key!)?.get(field) ?? null),
  hexists: (redis, [key, field]) => Number(redis.hash(key!)?.has(field!) ?? false),
  hincrby(redis, [key, field, by]) {
    const hash = made(redis, key!, redis.hash(key!), new Map<string, string>());
    const sum = numberOf(hash.get(field!) ?? '0') + numberOf(by);
    hash.set(field!, String(sum));
    return sum;
  },
  hlen: (redis, [key]) => redis.hash(key!)?.size ?? 0,
  hset(redis, [key, ...args]) {
    const hash = made(redis, key!, redis.hash(key!), new Map<string, string>());
    const before = hash.size;
    for (const [field, value] of pairs(args)) hash.set(field, value);
    return hash.size - before;
  },
  hdel(redis, [key, ...fields]) {
    const hash = redis.hash(key!);
    const count = fields.filter((field) => hash?.delete(field)).length;
    if (hash?.size === 0) redis.delete(key!);
    return count;
  },
  hgetall: (redis, [key]) => [...(redis.hash(key!) ?? [])].flat(),
  /** All of it at once, as Redis may. */
  hscan: (redis, [key]) => ['0', [...(redis.hash(key!) ?? [])].flat()],
};

const sets: Readonly<Record<string, Command>> = {
  sadd(redis, [key, ...members]) {
    const set = made(redis, key!, redis.set(key!), new Set<string>());
    const before = set.size;
    for (const member of members) set.add(member);
    return set.size - before;
  },
  sismember: (redis, [key, member]) => (redis.set(key!)?.has(member!) ? 1 : 0),
};

const streams: Readonly<Record<string, Command>> = {
  xadd(redis, [key, id, ...fields]) {
    const number = idOf(id!, 0);
    const present = redis.stream(key!);
    if (number <= (present?.last ?? 0)) {
      throw new Refused('ERR The ID specified in XADD is equal or smaller than the target stream top item');
    }
    const stream = made(redis, key!, present, new Stream());
    stream.entries.push({ id: number, fields });
    stream.last = number;
    return id;
  },
  xlen: (redis, [key]) => redis.stream(key!)?.entries.length ?? 0,
  xtrim(redis, [key, _maxlen, ...rest]) {
    const entries = redis.stream(key!)?.entries ?? [];
    const excess = Math.max(0, entries.length - numberOf(rest.at(-1)));
    entries.splice(0, excess);
    return excess;
  },
  xrange(redis, [key, from, to, _count, count]) {
    const entries = redis.stream(key!)?.entries ?? [];
    const [first, last] = [idOf(from!, 0), idOf(to!, Number.MAX_SAFE_INTEGER)];
    const found = entries.filter(({ id }) => id >= first && id <= last);
    return found
      .slice(0, count === undefined ? undefined : numberOf(count))
      .map(({ id, fields }) => [`${id}-0`, fields]);
  },
};

const server: Readonly<Record<string, Command>> = {
  info: (redis, [section]) =>
    section === 'server' ? `run_id:server${redis.server}\r\n` : 'maxmemory_policy:noeviction\r\n',
  /** Of `memory usage`: nobody depends on the figure. */
  memory: (redis, [, key]) => (redis.get(key!) ? 1000 : null),
  eval(redis, [script, count, ...rest]) {
    const keys = rest.slice(0, numberOf(count));
    return lua.run(script!, keys, rest.slice(keys.length), (name, ...args) => redis.call(name, ...args));
  },
};

const commands: Readonly<Record<string, Command>> = { ...strings, ...hashes, ...sets, ...streams, ...server };
