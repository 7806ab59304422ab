/** Health said `ready` while every request to a back end failed, no client could be let in, and the log could not be written. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import { SocketClient } from '../support/socket-clients.ts';

describe('health', { skip: missing('redis-server') }, () => {
  let node: DefaultNode;
  let redis: RedisServer;
  let backEnd: BackEnd;
  let client: SocketClient;
  let deadPort: number;

  before(async () => {
    [deadPort] = (await freePorts(1)) as [number];
    redis = await RedisServer.start();
    backEnd = await BackEnd.start();
    node = await DefaultNode.start((config) => {
      const http = (base_url: string) => ({
        connector: 'connector.http',
        size: 1,
        overflow: 1,
        args: { base_url, max_connection_timeout: 2000 },
      });
      const args = { host: '127.0.0.1', port: redis.port, reconnect_timeout: 100, max_reconnect_timeout: 300 };
      config.connectors!.pools = {
        dead: http(`http://127.0.0.1:${deadPort}`),
        odd: http(backEnd.url),
        database: { connector: 'connector.redis', size: 1, overflow: 0, args },
      };
      const hook = (connector: string) => [{ hook: 'hp.post', args: { connector, endpoint: '/go' } }];
      config.clients!.hooks = { dead: hook('dead'), odd: hook('odd') };
      config.clients!.state = { state_manager: 'sm.redis', initial_value: { a: 1 }, args: { connector: 'database' } };
    });
    client = await SocketClient.connect('4.8 websocket', node.url);
  });
  after(async () => {
    await client?.disconnect();
    await node?.stop();
    await backEnd?.stop();
    await redis?.stop();
  });

  async function health(): Promise<{ status: string; reasons: string[] }> {
    return (await (await node.monitor('GET', 'health')).json()) as { status: string; reasons: string[] };
  }

  /** Waits until exactly these are the reasons. */
  async function until(...reasons: RegExp[]): Promise<void> {
    let seen: unknown;
    await eventually(async () => {
      const { status, reasons: told } = await health();
      seen = { status, told };
      return (
        status === (reasons.length > 0 ? 'degraded' : 'ready') &&
        told.length === reasons.length &&
        reasons.every((reason, at) => reason.test(told[at]!))
      );
    }, `the reasons ${reasons.join()}`).catch((error: Error) => {
      throw new Error(`${error.message}; it says ${JSON.stringify(seen)}`);
    });
  }

  async function fail(event: string, times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const told = client.nextEvent('hive_error');
      client.emit(event);
      await told;
    }
  }

  test('a back end that refuses makes the node degraded, until it answers', async () => {
    await until();
    await fail('dead', 2);
    await until();
    await fail('dead', 1);
    await until(new RegExp(`^pool dead: POST http://127\\.0\\.0\\.1:${deadPort}/go: connect ECONNREFUSED`));
    const server = createServer((_, response) => response.end('[]')).listen(deadPort, '127.0.0.1');
    await once(server, 'listening');
    client.emit('dead');
    await until();
    server.closeAllConnections();
    server.close();
  });

  test('a back end that says that it is broken, too', async () => {
    backEnd.answers.set('/go', { status: 503 });
    await fail('odd', 3);
    await until(/^pool odd: http:\S+ answers 503$/);
    backEnd.answers.set('/go', { status: 404 });
    await fail('odd', 1);
    await until();
  });

  test('a state manager that cannot be reached, too', async () => {
    await redis.stop();
    await until(/^pool database: Redis at 127\.0\.0\.1:\d+ is unreachable: /);
    for (let n = 0; n < 3; n += 1) await assert.rejects(SocketClient.connect('4.8 websocket', node.url));
    await until(/^pool database: /, /^the state of sessions cannot be stored: Redis at /);
    await redis.start();
    const other = await eventually(
      () => SocketClient.connect('4.8 websocket', node.url).catch(() => undefined),
      'a client to be let in',
    );
    await until();
    await other.disconnect();
  });

  test('a log that cannot be written, too', { skip: !existsSync('/dev/full') }, async () => {
    const file = join(node.directory, 'log/hive.log');
    rmSync(file);
    symlinkSync('/dev/full', file);
    node.process.signal('SIGHUP');
    // A line for it.
    await fail('odd', 1);
    await until(/^the log \S+hive\.log cannot be written: ENOSPC/);
    rmSync(file);
    node.process.signal('SIGHUP');
    await until();
  });
});
