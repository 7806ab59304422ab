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
 * time, answered by an actor, a gen_server's protocol, or a bare handler. Processor time is what each process uses while the
 * messages go one way, all threads together; it tells more than the clock where the machine has other things to do. What the slower
 * side could do in a second of it is what the pair does with a processor for each. The message is a map of four pairs, about 90 bytes of
 * names and values.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EpmdServer } from '../../dist/distribution/epmd/server.js';
import { argumentsOf } from '../../scripts/arguments.mjs';

const { values } = argumentsOf({
  messages: { type: 'string', default: '1000000' },
  'round-trips': { type: 'string', default: '20000' },
  rounds: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
});
const amount = [values.messages, values['round-trips']];
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Starts a program that prints lines of JSON. `next` is the next line, or says that there will be none. */
function start(command, args, env) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const failed = new Promise((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}`)));
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await Promise.race([lines.next(), failed])).value ?? (await failed));
  return { child, next };
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

/** A receiver that says where it is, then a sender that measures: messages per second, µs of a round trip, µs of processor time per message. */
async function pair(command, script, env = {}) {
  const children = [];
  const run = (...args) => {
    const { child, next } = start(command, [here(script), ...args], env);
    children.push(child);
    return next;
  };
  try {
    const { at } = await run('receiver')();
    const next = run('sender', String(at), ...amount);
    await next();
    const before = children.map(cpuSeconds);
    const { perSecond } = await next();
    const [receiverUs, senderUs] = children.map(
      (child, i) => ((cpuSeconds(child) - before[i]) * 1e6) / Number(values.messages),
    );
    const { roundTripUs } = await next();
    return { perSecond, roundTripUs, senderUs, receiverUs };
  } finally {
    for (const child of children) child.kill('SIGKILL');
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
  senderUs: median(rounds.map((round) => round.senderUs)).toFixed(2),
  receiverUs: median(rounds.map((round) => round.receiverUs)).toFixed(2),
  perCpuSecond: Math.round(median(rounds.map((round) => 1e6 / Math.max(round.senderUs, round.receiverUs)))),
}));
if (values.json) {
  console.log(JSON.stringify({ messages: Number(values.messages), rows, results }));
} else {
  const columns = [
    'pair',
    'messages per second, one way',
    'round trip, µs',
    'processor time of the sender, µs per message',
    'of the receiver',
    'messages per second of processor time of the slower side',
  ];
  console.log(`| ${columns.join(' | ')} |`);
  console.log(`|${' --- |'.repeat(columns.length)}`);
  for (const row of rows) console.log(`| ${Object.values(row).join(' | ')} |`);
}
