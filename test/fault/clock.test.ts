/** Somebody sets the clock back by an hour. Uptimes and ages were hours below zero, in the tree, the metrics and Prometheus. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { next } from '../support/eventually.ts';
import { ask } from '../support/operator.ts';

const preload = new URL('../support/clock-set-back.mjs', import.meta.url).href;
/** What the clock was set back by, in ms; no test takes as long. */
const hour = 3_600_000;

/** Every number under a key that says how long something has lasted. */
function durations(value: unknown, path = ''): [string, number][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): [string, number][] => {
    const here = path === '' ? key : `${path}.${key}`;
    if (typeof inner === 'number' && /ageMs$|agoMs$|upMs$|uptime$/.test(key)) return [[here, inner]];
    return durations(inner, here);
  });
}

function assertSane(found: readonly [string, number][], least: number): void {
  assert.ok(found.length >= least, `${found.length} durations`);
  const odd = found.filter(([, ms]) => !(ms >= 0 && ms < hour));
  assert.deepEqual(odd, []);
}

test('ages and uptimes do not follow the clock of the machine', async (t) => {
  const node = await DefaultNode.start(undefined, { NODE_OPTIONS: `--import=${preload}` });
  t.after(() => node.stop());
  const client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  t.after(() => client.disconnect());
  await next(client, 'connect');
  node.process.signal('SIGUSR2');
  await node.process.until(() => node.process.stdout.includes('the clock was set back'), 'the clock');

  const monitor = async (path: string) => (await ask(node, 'monitor', 'GET', `/monitor/KEY/${path}`)).json;
  assertSane(durations(await monitor('')), 3);
  assertSane(durations(await monitor('supervision?depth=10')), 20);
  assertSane(durations(await monitor('actors?sort=mailbox&seconds=0.1')), 0);
  assertSane(durations(await monitor(`clients/${client.id}`)), 1);
  const { text } = await ask(node, 'monitor', 'GET', '/monitor/KEY/prometheus');
  const uptimes = [...text.matchAll(/^(\w*uptime\w*)(?:\{.*\})? (\S+)$/gm)];
  assertSane(
    uptimes.map(([, name, seconds]) => [name!, Number(seconds)]),
    3,
  );
});
