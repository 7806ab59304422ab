/** A node whose sessions' state is in a Redis that is not there: who needs it is told so, all else goes on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

let node: DefaultNode;
let redisPort: number | undefined;

before(async () => {
  [redisPort] = await freePorts(1);
  const args = { host: '127.0.0.1', port: redisPort, database: 0, password: '', reconnect_timeout: 100 };
  node = await DefaultNode.start((config) => {
    config.hive!.mode = 'development';
    config.connectors!.pools = {
      database: { connector: 'connector.redis', size: 1, overflow: 0, args: { ...args, max_reconnect_timeout: 300 } },
    };
    config.clients!.state = {
      state_manager: 'sm.redis',
      initial_value: { nick: null },
      args: { connector: 'database' },
    };
  });
});

after(() => node?.stop());

test('a client gets redis_error with the address, and the node lives on', async () => {
  await assert.rejects(SocketClient.connect('4.8 websocket', node.url), (error: Error) => {
    assert.match(error.message, new RegExp(`connect_error.*127\\.0\\.0\\.1:${redisPort}`));
    return true;
  });
  const handshake = await fetch(`${node.url}/socket.io/1/`);
  assert.equal(handshake.status, 502);
  assert.equal(((await handshake.json()) as { error: string }).error, 'redis_error');
  assert.equal((await node.api('GET', 'hive/version')).status, 200);
  assert.ok(node.process.running);
});
