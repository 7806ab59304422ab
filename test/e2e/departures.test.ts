/**
 * Departures while the back end is away. Old fault: fifty clients left while it restarted, and it never heard of one: `on_disconnect`
 * failed once, and that was it.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { SocketClient } from '../support/socket-clients.ts';

interface Heard {
  readonly path: string;
  readonly key: string | undefined;
  readonly sid: string;
  readonly trigger: unknown;
}

/** A back end that can go away, and come back at the same address. */
class RestartingBackEnd {
  readonly heard: Heard[] = [];
  readonly port: number;
  #server: Server | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext): Promise<RestartingBackEnd> {
    const [port] = await freePorts(1);
    const backEnd = new RestartingBackEnd(port!);
    await backEnd.start();
    t.after(() => backEnd.stop());
    return backEnd;
  }

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { sid, trigger } = JSON.parse(body) as { sid: string; trigger: unknown };
      const key = request.headers['idempotency-key'] as string | undefined;
      this.heard.push({ path: request.url ?? '', key, sid, trigger });
      response.end();
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }

  of(sid: string): string[] {
    return this.heard.filter((heard) => heard.sid === sid).map(({ path }) => path);
  }
}

async function startNode(t: TestContext, backEnd: RestartingBackEnd, graceMs: number): Promise<DefaultNode> {
  const node = await DefaultNode.start((config) => {
    Object.assign(config.hive!, { graceful_termination_timeout: graceMs, max_client_slots: 50 });
    const args = { base_url: `http://127.0.0.1:${backEnd.port}`, max_connection_timeout: 5000 };
    config.connectors = { pools: { web: { connector: 'connector.http', size: 4, overflow: 4, args } } };
    const hook = (name: string, endpoint: string) => ({ hook: name, args: { connector: 'web', endpoint } });
    Object.assign(config.clients!.hooks!, {
      come: [hook('hp.post', '/come')],
      on_disconnect: [hook('hp.post', '/leave'), hook('hp.put', '/free')],
    });
  });
  t.after(() => node.stop());
  return node;
}

const crowd = (node: DefaultNode, size: number) =>
  Promise.all(Array.from({ length: size }, () => SocketClient.connect('4.8 websocket', node.url)));

const count = (node: DefaultNode, name: string) => metric(node, `clients.departures.${name}`);

/** Lets clients go that the back end has heard of, while it is away. @returns their session ids */
async function leave(node: DefaultNode, backEnd: RestartingBackEnd, size: number): Promise<string[]> {
  const clients = await crowd(node, size);
  for (const client of clients) client.emit('come');
  await eventually(() => backEnd.heard.length === size, 'all clients');
  const present = backEnd.heard.splice(0);
  assert.ok(present.every(({ key, sid }) => key === `${sid}/0.1`));
  await backEnd.stop();
  for (const client of clients) client.disconnect();
  await eventually(async () => (await count(node, 'waiting')) === size, 'their departures');
  return present.map(({ sid }) => sid);
}

function assertToldOnce(backEnd: RestartingBackEnd, sids: readonly string[]): void {
  assert.equal(new Set(sids).size, sids.length);
  for (const sid of sids) assert.deepEqual(backEnd.of(sid), ['/leave', '/free']);
  assert.equal(backEnd.heard.length, 2 * sids.length);
  for (const { key, sid, trigger } of backEnd.heard) {
    assert.deepEqual([key, trigger], [`${sid}/end`, 'client_disconnect']);
  }
}

test('fifty clients leave while the back end is away; when it is back it hears of each once, in order; then the node stops', async (t) => {
  const backEnd = await RestartingBackEnd.start(t);
  const node = await startNode(t, backEnd, 30_000);
  const sids = await leave(node, backEnd, 50);
  // They take no slots.
  const others = await crowd(node, 50);
  for (const client of others) client.disconnect();
  await eventually(async () => (await count(node, 'waiting')) === 100, 'those of the others');
  const { stdout } = await hive(['status', '--config', join(node.directory, 'hive.json')]);
  assert.match(stdout, /^ {2}departures 100 not answered by a back end, the oldest for \d+ m?s$/m);
  await eventually(async () => (await count(node, 'oldest_ms'))! >= 2000, 'two seconds');
  await backEnd.start();
  await eventually(async () => (await count(node, 'waiting')) === 0, 'the end of them');
  const heard = new Set(backEnd.heard.map(({ sid }) => sid));
  assert.equal(heard.size, 100);
  assert.ok(sids.every((sid) => heard.has(sid)));
  assertToldOnce(backEnd, [...heard]);
  assert.deepEqual([await count(node, 'told'), await count(node, 'given_up')], [100, 0]);

  backEnd.heard.length = 0;
  const late = await leave(node, backEnd, 5);
  node.process.signal('SIGTERM');
  await node.process.until(() => /Stopping: shutdown/.test(node.process.stderr), 'the stop');
  node.process.signal('SIGTERM');
  const line = /is stopping: 0 clients left, 0 of them in on_disconnect, 5 on_disconnect to repeat; who has not gone/;
  await node.process.until(() => line.test(node.process.stderr), 'what it waits for');
  await backEnd.start();
  const { code, stderr } = await node.process.finished;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /given up/);
  assertToldOnce(backEnd, late);
});

test('a stop does not wait for a back end that stays away for longer than its time; the log says how many are lost', async (t) => {
  const backEnd = await RestartingBackEnd.start(t);
  const node = await startNode(t, backEnd, 300);
  await leave(node, backEnd, 5);
  const { code, stderr } = await node.process.stop();
  assert.equal(code, 0);
  assert.match(stderr, /No back end has answered on_disconnect: it is given up.*5/);
});
