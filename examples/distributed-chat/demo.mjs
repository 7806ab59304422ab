#!/usr/bin/env node
/**
 * Runs the whole example: the back end and two nodes, until Ctrl-C.
 *
 *   node demo.mjs                             sessions in the nodes' memory
 *   REDIS=1 node demo.mjs                     sessions in Redis too, which is started if none answers
 *   REDIS=redis://10.0.0.7:6379 node demo.mjs sessions in that Redis too
 *   node demo.mjs --prepare                   only writes config/local, the configuration without Redis
 *
 * A node that dies is started again, as a service manager would do it: kill one and watch its clients move.
 */
import { join, relative } from 'node:path';
import { backEnds, configFolder, runChat } from './demo/run.mjs';
import { readSettings, writeWithoutRedis, writeWithRedisAt } from './demo/settings.mjs';

const redis = process.env.REDIS ?? '';
const local = join(configFolder, 'local');

/** Writes what is not in the example's files; returns the folder with the configuration. */
function prepare() {
  if (['', '0', 'no'].includes(redis)) {
    writeWithoutRedis(configFolder, local);
    return local;
  }
  if (redis === '1' || redis === 'yes') return configFolder;
  if (!/^rediss?:$/.test(URL.canParse(redis) ? new URL(redis).protocol : '')) {
    throw new Error(`REDIS=${redis}: it is 1, or the address of a Redis such as redis://127.0.0.1:6379`);
  }
  writeWithRedisAt(redis, configFolder, local);
  return local;
}

async function main() {
  if (process.argv.includes('--prepare')) return writeWithoutRedis(configFolder, local);
  const folder = prepare();
  const fileOf = (name) => relative(process.cwd(), join(configFolder, `${name}.json`));
  const settings = readSettings(folder, fileOf);
  await runChat({
    settings,
    fileOf,
    backEnd: backEnds.python,
    more: [
      ...(settings.redis ? [] : [['In Redis', 'make demo REDIS=1, and sessions outlive their node']]),
      ['Config', relative(process.cwd(), folder)],
    ],
  });
}

await main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
