/** Bad input at every door of a real node, while somebody else is being served. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeReasons } from '../../src/web/client/client-handle.ts';
import { DefaultNode } from '../support/default-node.ts';
import { RawSocket } from '../support/raw-client.ts';
import { SocketClient } from '../support/socket-clients.ts';

/** A door, what is put through it, and what must come back. */
interface Case {
  readonly title: string;
  readonly door: 'client' | 'api' | 'monitor';
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  readonly says: RegExp;
}

const nobody = 'A'.repeat(30);
const big = 'x'.repeat(8_000_001);

const cases: readonly Case[] = [
  // clients
  { title: 'an unknown path', door: 'client', method: 'GET', path: '/nothing', status: 404, says: /^$/ },
  {
    title: 'an unknown transport',
    door: 'client',
    method: 'GET',
    path: '/socket.io/?EIO=4&transport=smoke',
    status: 400,
    says: /Transport unknown/,
  },
  {
    title: 'an unsupported protocol',
    door: 'client',
    method: 'GET',
    path: '/socket.io/?EIO=9&transport=polling',
    status: 400,
    says: /Unsupported protocol version/,
  },
  {
    title: 'a poll for an unknown session',
    door: 'client',
    method: 'GET',
    path: `/socket.io/?EIO=4&transport=polling&sid=${nobody}`,
    status: 400,
    says: /Session ID unknown/,
  },
  {
    title: 'a post for an unknown session',
    door: 'client',
    method: 'POST',
    path: `/socket.io/?EIO=4&transport=polling&sid=${nobody}`,
    body: '40',
    status: 400,
    says: /Session ID unknown/,
  },
  {
    title: 'a handshake by POST',
    door: 'client',
    method: 'POST',
    path: '/socket.io/?EIO=4&transport=polling',
    body: '',
    status: 400,
    says: /Bad handshake method/,
  },
  {
    title: 'a 0.9 poll for an unknown session',
    door: 'client',
    method: 'GET',
    path: `/socket.io/1/xhr-polling/${nobody}`,
    status: 404,
    says: /^7:::1\+0$/,
  },
  {
    title: 'a 0.9 handshake by DELETE',
    door: 'client',
    method: 'DELETE',
    path: '/socket.io/1/',
    status: 405,
    says: /bad_request/,
  },
  // API
  {
    title: 'a wrong key',
    door: 'api',
    method: 'GET',
    path: '/api/wrong-key/hive/version',
    status: 401,
    says: /bad_api_request/,
  },
  { title: 'no key', door: 'api', method: 'GET', path: '/api', status: 401, says: /bad_api_request/ },
  {
    title: 'an unknown section',
    door: 'api',
    method: 'GET',
    path: '/api/KEY/nothing/at',
    status: 404,
    says: /bad_api_request/,
  },
  {
    title: 'an unknown action',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/shout/ping',
    body: '{}',
    status: 501,
    says: /bad_api_request/,
  },
  {
    title: 'a wrong method',
    door: 'api',
    method: 'GET',
    path: '/api/KEY/pubsub/publish/ping',
    status: 405,
    says: /bad_api_request/,
  },
  {
    title: 'orders that are not JSON',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/action/ping',
    body: '{',
    status: 400,
    says: /invalid_json/,
  },
  {
    title: 'orders that are none',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/action/ping',
    body: '{"action":5}',
    status: 400,
    says: /bad_internal_event/,
  },
  {
    title: 'an event that is not JSON',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/publish/ping',
    body: 'hello',
    status: 400,
    says: /invalid_json/,
  },
  {
    title: 'an event that is none',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/publish/ping',
    body: '{"args":[]}',
    status: 400,
    says: /bad_external_event/,
  },
  {
    title: 'an empty body',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/publish/ping',
    body: '',
    status: 400,
    says: /invalid_json/,
  },
  {
    title: 'a body beyond the limit',
    door: 'api',
    method: 'POST',
    path: '/api/KEY/pubsub/publish/ping',
    body: big,
    status: 413,
    says: /payload_too_large/,
  },
  {
    title: 'orders for an unknown session',
    door: 'api',
    method: 'POST',
    path: `/api/KEY/clients/action/${nobody}`,
    body: '[]',
    status: 404,
    says: /bad_session_id/,
  },
  {
    title: 'a subscription of an unknown session',
    door: 'api',
    method: 'POST',
    path: `/api/KEY/pubsub/subscribe/${nobody}`,
    body: '["ping.a"]',
    status: 404,
    says: /bad_session_id/,
  },
  {
    title: 'the number of subscribers of nothing',
    door: 'api',
    method: 'GET',
    path: '/api/KEY/pubsub/subscribe/ping.nobody',
    status: 404,
    says: /unknown_channel_id/,
  },
  {
    title: 'a malformed escape',
    door: 'api',
    method: 'GET',
    path: '/api/KEY/pubsub/subscribe/%E0%A4%A',
    status: 400,
    says: /bad_api_request/,
  },
  // monitor
  {
    title: 'a wrong key',
    door: 'monitor',
    method: 'GET',
    path: '/monitor/wrong-key',
    status: 401,
    says: /bad_monitor_request/,
  },
  {
    title: 'an unknown metric',
    door: 'monitor',
    method: 'GET',
    path: '/monitor/KEY/no.such',
    status: 404,
    says: /bad_monitor_request/,
  },
  {
    title: 'a reset of nothing',
    door: 'monitor',
    method: 'DELETE',
    path: '/monitor/KEY/no.such',
    status: 404,
    says: /bad_monitor_request/,
  },
  {
    title: 'a reset of a section',
    door: 'monitor',
    method: 'DELETE',
    path: '/monitor/KEY/clients',
    status: 400,
    says: /bad_monitor_request/,
  },
  {
    title: 'a wrong method',
    door: 'monitor',
    method: 'PUT',
    path: '/monitor/KEY/clients',
    status: 405,
    says: /bad_monitor_request/,
  },
  {
    title: 'a depth that is no number',
    door: 'monitor',
    method: 'GET',
    path: '/monitor/KEY/supervision?depth=deep',
    status: 400,
    says: /bad_monitor_request/,
  },
];

