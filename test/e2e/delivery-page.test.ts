/** docs/delivery.md: its programs do on a running node what it says, and its numbers are those of the journal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Timer } from '../../src/kernel/timers.ts';
import { EventPacket } from '../../src/protocol/packet.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(new URL('../../docs/delivery.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')), ([, text]) => text!);

/** A node with the configuration of the page, and a way to it that can be cut. */
async function start(t: TestContext): Promise<{ node: DefaultNode; proxy: CutProxy }> {
  const { clients } = JSON.parse(blocks('json')[0]!) as { clients: object };
  const node = await DefaultNode.start((config) => Object.assign(config.clients!, clients));
  t.after(() => node.stop());
  const proxy = await CutProxy.start(Number(new URL(node.url).port));
  t.after(() => proxy.stop());
  return { node, proxy };
}

/** Runs a program of the page; returns what it has printed so far. */
function run(t: TestContext, text: string, proxy: CutProxy): () => string {
  const program = text.replace('http://127.0.0.1:8080', proxy.url);
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  t.after(() => child.kill());
  return () => output;
}

test('the program of the page is back and has missed nothing, or loads anew', async (t) => {
  const { node, proxy } = await start(t);
  const output = run(t, blocks('js')[0]!, proxy);
  const subscribed = () =>
    eventually(async () => {
      const { json } = await ask(node, 'api', 'GET', '/api/KEY/pubsub/subscribe/ping.prices');
      return (json as { subscribed_clients?: number }).subscribed_clients === 1;
    }, 'its subscription');
  const publish = async (price: number) => {
    const event = { name: 'price', args: ['tea', price] };
    const { status } = await ask(node, 'api', 'POST', '/api/KEY/pubsub/publish/ping.prices', event);
    assert.equal(status, 200);
  };
  const prints = (lines: readonly string[]) =>
    eventually(() => output() === lines.map((line) => `${line}\n`).join(''), `${lines}, not ${output()}`);
  await subscribed();
  await publish(1);
  await prints(['loaded anew', 'tea 1']);
  proxy.cut();
  await publish(2);
  await publish(3);
  proxy.mend();
  await prints(['loaded anew', 'tea 1', 'back, nothing missed', 'tea 2', 'tea 3']);
});

test('listeners get the additional argument where the page says so; who has opted out, and 0.9, do not', async (t) => {
  const { node, proxy } = await start(t);
  const [first, second] = blocks('js');
  const head = first!.slice(0, first!.indexOf("socket.on('price'"));
  const output = run(t, head + second!, proxy);
  const others = [
    await SocketClient.connect('4.8 websocket', node.url, { recovery: '0' }),
    await SocketClient.connect('0.9 websocket', node.url),
  ];
  for (const other of others) {
    t.after(() => other.disconnect());
    other.emit('subscribe', { ping: 'prices' });
  }
  await eventually(async () => {
    const { json } = await ask(node, 'api', 'GET', '/api/KEY/pubsub/subscribe/ping.prices');
    return (json as { subscribed_clients?: number }).subscribed_clients === 3;
  }, 'all subscriptions');
  await ask(node, 'api', 'POST', '/api/KEY/pubsub/publish/ping.prices', { name: 'said', args: ['ann', 'hello'] });
  const printed = ['loaded anew', "3: [ 'ann', 'hello' ]", '1: ann hello', '2: string'];
  await eventually(() => output().trimEnd().split('\n').length === printed.length, 'four lines');
  assert.deepEqual(output().trimEnd().split('\n'), printed);
  for (const other of others) {
    await other.event('said');
    assert.deepEqual(other.received, [{ name: 'said', args: ['ann', 'hello'] }]);
  }
});

/** What a row of the table of the example results in, as a number. */
function result(of: string): number {
  const row = new RegExp(`^\\| ${of} +\\|[^|]*\\| (\\d+)`, 'm').exec(page);
  assert.ok(row, of);
  return Number(row[1]);
}

test('the journal holds what the example says', () => {
  let now = 0;
  const bounds = { windowMs: 600_000, maxBytes: 33_554_432 };
  const wheel = { start: (timer: Timer) => timer };
  const sessions = new MemoryStore({ bounds, tag: 'node-tag', wheel, now: () => now });
  const session = sessions.open('a session');
  sessions.join(session, 'news');
  const packet = (bytes: number) => new EventPacket('event', JSON.stringify(['x'.repeat(bytes - 'event'.length - 4)]));
  const [publish, single] = [packet(400), packet(200)];
  for (let second = 0; second < 300; second += 1) {
    for (let i = 0; i < 20; i += 1) sessions.publish('news', publish);
    for (let i = 0; i < 500; i += 1) sessions.send(session, single);
    now += 1000;
    if (second === 9) assert.equal(sessions.kept.bytes, 10 * result('sent by the node'));
  }
  const seconds = result('the default `max_bytes` holds');
  // The second that has just begun is there, and the oldest one not whole.
  assert.ok(Math.abs(sessions.kept.ageMs / 1000 - seconds) <= 1, `${sessions.kept.ageMs} ms`);
  assert.equal(Math.floor(bounds.maxBytes / result('sent by the node')), seconds);
  assert.equal(120 * result('sent by the node'), result('for a `window` of 120 s it takes'));
  assert.equal(2 * 400 + (500 / 10_000) * 200, result('one client gets'));
  assert.equal(Math.floor(1_048_576 / result('one client gets')), result('the default `max_backpressure` allows'));
});
