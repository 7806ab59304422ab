#!/usr/bin/env node
/**
 * Messages between two nodes: Hive–Hive (Erlang distribution protocol), BEAM–BEAM (the same protocol, spoken by its inventors)
 * and length-prefixed MessagePack over plain TCP. Each pair is two processes on this machine, one after the other, in several
 * rounds; the medians are shown.
 *
 *     npm run build && npm --prefix bench install
 *     node bench/distribution/run.mjs [--messages 1000000] [--round-trips 20000] [--rounds 3] [--json]
 *
 * One way: a sender with one message after the other, until the receiver has confirmed the last. Round trip: one call at a
 * time, answered by an actor, a gen_server's protocol, or a bare handler. Processor time is that of the whole run, start and
 * warm-up included; it tells more than the clock where the machine has other things to do. The message is a map of four pairs, about 110 bytes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EpmdServer } from '../../dist/distribution/epmd-server.js';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    'round-trips': { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const amount = [values.messages, values['round-trips']];
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts a program and gives the first line it prints, which is JSON. */
async function firstLine(command, args, env) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  });
  failed.catch(() => {});
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'error').then(([error]) => Promise.reject(error)),
    failed,
  ]);
  return { child, said: JSON.parse(line) };
}

/** What a process has used of the processors so far; NaN where the system does not tell. */
function cpuSeconds({ pid }) {
  if (process.platform !== 'linux') return Number.NaN;
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/** A receiver that says where it is, then a sender that measures: `{ perSecond, roundTripUs }`. */
async function pair(command, script, env = {}) {
  const receiver = await firstLine(command, [here(script), 'receiver'], env);
  try {
    const sender = await firstLine(command, [here(script), 'sender', String(receiver.said.at), ...amount], env);
    const cpu = cpuSeconds(receiver.child) + cpuSeconds(sender.child);
    sender.child.kill('SIGKILL');
    return { ...sender.said, cpuUs: (cpu * 1e6) / Number(values.messages) };
  } finally {
    receiver.child.kill('SIGKILL');
  }
}

const epmd = new EpmdServer();
await epmd.listen(0, ['127.0.0.1']);
const contenders = {
  'Hive–Hive': () => pair(process.execPath, 'hive.mjs'),
  'BEAM–BEAM': () => pair('escript', 'beam.escript', { ERL_EPMD_PORT: String(epmd.port) }),
  'MessagePack over TCP': () => pair(process.execPath, 'msgpack.mjs'),
};

const results = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const [name, measure] of Object.entries(contenders)) results[name].push(await measure());
}
epmd.stop();

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rows = Object.entries(results).map(([name, rounds]) => ({
  name,
  perSecond: Math.round(median(rounds.map((round) => round.perSecond))),
  roundTripUs: Math.round(median(rounds.map((round) => round.roundTripUs))),
  cpuUs: median(rounds.map((round) => round.cpuUs)).toFixed(1),
}));
if (values.json) {
  console.log(JSON.stringify({ messages: Number(values.messages), rows, results }));
} else {
  console.log('| pair | messages per second, one way | round trip, µs | processor time of both, µs per message |');
  console.log('| --- | --- | --- | --- |');
  for (const row of rows) console.log(`| ${Object.values(row).join(' | ')} |`);
}