describe('bad input gets the right answer, and nobody else notices:', () => {
  let node: DefaultNode;
  let bystander: SocketClient;

  before(async () => {
    node = await DefaultNode.start();
    bystander = await SocketClient.connect('4.8 websocket', node.url);
    bystander.emit('subscribe', { ping: 'all' });
  });

  after(async () => {
    await bystander.disconnect();
    await node.stop();
  });

  for (const { title, door, method, path, body, status, says } of cases) {
    test(`${door}: ${title}`, async () => {
      const answer = await fetch(node.address(door, path), { method, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status);
      const type =
        door === 'client'
          ? /^(?:application\/json|text\/plain); charset=utf-8$/i
          : /^application\/json; charset=utf-8$/;
      assert.match(answer.headers.get('content-type') ?? '', type);
      assert.match(await answer.text(), says);
    });
  }

  test('clients: events that are none get an error, and the session lives on', async () => {
    const client = await SocketClient.connect('0.9 websocket', node.url);
    const raw = await SocketClient.connect('4.8 polling', node.url);
    raw.emit('subscribe', null);
    assert.deepEqual(Object.keys(await raw.event<object>('hive_error')), ['error', 'description']);
    client.emit('subscribe', { nothing: 'there' });
    await client.event('hive_error');
    assert.ok(client.connected && raw.connected);
    await Promise.all([client.disconnect(), raw.disconnect()]);
  });

  test('clients: what is no packet ends its connection (bad_packet): close code 1007, or status 400 with the reason', async () => {
    const socket = await new RawSocket(`${node.url}/socket.io/?EIO=4&transport=websocket`).opened();
    socket.send('rubbish');
    assert.equal(await socket.closed(), closeReasons.bad_packet.code);
    const [sid] = (await (await fetch(`${node.url}/socket.io/1/`)).text()).split(':');
    const poll = `${node.url}/socket.io/1/xhr-polling/${sid}`;
    assert.equal(await (await fetch(poll)).text(), '1:::');
    const answer = await fetch(poll, { method: 'POST', body: 'rubbish' });
    assert.deepEqual([answer.status, await answer.text()], [400, '7:::The packet has no known type.']);
  });

  test('the bystander is still connected, subscribed, and has seen nothing of it', async () => {
    assert.deepEqual(bystander.received, []);
    assert.equal((await node.api('POST', 'pubsub/publish/ping', '{"name":"news","args":["all well"]}')).status, 200);
    assert.equal(await bystander.event('news'), 'all well');
    assert.ok(bystander.connected);
    const metrics = (await (await node.monitor('GET', 'hive.actors')).json()) as {
      hive: { actors: { crashes: number } };
    };
    assert.equal(metrics.hive.actors.crashes, 0);
  });
});
