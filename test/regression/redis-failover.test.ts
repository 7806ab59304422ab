/**
 * Redis fails over behind a fixed address. The connection stayed with the old master, which was a replica by then: every write was
 * answered READONLY for ever, new clients were refused.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RedisRequest } from '../../src/plugins/connectors/redis/worker.ts';
import { type Connectors, startConnectors } from '../support/connectors.ts';
import { eventually } from '../support/eventually.ts';
import { bulk, FakeRedis, sane } from '../support/fake-redis.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { FixedAddress, say, startReplica } from '../support/redis-sets.ts';

const skip = missing('redis-server');

async function pool(t: TestContext, port: number, args: object = {}, size = 2): Promise<Connectors> {
  const all = { host: '127.0.0.1', port, reconnect_timeout: 100, max_reconnect_timeout: 5000, ...args };
  const connectors = await startConnectors({
    pools: { db: { connector: 'connector.redis', size, overflow: 0, args: all } },
  });
  t.after(() => connectors.close());
  return connectors;
}

function run(connectors: Connectors, ...commands: RedisRequest['commands']): Promise<unknown[]> {
  return connectors.pools.get<unknown, unknown[]>('db').request({ commands });
}

/** A master, its replica, and an address that leads to the master. */
async function pair(t: TestContext) {
  const master = await RedisServer.start();
  const replica = await startReplica(master);
  const address = await FixedAddress.start(master.port);
  t.after(async () => {
    address.stop();
    await Promise.all([master.stop(), replica.stop()]);
  });
  return { master, replica, address };
}

/** The two change places; connections stay. */
async function failOver(master: RedisServer, replica: RedisServer): Promise<void> {
  await say(replica, 'replicaof', 'no', 'one');
  await say(master, 'replicaof', '127.0.0.1', replica.port);
}

const transaction: RedisRequest['commands'] = [['multi'], ['set', 'b', 2], ['incr', 'n'], ['exec']];

test('a command that a replica has refused is done by the new master, once', { skip }, async (t) => {
  const { master, replica, address } = await pair(t);
  const connectors = await pool(t, address.port);
  assert.deepEqual(await run(connectors, ['set', 'a', 1]), ['OK']);
  address.target = replica.port;
  await failOver(master, replica);
  const replies = await Promise.all([run(connectors, ['incr', 'n']), run(connectors, ...transaction)]);
  assert.deepEqual(
    replies.map((list) => list.length),
    [1, 4],
  );
  assert.equal(await say(replica, 'get', 'n'), '2');
  assert.equal(connectors.counter('connectors.redis.db.errors'), 0);
});

test('while the address still leads to the replica commands wait, then fail with the reason; and back', {
  skip,
}, async (t) => {
  const { master, replica, address } = await pair(t);
  const connectors = await pool(t, address.port, { max_reconnect_timeout: 1000 });
  await run(connectors, ['set', 'a', 1]);
  await failOver(master, replica);
  await assert.rejects(run(connectors, ['set', 'a', 2]), { code: 'redis_error', message: /READONLY/ });
  // What only reads is served meanwhile.
  assert.ok(await eventually(() => run(connectors, ['ping']).catch(() => undefined), 'a read'));
  const outages = () => connectors.warnings.filter((line) => line.includes('is unreachable: READONLY'));
  assert.equal(outages().length, 1, connectors.warnings.join('\n'));
  address.target = replica.port;
  await eventually(() => run(connectors, ['set', 'a', 3]).catch(() => undefined), 'the new master to be used');
  assert.equal(await say(replica, 'get', 'a'), '3');
});

test('nobody need ask for the end of such an outage to be noticed', { skip }, async (t) => {
  const { master, replica, address } = await pair(t);
  const connectors = await pool(t, address.port, { max_reconnect_timeout: 300 }, 1);
  await run(connectors, ['set', 'a', 1]);
  await failOver(master, replica);
  await assert.rejects(run(connectors, ['set', 'a', 2]), { code: 'redis_error' });
  const problem = () => connectors.pools.pools.get('db')!.problem;
  assert.match(problem() ?? '', /READONLY/);
  address.target = replica.port;
  await eventually(() => problem() === undefined, 'the end of the outage');
});

const others = {
  LOADING: 'LOADING Redis is loading the dataset in memory',
  MASTERDOWN: "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  CLUSTERDOWN: 'CLUSTERDOWN The cluster is down',
  EXECABORT: "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
};

for (const [what, text] of Object.entries(others)) {
  test(`${what} is answered with another connection, and the command is tried again`, async (t) => {
    const server = await FakeRedis.start();
    t.after(() => server.stop());
    server.answer = (command, socket) =>
      command[0] === 'get' && server.connections === 1
        ? `-${text}\r\n`
        : command[0] === 'get'
          ? bulk('it')
          : sane(command, socket);
    const connectors = await pool(t, server.port, {}, 1);
    assert.deepEqual(await run(connectors, ['get', 'a']), ['it']);
    assert.equal(server.connections, 2);
  });
}

test('other errors are the answer to their command, and cost nothing', async (t) => {
  const server = await FakeRedis.start();
  t.after(() => server.stop());
  server.answer = (command, socket) =>
    command[0] === 'get' ? '-ERR READONLY is no command\r\n' : sane(command, socket);
  const connectors = await pool(t, server.port, {}, 1);
  await assert.rejects(run(connectors, ['get', 'a']), { code: 'redis_error', message: 'ERR READONLY is no command' });
  assert.equal(server.connections, 1);
});

test('what was done in part is not done again', async (t) => {
  const server = await FakeRedis.start();
  t.after(() => server.stop());
  server.answer = (command, socket) => (command[0] === 'incr' ? '-READONLY now\r\n' : sane(command, socket));
  const connectors = await pool(t, server.port, {}, 1);
  await assert.rejects(run(connectors, ['set', 'a', 1], ['incr', 'n']), {
    code: 'redis_error',
    message: 'READONLY now',
  });
  assert.equal(server.commands.filter(([name]) => name === 'set').length, 1);
});
