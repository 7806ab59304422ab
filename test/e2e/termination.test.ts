/** How clients and nodes end when they are told to: in good order, with every good-bye said once, and not before its time. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, metric } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

const graceMs = 1500;

interface Stage {
  readonly node: DefaultNode;
  /** `<endpoint> <trigger>` of every request to the back end. */
  readonly heard: string[];
}

/** A node whose clients say good-bye to a back end; `/slow` never answers. */
async function start(t: TestContext): Promise<Stage> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      heard.push(`${request.url} ${JSON.stringify((JSON.parse(body) as { trigger: unknown }).trigger)}`);
      const leave = { action: 'send', args: { name: 'please_leave', args: [] } };
      if (request.url !== '/slow') response.end(request.url === '/terminate' ? JSON.stringify(leave) : '');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as { port: number };
  const node = await DefaultNode.start((config) => {
    config.hive!.graceful_termination_timeout = graceMs;
    const args = { base_url: `http://127.0.0.1:${port}`, max_connection_timeout: 30_000, max_connections: 8 };
    config.connectors!.pools = { web: { connector: 'connector.http', size: 4, overflow: 4, args } };
    const hook = (name: string, endpoint: string) => [{ hook: name, args: { connector: 'web', endpoint } }];
    Object.assign(config.clients!.hooks!, {
      on_terminate: hook('hp.post', '/terminate'),
      on_disconnect: hook('hp.post', '/goodbye'),
      slow: hook('hp.post', '/slow'),
    });
  });
  t.after(() => node.stop());
  return { node, heard };
}

const count = (heard: readonly string[], what: string) => heard.filter((line) => line === what).length;

/** One has left by itself, the node has ended the others. */
const assertGoodbyes = (heard: readonly string[]) => {
  const goodbyes = heard.filter((line) => line.startsWith('/goodbye '));
  assert.deepEqual(goodbyes.toSorted(), ['/goodbye "client_disconnect"', '/goodbye "shutdown"', '/goodbye "shutdown"']);
};

test('clients are told, may leave by themselves, and are ended when their time is over; the doors stay closed', async (t) => {
  const { node, heard } = await start(t);
  const polite = await SocketClient.connect('4.8 websocket', node.url);
  const stubborn = await SocketClient.connect('0.9 xhr-polling', node.url);
  const busy = await SocketClient.connect('4.8 polling', node.url);
  busy.emit('slow', 1);
  await eventually(() => heard.length === 1, 'the slow hook');

  const began = performance.now();
  assert.equal((await ask(node, 'api', 'POST', '/api/KEY/router/terminate', 'maintenance')).status, 200);
  assert.equal((await fetch(`${node.url}/socket.io/1/`)).status, 503);
  await Promise.all([polite.event('please_leave'), stubborn.event('please_leave')]);
  assert.equal(count(heard, '/terminate "maintenance"'), 2);
  await polite.disconnect();
  await eventually(() => count(heard, '/goodbye "client_disconnect"') === 1, 'the good-bye of the one that left');
  assert.ok(stubborn.connected && busy.connected);

  await eventually(() => !stubborn.connected && !busy.connected, 'the end of the others');
  assert.ok(performance.now() - began >= graceMs - 20, 'not before the time is over');
  await eventually(async () => (await metric(node, 'clients.total')) === 0, 'their actors');
  assertGoodbyes(heard);
  assert.equal((await fetch(`${node.url}/socket.io/1/`)).status, 503);

  assert.equal((await ask(node, 'api', 'POST', '/api/KEY/router/enable')).status, 200);
  const next = await SocketClient.connect('4.8 websocket', node.url);
  assert.ok(next.connected);
});

test('a termination that is called off lets clients stay, and never meets those that come later', async (t) => {
  const { node } = await start(t);
  const { node: other } = await start(t);
  const elsewhere = await SocketClient.connect('4.8 websocket', other.url);
  const present = await SocketClient.connect('4.8 websocket', node.url);
  await ask(node, 'api', 'POST', '/api/KEY/router/terminate', 'perhaps');
  await present.event('please_leave');
  await ask(node, 'api', 'POST', '/api/KEY/router/enable');
  const later = await SocketClient.connect('4.8 websocket', node.url);
  // The same elsewhere, begun later and not called off: when it is over there, it would be here.
  await ask(other, 'api', 'POST', '/api/KEY/router/terminate', 'surely');
  await eventually(() => !elsewhere.connected, 'the end of the other client');
  assert.ok(present.connected && later.connected);
});

for (const how of ['hive/stop', 'SIGTERM', 'SIGINT'] as const) {
  test(`${how} ends a node like that, with exit code 0 and every good-bye`, async (t) => {
    const { node, heard } = await start(t);
    const clients = await Promise.all([
      SocketClient.connect('4.8 websocket', node.url),
      SocketClient.connect('0.9 websocket', node.url),
      SocketClient.connect('4.8 polling', node.url),
    ]);
    clients[2]!.emit('slow', 1);
    await eventually(() => heard.length === 1, 'the slow hook');
    if (how === 'hive/stop') assert.equal((await ask(node, 'api', 'POST', '/api/KEY/hive/stop')).status, 200);
    else node.process.signal(how);
    await Promise.all(clients.slice(0, 2).map((client) => client.event('please_leave')));
    // API and monitor are there as long as clients are.
    assert.equal(await metric(node, 'clients.total'), 3);
    await clients[0]!.disconnect();
    const { code, signal } = await node.process.finished;
    assert.deepEqual([code, signal], [0, null]);
    assert.equal(count(heard, '/terminate "shutdown"'), 2);
    assertGoodbyes(heard);
    await eventually(() => clients.every(({ connected }) => !connected), 'the end of the connections');
  });
}
