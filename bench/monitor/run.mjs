#!/usr/bin/env node
/**
 * What the monitor costs a node full of clients: processor time of each request, and the longest pause of the event loop, which is
 * what clients notice. One node, idle WebSocket clients with one subscription each; each page is asked for one time after the other,
 * in several rounds over all pages; medians of the rounds.
 *
 *     npm run build && npm --prefix bench install
 *     npm --prefix bench run monitor -- [--clients 10000] [--rounds 5] [--requests 10] [--json]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { argumentsOf } from '../../scripts/arguments.mjs';
import { connectCrowd } from '../lib/crowd.mjs';
import { startHive } from '../lib/hive-node.mjs';
import { median } from '../lib/statistics.mjs';
import { monitorKey } from '../servers/hive.mjs';

const { values } = argumentsOf({
  clients: { type: 'string', default: '10000' },
  rounds: { type: 'string', default: '5' },
  requests: { type: 'string', default: '10' },
  json: { type: 'boolean', default: false },
});
const requests = Number(values.requests);
/** Before each page: what came before it has calmed down. */
const restMs = 300;

const server = await startHive();
const fail = (error) => {
  throw error;
};
const crowd = await connectCrowd(Number(values.clients), () => server.clients, {
  room: 'bench.room',
  guard: (promise) => promise,
  fail,
});

const base = `http://${server.monitor.host}:${server.monitor.port}/monitor/${monitorKey}`;
async function ask(page) {
  const answer = await fetch(`${base}/${page}`);
  if (!answer.ok) throw new Error(`${page}: ${answer.status} ${await answer.text()}`);
  return (await answer.arrayBuffer()).byteLength;
}

/** Processor time and longest pause of the server while something is done. */
async function measured(deed) {
  await delay(restMs);
  const before = await server.process.ask('startPauses');
  const result = await deed();
  const { user, system, longestMs } = await server.process.ask('stopPauses');
  return { result, cpuMs: (user + system - before.user - before.system) / 1000, longestMs };
}

const pages = {
  'all metrics': '',
  'all metrics of the cluster': '?cluster=true',
  'metrics of each node': 'nodes',
  'one metric': 'clients.total',
  Prometheus: 'prometheus',
  'supervision, as it is asked for by default': 'supervision',
  'supervision, the 100 longest mailboxes': 'supervision?sort=mailbox',
  'supervision, everybody': 'supervision?limit=1000000',
  'busiest actors': 'actors?over=50',
  'one client': `clients/${crowd[crowd.length >> 1].sid}`,
};

async function askOften(path) {
  let bytes = 0;
  for (let times = 0; times < requests; times += 1) bytes = await ask(path);
  return bytes;
}

const deeds = [{ page: 'nothing, for one second', count: 1, deed: () => delay(1000, 0) }];
for (const [page, path] of Object.entries(pages)) {
  await askOften(path); // warms up
  deeds.push({ page, count: requests, deed: () => askOften(path) });
}
const rounds = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  const results = [];
  for (const { deed } of deeds) results.push(await measured(deed));
  rounds.push(results);
}
const rows = deeds.map(({ page, count }, at) => {
  const of = (figure) => median(rounds.map((results) => results[at][figure]));
  return { page, cpuMs: of('cpuMs') / count, longestMs: of('longestMs'), bytes: of('result') };
});
for (const client of crowd) client.destroy();
await server.stop();

if (values.json) {
  console.log(JSON.stringify({ clients: crowd.length, requests, rows }));
} else {
  console.log('| page | processor time, ms | longest pause, ms | answer, kB |');
  console.log('| --- | --- | --- | --- |');
  for (const { page, cpuMs, longestMs, bytes } of rows) {
    console.log(`| ${page} | ${cpuMs.toFixed(2)} | ${longestMs.toFixed(1)} | ${(bytes / 1000).toFixed(1)} |`);
  }
}
