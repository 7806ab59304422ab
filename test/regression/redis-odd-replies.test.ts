/**
 * A null reply (`$-1`) that nobody had asked for was an uncaught TypeError in ioredis, and ended the node; so was a push of RESP 3
 * without a channel, and ten bytes that announced thirty million items took its memory. Whatever is odd, the connection is dropped and another one opened.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RedisRequest } from '../../src/plugins/connectors/redis/worker.ts';
import { startConnectors } from '../support/connectors.ts';
import { eventually } from '../support/eventually.ts';
import { bulk, FakeRedis, sane } from '../support/fake-redis.ts';

async function started(t: TestContext, prepare: (server: FakeRedis) => void = () => {}) {
  const server = await FakeRedis.start();
  prepare(server);
  const where = { host: '127.0.0.1', port: server.port, database: 0, password: '' };
  const args = { ...where, reconnect_timeout: 100, max_reconnect_timeout: 1000 };
  const pools = { db: { connector: 'connector.redis', size: 1, overflow: 0, args } };
  const connectors = await startConnectors({ pools });
  t.after(async () => {
    await connectors.close();
    server.stop();
  });
  const run = (...commands: RedisRequest['commands']) =>
    connectors.pools.get<unknown, unknown[]>('db').request({ commands } satisfies RedisRequest);
  return { server, connectors, run };
}

const unasked: Record<string, string> = {
  'a null': '$-1\r\n',
  'a null array': '*-1\r\n',
  'a number': ':1\r\n',
  'an error': '-ERR odd\r\n',
  'a text': '+OK\r\n',
  'many nulls': '$-1\r\n'.repeat(1000),
  'a null and garbage': '$-1\r\n\x00\xff?!',
  garbage: 'HTTP/1.1 200 OK\r\n\r\n',
  'a number that is none': ':x\r\n',
  'a push of a null': '>1\r\n_\r\n',
  'a push of no channel': '>2\r\n+subscribe\r\n_\r\n',
  'a push of a channel, and a null in an array': '>3\r\n+subscribe\r\n+x\r\n:1\r\n*1\r\n$-1\r\n',
  'thirty million items to come': '*30000000\r\n',
  'four thousand million pairs to come': '%4000000000\r\n',
  'arrays in arrays': `${'*1\r\n'.repeat(20_000)}:1\r\n`,
};

for (const [what, bytes] of Object.entries(unasked)) {
  test(`${what} that nobody asked for: another connection is opened`, async (t) => {
    const { server, run } = await started(t);
    assert.deepEqual(await run(['set', 'a', 1]), ['OK']);
    const before = server.connections;
    server.say(bytes);
    await eventually(() => server.connections > before, 'another connection');
    assert.deepEqual(await run(['set', 'a', 2]), ['OK']);
  });

  test(`${what} behind the answer that was asked for: the answer counts, another connection is opened`, async (t) => {
    const { server, run } = await started(t);
    server.answer = (command, socket) => (command[0] === 'get' ? `${bulk('it')}${bytes}` : sane(command, socket));
    const before = server.connections;
    const got = await run(['get', 'a']).catch((error: { code: string }) => error.code);
    assert.ok(JSON.stringify(got) === '["it"]' || got === 'redis_error', String(got));
    await eventually(() => server.connections > before, 'another connection');
    assert.deepEqual(await run(['set', 'a', 2]), ['OK']);
  });
}

for (const [what, greeting] of Object.entries(unasked)) {
  test(`${what} as a greeting: the server cannot be used, until it can`, async (t) => {
    const { server, run } = await started(t, (server) => {
      server.greeting = greeting;
    });
    // The greeting is taken for the answer to what is asked next: only the one too many tells.
    await eventually(() => server.connections > 2, 'further connections');
    server.greeting = '';
    await eventually(
      async () => JSON.stringify(await run(['get', 'a']).catch(() => undefined)) === '["OK"]',
      'the server to be used',
    );
  });
}

test('half an answer fails the command in time, and costs the connection', async (t) => {
  const { server, run } = await started(t);
  server.answer = (command, socket) => (command[0] === 'get' ? '$10\r\nhalf' : sane(command, socket));
  await assert.rejects(run(['get', 'a']), { code: 'redis_error', message: /no answer within 1000 ms/ });
  assert.deepEqual(await run(['set', 'a', 2]), ['OK']);
});

test('fewer answers than commands fail all that were sent together', async (t) => {
  const { server, run } = await started(t);
  server.answer = (command, socket) => (command[0] === 'get' ? undefined : sane(command, socket));
  await assert.rejects(run(['set', 'a', 1], ['get', 'a']), { code: 'redis_error', message: /no answer within/ });
});
