/** Which events of clients reach the Redis that keeps the sessions: those that change a session, and what clients are sent that may return. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { SocketClient } from '../support/socket-clients.ts';

const skip = missing('redis-server');
const events = 50;
/** What a node does whether it has sessions or not, and the test itself. */
const upkeep = new Set(['pexpire', 'hgetall', 'exists', 'info', 'client|setinfo']);

interface Scene {
  readonly client: SocketClient;
  /** Calls of commands that Redis has had since the last time. */
  calls(): Promise<Record<string, number>>;
}

async function start(t: TestContext, recovery: object): Promise<Scene> {
  const redis = await RedisServer.start();
  t.after(() => redis.stop());
  const backEnd = await BackEnd.start();
  t.after(() => backEnd.stop());
  backEnd.answers.set('/ask', ({ body }) => {
    const { trigger_id } = JSON.parse(body) as { trigger_id: string };
    return { body: [{ action: 'reply', args: ['yes'], trigger_id }] };
  });
  const node = await DefaultNode.start((config) => {
    const web = { base_url: backEnd.url, max_connection_timeout: 5000 };
    const store = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 100, max_reconnect_timeout: 1000 };
    config.connectors = {
      pools: {
        web: { connector: 'connector.http', size: 4, overflow: 0, args: web },
        redis: { connector: 'connector.redis', size: 2, overflow: 2, args: store },
      },
    };
    Object.assign(config.clients!, {
      durable: { connector: 'redis' },
      ...recovery,
      state: { state_manager: 'sm.local', initial_value: {}, args: null },
      actions: { reply: [{ action: 'action.send_ack', args: null }] },
      hooks: {
        echo: [{ hook: 'utils.echo', args: null }],
        ask: [{ hook: 'hp.post', args: { connector: 'web', endpoint: '/ask' } }],
      },
    });
  });
  t.after(() => node.stop());
  const client = await SocketClient.connect('4.8 websocket', node.url);
  t.after(() => client.disconnect());
  // Its record is stored before its connect is answered.
  await eventually(async () => (await redis.query((commands) => commands.keys('*:sessions'))).length === 1, 'a record');
  let before: Record<string, number> = {};
  const calls = async () => {
    const text = await redis.query((commands) => commands.info('commandstats'));
    const now = Object.fromEntries(
      [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => [name!, Number(count)]),
    );
    const since = Object.entries(now)
      .filter(([name]) => !upkeep.has(name))
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    before = now;
    return Object.fromEntries(since);
  };
  await calls();
  return { client, calls };
}

/** Each is acknowledged before the next one is sent. */
async function ask(client: SocketClient): Promise<void> {
  for (let at = 0; at < events; at += 1) {
    assert.equal(await new Promise((answered) => client.emit('ask', at, answered)), 'yes');
  }
}

async function echo(client: SocketClient, from = 0): Promise<void> {
  for (let at = from; at < from + events; at += 1) client.emit('echo', at);
  await client.event('echo', (value) => value === from + events - 1);
}

test('without recovery, events that change no state cost no call, whatever they are answered', { skip }, async (t) => {
  const { client, calls } = await start(t, {});
  await ask(client);
  await echo(client);
  assert.deepEqual(await calls(), {});
});

test('with recovery, an event that is acknowledged costs no call; what clients are sent is one command per batch', {
  skip,
}, async (t) => {
  const { client, calls } = await start(t, { recovery: {} });
  await ask(client);
  assert.deepEqual(await calls(), {});
  await echo(client);
  // The journal has begun with the lease.
  const { xadd = 0, ...others } = await calls();
  assert.deepEqual(others, {});
  assert.ok(xadd > 0 && xadd <= events, `${xadd} batches`);
  await echo(client, events);
  assert.deepEqual(Object.keys(await calls()), ['xadd']);
});
