/** The events of docs/events.md that only a node with durable sessions publishes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DefaultNode, type Sections } from '../support/default-node.ts';
import { Recorder, startEventNode } from '../support/event-node.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { ReturningClient } from '../support/returning-client.ts';

const skip = missing('redis-server');

/** Lets a node have durable sessions. */
function durable(config: Sections, { port }: RedisServer): void {
  const at = { host: '127.0.0.1', port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
  const pools = config.connectors!.pools as object;
  Object.assign(pools, { redis: { connector: 'connector.redis', size: 1, overflow: 1, args: at } });
  Object.assign(config.clients!, { recovery: {}, durable: { connector: 'redis', lease: 1000 } });
}

test('a node that stops hands its sessions over', { skip }, async (t) => {
  const redis = await RedisServer.start();
  t.after(() => redis.stop());
  const recorder = new Recorder(t);
  const { name: node, url, stop } = await startEventNode(t, (config) => durable(config, redis));
  const client = new ReturningClient(url);
  t.after(() => client.stop());
  await client.connected();
  await stop();
  const drains = [false, true].map((isOver) => ({ node, isOver, sessions: 1 }));
  assert.deepEqual(recorder.of('hive:drain'), drains);
  assert.deepEqual(recorder.of('hive:disconnect'), []);
});

test('sessions are durable or not, and a node goes on with those of another one', {
  skip,
}, async (t) => {
  const redis = await RedisServer.start();
  t.after(() => redis.stop());
  const withRedis = (config: Sections): void => durable(config, redis);
  const other = await DefaultNode.start((config) => {
    config.hive!.name = 'other@127.0.0.1';
    withRedis(config);
  });
  t.after(() => other.stop());
  const client = new ReturningClient(other.url);
  t.after(() => client.stop());
  await client.connected();
  const recorder = new Recorder(t);
  const { name: node } = await startEventNode(t, withRedis);
  assert.deepEqual(await recorder.first('hive:durable'), { node, isDurable: true, reason: undefined });

  await other.process.stop('SIGKILL');
  const { sid, pid, ...adopted } = await recorder.first('hive:adopt');
  assert.deepEqual(adopted, { node, namespace: '/', from: 'other@127.0.0.1', epoch: 1 });
  assert.deepEqual(recorder.of('hive:suspend', { pid }), [{ node, sid, pid, namespace: '/', reason: 'node_lost' }]);
  assert.deepEqual(recorder.of('hive:connect'), []);

  await redis.stop();
  const { reason, ...lost } = await recorder.first('hive:durable', { isDurable: false });
  assert.deepEqual(lost, { node, isDurable: false });
  assert.equal(typeof reason, 'string');
});
