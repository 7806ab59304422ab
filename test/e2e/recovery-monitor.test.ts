/** What operators see of clients that lose their connection. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ClientView } from '../../src/web/monitor/monitor-host.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { ask, metric } from '../support/operator.ts';
import { ReturningClient } from '../support/returning-client.ts';
import { SocketClient } from '../support/socket-clients.ts';

interface Tree {
  readonly clients: {
    readonly states: Readonly<Record<'waiting' | 'suspended', number>>;
    readonly recovery: Readonly<Record<string, number>> & { readonly away: { readonly count: number } };
  };
}

test('the monitor says who is suspended, since when and why, and what becomes of them', async (t) => {
  const windowMs = 60_000;
  const node = await DefaultNode.start((config) => {
    config.hive!.max_client_slots = 2;
    Object.assign(config.clients!, { recovery: { window: windowMs } });
  });
  const proxy = await CutProxy.start(Number(new URL(node.url).port));
  const client = new ReturningClient(proxy.url);
  t.after(async () => {
    client.stop();
    await node.stop();
    await proxy.stop();
  });
  await client.connected();
  const [sid] = client.sids;
  const view = async () => (await ask(node, 'monitor', 'GET', `/monitor/KEY/clients/${sid}`)).json as ClientView;
  const clients = async () => ((await ask(node, 'monitor', 'GET', '/monitor/KEY/clients')).json as Tree).clients;
  const { phase, recoverable, suspended } = await view();
  assert.deepEqual({ phase, recoverable, suspended }, { phase: 'waiting', recoverable: true, suspended: null });

  proxy.cut();
  await eventually(async () => (await clients()).states.suspended === 1, 'the loss');
  const lost = await view();
  assert.equal(lost.phase, 'suspended');
  assert.equal(lost.transport, null);
  const { reason, agoMs, leftMs } = lost.suspended!;
  assert.match(reason, /^transport_(closed|error)$/);
  assert.ok(agoMs >= 0 && leftMs > 0);
  assert.equal(agoMs + leftMs, windowMs);

  const { stdout } = await hive(['status', '--config', join(node.directory, 'hive.json')]);
  assert.match(stdout, /^ {2}clients +1 \(0 WebSocket, 0 polling, 1 suspended\)$/m);

  const news = { action: 'send', args: { name: 'news', args: [] } };
  await ask(node, 'api', 'POST', `/api/KEY/clients/action/${sid}`, [news, news, news]);
  proxy.mend();
  await client.connected(2);
  const back = await clients();
  assert.equal((await view()).suspended, null);
  assert.deepEqual([back.states.suspended, back.states.waiting], [0, 1]);
  const { recovery } = back;
  assert.deepEqual([recovery.suspended, recovery.recovered, recovery.events, recovery.away.count], [1, 1, 3, 1]);

  // Its slot is needed; then it comes back after all.
  proxy.cut();
  await eventually(async () => (await clients()).states.suspended === 1, 'another loss');
  const others = [await SocketClient.connect('4.8 websocket', node.url)];
  others.push(await SocketClient.connect('4.8 websocket', node.url));
  await eventually(async () => (await clients()).states.suspended === 0, 'its end');
  await others[0]!.disconnect();
  // A client that is refused does not come once more by itself.
  await eventually(async () => (await metric(node, 'hive.router.current_clients')) === 1, 'a free slot');
  proxy.mend();
  await client.connected(3);
  const after = await clients();
  assert.deepEqual([after.recovery.evicted, after.recovery.expired, after.recovery.ended], [1, 0, 1]);
  await others[1]!.disconnect();
});

test('a session to which nobody returns in time is counted', async (t) => {
  const node = await DefaultNode.start((config) => {
    Object.assign(config.clients!, { recovery: { window: 1000 } });
  });
  const proxy = await CutProxy.start(Number(new URL(node.url).port));
  const client = new ReturningClient(proxy.url);
  t.after(async () => {
    client.stop();
    await node.stop();
    await proxy.stop();
  });
  await client.connected();
  proxy.cut();
  const recovery = async () =>
    ((await ask(node, 'monitor', 'GET', '/monitor/KEY/clients')).json as Tree).clients.recovery;
  await eventually(async () => (await recovery()).expired === 1, 'its end');
  assert.equal((await recovery()).evicted, 0);
});
