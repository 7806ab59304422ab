/**
 * A plugin may throw anything. An object without a prototype ended the node (`String(thrown)` throws, in the kernel's own
 * handler), a Proxy whose traps throw left calls unanswered, either as the rejection of a promise that nobody waits for ended the process.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { oddities } from '../support/oddities.js';
import { metric } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

const support = fileURLToPath(new URL('../support/', import.meta.url));
const installation = fileURLToPath(new URL('../..', import.meta.url));

describe('whatever a plugin throws', () => {
  let directory: string;
  let node: DefaultNode;
  let witness: SocketClient;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hive-odd-'));
    copyFileSync(join(support, 'odd-plugin.js'), join(directory, 'odd-plugin.mjs'));
    copyFileSync(join(support, 'oddities.js'), join(directory, 'oddities.js'));
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(installation, join(directory, 'node_modules/hive-push'));
    node = await DefaultNode.start((config) => {
      config.plugins = [join(directory, 'odd-plugin.mjs')] as never;
      const hook = (name: string, args: unknown = null) => [{ hook: `odd.${name}`, args }];
      config.clients = {
        state: { state_manager: 'odd.states', initial_value: {}, args: null },
        actions: { act: [{ action: 'odd.action', args: null }] },
        hooks: {
          on_connect: hook('connect'),
          on_disconnect: hook('leave'),
          throw: hook('throw'),
          reject: hook('reject'),
          detach: hook('detach'),
          cause: hook('cause'),
          'worker throws': hook('ask', 'throw'),
          'worker fails': hook('ask', 'fail'),
          mark: hook('mark'),
          act: [{ hook: 'utils.dispatch', args: null }],
          ping: [{ hook: 'utils.echo', args: { name: 'pong', args: [] } }],
        },
      };
      // One for either: workers that crash often are replaced with pauses.
      const pool = { connector: 'odd.connector', size: 1, overflow: 0, args: null };
      config.connectors!.pools = { throw: pool, fail: pool };
    });
    witness = await SocketClient.connect('4.8 websocket', node.url);
  });
  after(async () => {
    await witness?.disconnect();
    await node?.stop();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  async function nobodyElseNotices(): Promise<void> {
    assert.ok(node.process.running, node.process.stderr);
    const pong = witness.nextEvent('pong');
    witness.emit('ping');
    await pong;
    assert.ok(witness.connected);
  }

  const clients = () => metric(node, 'clients.total');

  for (const name of Object.keys(oddities)) {
    for (const how of ['throw', 'reject', 'worker fails'])
      test(`${name}: ${how} in a hook ends the client, and only that`, async () => {
        const victim = await SocketClient.connect('4.8 websocket', node.url);
        victim.emit(how, name);
        await victim.until(() => !victim.connected, 'the end of the client');
        await eventually(async () => (await clients()) === 1, 'the client to be forgotten');
        await nobodyElseNotices();
        await victim.disconnect();
      });

    test(`${name}: thrown by a worker fails the request; the pool goes on`, async () => {
      const victim = await SocketClient.connect('4.8 websocket', node.url);
      victim.emit('worker throws', name);
      await victim.event('hive_error');
      victim.emit('cause', name);
      await victim.until(
        () => victim.received.filter((event) => event.name === 'hive_error').length === 2,
        'the error',
      );
      victim.emit('detach', name);
      await victim.event('detached');
      assert.ok(victim.connected);
      await victim.disconnect();
      await nobodyElseNotices();
    });

    test(`${name}: thrown at the end of a session does not keep it from ending`, async () => {
      const victim = await SocketClient.connect('4.8 websocket', node.url);
      victim.emit('mark', name);
      victim.emit('ping');
      await victim.event('pong');
      await victim.disconnect();
      await eventually(async () => (await clients()) === 1, 'the client to be forgotten');
      await nobodyElseNotices();
    });

    test(`${name}: thrown by on_connect refuses the client`, async () => {
      await assert.rejects(SocketClient.connect('4.8 websocket', node.url, { odd: name }));
      await nobodyElseNotices();
    });
  }

  test('all of it is in crash.log', () => {
    const crashes = readFileSync(join(node.directory, 'log/crash.log'), 'utf8');
    for (const text of ['undefined was thrown', 'null was thrown', 'Symbol(odd) was thrown', 'no prototype'])
      assert.match(crashes, new RegExp(text.replace(/[()]/g, '\\$&').replace('no prototype', 'null prototype')));
    assert.match(crashes, /nobody waits for was rejected/);
  });
});
