/** What becomes of a node whose plugin has a listener of events that throws: `listen` keeps it from ending the node. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { SocketClient } from '../support/socket-clients.ts';

const installation = fileURLToPath(new URL('../..', import.meta.url));

async function start(t: TestContext, subscribing: string): Promise<{ node: DefaultNode; crashLog: () => string }> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-listeners-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(installation, join(directory, 'node_modules/hive-push'));
  const plugin = `
    import { definePlugin, events, listen } from 'hive-push';
    const listener = ({ channel }) => { throw new RangeError('a listener fails at ' + channel); };
    ${subscribing};
    export default definePlugin({});
  `;
  writeFileSync(join(directory, 'listener.mjs'), plugin);
  const node = await DefaultNode.start((config) => {
    config.plugins = [join(directory, 'listener.mjs')] as never;
  });
  t.after(() => node.stop());
  return { node, crashLog: () => readFileSync(join(node.directory, 'log/crash.log'), 'utf8') };
}

test('a listener that throws is in crash.log, and the node goes on', async (t) => {
  const { node, crashLog } = await start(t, 'listen(events.subscribe, listener)');
  const client = await SocketClient.connect('4.8 websocket', node.url);
  t.after(() => client.disconnect());
  client.emit('subscribe', 'ping.a');
  await eventually(() => crashLog().includes('RangeError: a listener fails at ping.a'), 'the line in crash.log');
  const { status } = await node.api('POST', 'pubsub/publish/ping.a', JSON.stringify({ name: 'hello', args: [] }));
  assert.equal(status, 200);
  await client.event('hello');
});

test('one that was subscribed without `listen` ends the node, as docs/events.md says', async (t) => {
  const { node, crashLog } = await start(t, 'events.subscribe.subscribe(listener)');
  const client = await SocketClient.connect('4.8 websocket', node.url);
  client.emit('subscribe', 'ping.a');
  const { code } = await node.process.finished;
  assert.equal(code, 1);
  assert.match(crashLog(), /RangeError: a listener fails at ping\.a/);
});
