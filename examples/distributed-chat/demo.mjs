#!/usr/bin/env node
/**
 * Runs the whole example: the back end and two nodes, until Ctrl-C.
 *
 *   node demo.mjs            state in the nodes' memory
 *   REDIS=1 node demo.mjs    state in Redis
 *   node demo.mjs --prepare  only writes config/local, the configuration without Redis
 *
 * A node that dies is started again, as a service manager would do it: kill one and watch its clients move.
 */
import { join, relative } from 'node:path';
import { backEnds, configFolder, runChat } from './demo/run.mjs';
import { readSettings, writeWithoutRedis } from './demo/settings.mjs';

const redis = !['', '0', 'no'].includes(process.env.REDIS ?? '');
const withoutRedis = join(configFolder, 'local');
const folder = redis ? configFolder : withoutRedis;

async function main() {
  writeWithoutRedis(configFolder, withoutRedis);
  if (process.argv.includes('--prepare')) return;
  const fileOf = (name) => relative(process.cwd(), join(configFolder, `${name}.json`));
  const settings = readSettings(folder, fileOf);
  const store = redis
    ? `Redis at ${settings.redis.host}:${settings.redis.port}`
    : "the nodes' memory (REDIS=1 for Redis)";
  const more = [
    ['State in', store],
    ['Config', relative(process.cwd(), folder)],
  ];
  await runChat({ settings, fileOf, backEnd: backEnds.python, more });
}

await main();
