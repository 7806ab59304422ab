/** Durable sessions and `sm.redis` need no Redis newer than 6.0: neither a command nor an option of one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** What 6.0 knows, as far as it may be used: the options that are words, by command. Names of fields and scripts are none. */
const known: Record<string, readonly string[]> = {
  del: [],
  eval: [],
  exec: [],
  exists: [],
  get: [],
  hdel: [],
  hexists: [],
  hget: [],
  hgetall: [],
  hincrby: [],
  hlen: [],
  hscan: ['count'],
  hset: [],
  info: ['memory', 'server'],
  memory: ['usage'],
  multi: [],
  pexpire: [],
  sadd: [],
  set: ['nx', 'px'],
  sismember: [],
  xadd: [],
  xlen: [],
  xrange: ['count'],
  xtrim: ['maxlen'],
};

const folders = ['sessions/durable', 'plugins/state-managers/redis'].map(
  (folder) => new URL(`../../../src/${folder}/`, import.meta.url),
);

/** `[command, …words in quotes behind it]`, with the file. */
function* used(): Iterable<readonly [file: string, command: string, words: readonly string[]]> {
  for (const folder of folders) {
    for (const file of readdirSync(folder)) {
      const text = readFileSync(new URL(file, folder), 'utf8');
      const calls = [
        ...text.matchAll(/redis\.p?call\('(\w+)'([^)]*)\)/g),
        ...(file.endsWith('.ts') ? text.matchAll(/\[\s*'([a-z]+)'((?:[^[\]]|\[[^\]]*\])*)\]/g) : []),
      ];
      for (const [, command, rest] of calls) {
        const words = [...rest!.matchAll(/'([A-Za-z]{2,})'/g)].map(([, word]) => word!.toLowerCase());
        yield [file, command!.toLowerCase(), words];
      }
    }
  }
}

test('every command, and every option of one, is known to Redis 6.0', () => {
  const seen = new Set<string>();
  for (const [file, command, words] of used()) {
    const options = known[command];
    // Lists of other words than commands, as of counters.
    if (!options && /metrics/.test(file)) continue;
    assert.ok(options, `${file}: ${command}`);
    for (const word of words) assert.ok(options.includes(word), `${file}: ${command} … ${word}`);
    seen.add(command);
  }
  for (const command of ['eval', 'hset', 'xadd', 'set']) assert.ok(seen.has(command), command);
});
