/**
 * More connections than the node may have files open. A node that had none left spun: the listening socket told of the same
 * connection again and again, at 96 % of a core, and nobody could be accepted, not even who asked the monitor. Nothing was logged.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import type { Failure } from '../support/operator.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { loadable } from '../support/socket-libraries.ts';

const limit = 256;
/** Of that limit; clients are refused when less than two are left, and not accepted any more when one is left. */
const reserve = 16;
const windowMs = 2000;

interface Health {
  readonly status: string;
  readonly reasons: readonly string[];
}

class Crowd {
  readonly #sockets: Socket[] = [];
  readonly #port: number;

  constructor(t: TestContext, url: string) {
    this.#port = Number(new URL(url).port);
    t.after(() => this.leave());
  }

  /** Connects that many, which say nothing. */
  come(count: number): void {
    for (let index = 0; index < count; index += 1) {
      this.#sockets.push(connect(this.#port, '127.0.0.1').on('error', () => {}));
    }
  }

  leave(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }
}

async function start(t: TestContext, sockets: string): Promise<DefaultNode> {
  const node = await DefaultNode.start(undefined, { HIVE_SOCKETS: sockets }, ['prlimit', `--nofile=${limit}:${limit}`]);
  t.after(() => node.stop());
  return node;
}

/** Undefined if the connection is refused or broken off. */
async function glance(node: DefaultNode): Promise<Health | undefined> {
  return health(node).catch(() => undefined);
}

async function health(node: DefaultNode): Promise<Health> {
  return (await (await node.monitor('GET', 'health')).json()) as Health;
}

async function figures(node: DefaultNode): Promise<{ open: number; cpuMs: number }> {
  const { hive } = (await (await node.monitor('GET', 'hive')).json()) as {
    hive: { open_files: { open: number; limit: number }; cpu: { user: number; system: number } };
  };
  assert.equal(hive.open_files.limit, limit);
  return { open: hive.open_files.open, cpuMs: hive.cpu.user + hive.cpu.system };
}

const tooMany =
  /max_client_slots: 10000 → needs \d+ open files, .*may have 256 \(ulimit -n\): more than \d+ clients will be/;

test('hive check and hive run say that more clients are configured than can be', {
  skip: missing('prlimit'),
}, async (t) => {
  const node = await start(t, 'node');
  assert.match(node.process.stderr, tooMany);
  const file = await writeDefaultConfig(node.directory, 'other.json');
  const check = async (of: number) =>
    new HiveProcess(['check', file], {}, ['prlimit', `--nofile=${of}:${of}`]).finished;
  const short = await check(limit);
  assert.match(short.stderr, tooMany);
  assert.deepEqual([short.code, (await check(20_000)).stderr], [0, '']);
});

const handshake = (node: DefaultNode) => fetch(node.address('client', '/socket.io/?EIO=4&transport=polling'));

for (const sockets of loadable) {
  test(`${sockets}: a node out of open files answers its monitor, idles, and recovers`, {
    skip: missing('prlimit'),
  }, async (t) => {
    const node = await start(t, sockets);
    const early = await SocketClient.connect('4.8 websocket', node.url);
    const crowd = new Crowd(t, node.url);
    crowd.come(2 * limit);
    await eventually(async () => (await glance(node))?.status === 'degraded', 'a degraded node');
    // On Node's own sockets connections to the monitor may be reset until the flood has been shut out, for 50 ms.
    const before = await eventually(async () => {
      const seen = await figures(node).catch(() => undefined);
      return seen && seen.open >= limit - reserve - 1 && seen;
    }, 'the crowd at the doors');
    const begin = performance.now();
    while (performance.now() - begin < windowMs) {
      const { status, reasons } = await health(node);
      assert.equal(status, 'degraded');
      assert.match(reasons.join(), /^open files run short: at most 256 may be open$/);
      await sleep(100);
    }
    const { open, cpuMs } = await figures(node);
    const share = (cpuMs - before.cpuMs) / (performance.now() - begin);
    assert.ok(share < 0.5, `${Math.round(100 * share)} % of a core for nothing`);
    assert.ok(open >= limit - reserve - 1, `${open} are open`);
    assert.equal((await node.api('GET', 'hive/version')).status, 200);
    await assert.rejects(handshake(node), /fetch failed/);
    early.emit('subscribe', { ping: 'all' });
    early.emit('ping', { action: 'send', args: { name: 'pong', args: [] } });
    await early.event('pong');

    crowd.leave();
    await eventually(async () => (await health(node)).status === 'ready', 'a node that is well again');
    const late = await SocketClient.connect('4.8 polling', node.url);
    await Promise.all([early.disconnect(), late.disconnect()]);
    assert.equal(node.process.stderr.match(/Open files run short/g)?.length, 1, node.process.stderr);
  });

  test(`${sockets}: new clients are told before connections are refused`, { skip: missing('prlimit') }, async (t) => {
    const node = await start(t, sockets);
    const crowd = new Crowd(t, node.url);
    const { open } = await figures(node);
    crowd.come(limit - open - reserve - reserve / 2);
    await eventually(async () => (await glance(node))?.status === 'degraded', 'a degraded node');
    const refused = await handshake(node);
    assert.equal(`${refused.status} ${((await refused.json()) as Failure).error}`, '503 no_slots');
    crowd.leave();
    await eventually(async () => (await handshake(node)).ok, 'a node that lets clients in');
  });
}
