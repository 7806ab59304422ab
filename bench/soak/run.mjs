#!/usr/bin/env node
/**
 * Visitors come and go for a long time; at the end everything must be as it was at the start.
 *
 *     npm run build && npm --prefix bench install
 *     npm --prefix bench run soak -- [--minutes 30] [--rate 20] [--stay 10] [--out folder]
 *
 * `rate`: visitors per second; `stay`: seconds that each stays on average. First some visitors come and go, so that what a node makes
 * only once is there; then it is looked at, soaked, left alone until its channels have gone, and looked at again. A letter that is
 * lost, doubled or overtaken, an actor, client or channel too many, a crash, and a heap that has grown end it with exit code 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { argumentsOf } from '../../scripts/arguments.mjs';
import { pinGenerator } from '../lib/cpu.mjs';
import { BackEnd } from './back-end.mjs';
import { visits } from './crowd.mjs';
import { channelTimeoutMs, SoakedNode } from './node.mjs';
import { plot, table } from './report.mjs';

const { values } = argumentsOf({
  minutes: { type: 'string', default: '30' },
  rate: { type: 'string', default: '20' },
  stay: { type: 'string', default: '10' },
  out: { type: 'string' },
});
const [soakMs, rate, stayMs] = [Number(values.minutes) * 60_000, Number(values.rate), Number(values.stay) * 1000];

/** How many visitors make everything that is made once: code is compiled, tables have found their size. */
const firstVisitors = 600;
/** Looks during the soak, and how far apart they are at least. */
const [mostLooks, leastApartMs] = [400, 1000];
/** How much more may be held after a full collection: less than a fifth of a kilobyte for each visitor of ten minutes. */
const heapBoundBytes = 2 * 1024 * 1024;
const settleMs = channelTimeoutMs + 20_000;

let fail;
const failed = new Promise((_, reject) => {
  fail = reject;
});

pinGenerator();
const backEnd = new BackEnd();
const node = new SoakedNode();
let code = 1;
try {
  await node.start(await backEnd.start());
  node.onCrash = fail;
  backEnd.api = node.api;
  code = (await Promise.race([soak(), failed])) ? 0 : 1;
} catch (error) {
  console.error(error.message);
} finally {
  backEnd.stop();
  const log = await node.stop(code !== 0);
  if (log) console.error(`The log of the node is in ${log}.`);
}
process.exit(code);

/** True if all is as it was. */
async function soak() {
  const empty = await node.look();
  await visits(node.clients, { ms: (firstVisitors * 1000) / rate, rate, stayMs: Math.min(stayMs, 3000), fail });
  await settle(empty);
  const start = { ...(await node.look()), held: await node.held() };
  const before = { said: backEnd.said, left: backEnd.left };

  const looks = [];
  const began = performance.now();
  let watching = true;
  const watch = (async () => {
    const apartMs = Math.max(leastApartMs, soakMs / mostLooks);
    while (watching) {
      looks.push({ atMs: performance.now() - began, ...(await node.look()) });
      await pause(apartMs);
    }
  })();
  const totals = await visits(node.clients, { ms: soakMs, rate, stayMs, fail });
  await settle(start);
  watching = false;
  await watch;
  looks.push({ atMs: performance.now() - began, ...(await node.look()) });
  const end = { ...(await node.look()), held: await node.held() };
  return report({ looks, start, end, totals, said: backEnd.said - before.said, left: backEnd.left - before.left });
}

/** Waits until as many actors and channels are left as there were; what is then too much is for the checks to say. */
async function settle(wanted) {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const { actors, channels } = await node.look();
    if ((actors === wanted.actors && channels === wanted.channels) || performance.now() > deadline) return;
    await pause(200);
  }
}

function report({ looks, start, end, totals, said, left }) {
  const kibi = (bytes) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
  const same = (what) => [what, start[what], end[what], end[what] === start[what]];
  const checks = [
    same('actors'),
    same('clients'),
    same('channels'),
    ['abandoned handlers', start.abandoned, end.abandoned, end.abandoned === 0],
    ['crashes', start.crashes, end.crashes, end.crashes === start.crashes],
    ['visits, and farewells to the back end', totals.visits, left, left === totals.visits],
    ['held after a full collection', kibi(start.held), kibi(end.held), end.held - start.held <= heapBoundBytes],
  ];
  const text = [
    `${totals.visits.toLocaleString('en')} visits in ${values.minutes} minutes, ${said.toLocaleString('en')} messages said, ` +
      `${totals.heard.toLocaleString('en')} heard, none lost, doubled or overtaken.`,
    `| | at the start | at the end | |\n| --- | ---: | ---: | --- |\n${checks
      .map(
        ([what, before, after, good]) => `| ${what} | ${before} | ${after} | ${good ? 'as it should be' : 'WRONG'} |`,
      )
      .join('\n')}`,
    table(looks),
  ].join('\n\n');
  console.log(text);
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, 'soak.md'), `${text}\n`);
    writeFileSync(join(values.out, 'soak.svg'), plot(looks));
  }
  return checks.every(([, , , good]) => good);
}
