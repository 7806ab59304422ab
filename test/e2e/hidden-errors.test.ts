/** In production clients learn that something went wrong, and a reference; what it was is in the log. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import type { Failure } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';

test('a store that cannot be reached is not told to whom it refuses, in the body of a handshake or otherwise', async (t) => {
  const [dead] = await freePorts(1);
  const node = await DefaultNode.start((config) => {
    const args = {
      host: '127.0.0.1',
      port: dead,
      database: 0,
      password: 'hunter-two',
      restart_timeout: 60_000,
      reconnect_timeout: 50,
      max_reconnect_timeout: 200,
    };
    Object.assign(config.connectors!, { rent_timeout: 200, backoff_num: 1, backoff_time: 0 });
    config.connectors!.pools = { database: { connector: 'connector.redis', size: 1, overflow: 0, args } };
    config.clients!.state = {
      state_manager: 'sm.redis',
      initial_value: { plan: 'b' },
      args: { connector: 'database' },
    };
  });
  t.after(() => node.stop());

  const shown: Failure[] = [];
  const handshake = await fetch(`${node.url}/socket.io/1/`);
  assert.equal(handshake.status, 500);
  assert.match(handshake.headers.get('content-type') ?? '', /^application\/json/);
  shown.push((await handshake.json()) as Failure);
  const client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  const { message, data } = (await next(client, 'connect_error')) as { message: string; data?: unknown };
  client.disconnect();
  shown.push({ error: 'internal_error', description: `${message} ${JSON.stringify(data ?? '')}` });

  const log = () => readFileSync(join(node.directory, 'log', 'hive.log'), 'utf8');
  for (const { error, description } of shown) {
    assert.equal(error, 'internal_error');
    assert.doesNotMatch(description, /redis|127\.0|HSET|plan|database/i);
    const [, reference = 'none'] = /reference ([0-9a-f]{8})/.exec(description) ?? [];
    const line = new RegExp(`"reference":"${reference}".*"error":"(?:redis_error|connector_error)"`);
    await eventually(() => line.test(log()), `${reference} in the log`);
  }
  assert.ok(!log().includes('hunter-two'));
});
