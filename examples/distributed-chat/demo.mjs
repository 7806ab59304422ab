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
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { obstacles } from './demo/obstacles.mjs';
import { Program } from './demo/program.mjs';
import { readSettings, writeWithoutRedis } from './demo/settings.mjs';

const RESTART_MS = 5000; // long enough to see the chat go on without the node

const here = fileURLToPath(new URL('.', import.meta.url));
const hive = join(here, '../../dist/bin/hive.js');
const redis = !['', '0', 'no'].includes(process.env.REDIS ?? '');
const folder = redis ? join(here, 'config') : join(here, 'config/local');

const running = []; // in the order of their start
let stopping = false;

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

async function stopAll(code) {
  if (stopping) return;
  stopping = true;
  for (const program of running.toReversed()) await program.stop();
  process.exit(code);
}

function programs({ nodes, backend }) {
  const address = (port) => `http://127.0.0.1:${port}`;
  const options = nodes.flatMap(({ name, config }) => [
    '--api',
    address(config.api.port),
    '--node',
    `${name}=${address(config.hive.port)}`,
  ]);
  const { hash } = nodes[0].config.api;
  const script = join(here, 'backend/backend.py');
  const args = [script, '--host', backend.host, '--port', String(backend.port), '--key', hash, ...options];
  return [
    new Program('backend', 'python3', args, { PYTHONDONTWRITEBYTECODE: '1' }),
    ...nodes.map(({ name, file }) => new Program(name, process.execPath, [hive, 'run', file])),
  ];
}

/** Starts a program again whenever it ends; gives up on one that cannot start any more. */
async function keep(program) {
  for (;;) {
    const how = await program.ended;
    if (stopping) return;
    say(`${program.name} ended (${how}); it will be started again in ${RESTART_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    if (stopping) return;
    await program.start();
    say(`${program.name} is back, process ${program.pid}`);
  }
}

function giveUp(error) {
  if (stopping) return undefined;
  say(`\n${error.message}`);
  return stopAll(1);
}

async function main() {
  writeWithoutRedis(join(here, 'config'), join(here, 'config/local'));
  if (process.argv.includes('--prepare')) return;
  if (!existsSync(hive))
    throw new Error('Hive is not built yet: run `make build`, or start the demo with `make demo`.');
  const settings = readSettings(folder);
  const found = await obstacles(settings, (name) => relative(process.cwd(), join(here, 'config', `${name}.json`)));
  if (found.length > 0) throw new Error(`The demo cannot start:\n\n  ${found.join('\n\n  ')}`);

  process.stdout.on('error', () => stopAll(1)); // nobody reads us any more
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopAll(0));
  for (const program of programs(settings)) {
    running.push(program);
    await program.start();
    if (stopping) return;
  }
  for (const program of running) keep(program).catch(giveUp);

  const [, second] = running.slice(-2);
  say();
  say(`  The chat:  ${settings.backend.url}/   (open it twice; ?node=1 and ?node=2 choose the node)`);
  say(
    `  State in:  ${redis ? `Redis at ${settings.redis.host}:${settings.redis.port}` : "the nodes' memory (REDIS=1 for Redis)"}`,
  );
  say(`  Config:    ${relative(process.cwd(), folder)}`);
  say(`  To try:    kill -9 ${second.pid}   ends ${second.name}; its clients move to the other node`);
  say('  Ctrl-C stops everything.');
  say();
}

main().catch(giveUp);
