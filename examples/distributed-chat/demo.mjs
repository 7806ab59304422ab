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
import { fileURLToPath } from 'node:url';
import { node, python, runDemo } from '../shared/demo/demo.mjs';
import { local } from '../shared/demo/settings.mjs';
import { readSettings, writeWithoutRedis } from './demo/settings.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const redis = !['', '0', 'no'].includes(process.env.REDIS ?? '');
const folder = redis ? join(here, 'config') : join(here, 'config/local');

function backend({ nodes, server }) {
  const options = nodes.flatMap(({ name, config }) => [
    '--api',
    local(config.api.port),
    '--node',
    `${name}=${local(config.hive.port)}`,
  ]);
  const script = join(here, 'backend/backend.py');
  const { hash } = nodes[0].config.api;
  return python('backend', script, '--host', server.host, '--port', String(server.port), '--key', hash, ...options);
}

async function main() {
  writeWithoutRedis(join(here, 'config'), join(here, 'config/local'));
  if (process.argv.includes('--prepare')) return;
  const fileOf = (name) => relative(process.cwd(), join(here, 'config', `${name}.json`));
  const settings = readSettings(folder, fileOf);
  const nodes = settings.nodes.map(({ name, file }) => node(name, file));
  const last = nodes.at(-1);
  const store = redis
    ? `Redis at ${settings.redis.host}:${settings.redis.port}`
    : "the nodes' memory (REDIS=1 for Redis)";
  await runDemo({
    settings,
    fileOf,
    programs: [backend(settings), ...nodes],
    summary: () => [
      ['The chat', `${settings.server.url}/   (open it twice; ?node=1 and ?node=2 choose the node)`],
      ['State in', store],
      ['Config', relative(process.cwd(), folder)],
      ['To try', `kill -9 ${last.pid}   ends ${last.name}; its clients move to the other node`],
    ],
  });
}

await main();
