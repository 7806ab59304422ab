/** docs/delivery.md: the back end of the page does what it says, with the configuration of the page, while its nodes are killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { io, type Socket } from 'socket.io-client';
import { CutProxy } from '../support/cut-proxy.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';
import { ask } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';

const page = readFileSync(new URL('../../docs/delivery.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms')), ([, text]) => text!);

class Scene {
  readonly backEnd: string;
  readonly nodes: DefaultNode[] = [];
  readonly #redis: RedisServer;
  /** What the back end has printed. */
  output = '';

  private constructor(redis: RedisServer, port: number) {
    this.#redis = redis;
    this.backEnd = `http://127.0.0.1:${port}`;
  }

  static async start(t: TestContext): Promise<Scene> {
    const redis = await RedisServer.start();
    t.after(() => redis.stop());
    const [port] = (await freePorts(1)) as [number];
    const scene = new Scene(redis, port);
    const text = blocks('js').find((block) => block.includes('createServer'))!;
    const program = `${text.replace('8081', `${port}`)}\nconsole.log('started');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    child.stdout.on('data', (data) => {
      scene.output += data;
    });
    await eventually(() => scene.output.includes('started'), 'the back end');
    scene.output = '';
    for (const name of ['one', 'two']) await scene.#startNode(t, name);
    return scene;
  }

  async #startNode(t: TestContext, name: string): Promise<void> {
    const block = blocks('json').find((text) => text.includes('"durable"'))!;
    const moved = block.replace('http://127.0.0.1:8081', this.backEnd).replace('6379', `${this.#redis.port}`);
    const { clients, connectors } = JSON.parse(moved) as {
      clients: { durable: { lease: number } };
      connectors: object;
    };
    // Not to wait for so long.
    clients.durable.lease = 2000;
    const node = await DefaultNode.start((config) => {
      Object.assign(config.hive!, { name: `${name}@127.0.0.1` });
      Object.assign(config, { clients, connectors });
    });
    t.after(() => node.stop());
    this.nodes.push(node);
  }

  client(t: TestContext, url: string, user: string): Socket {
    const client = io(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, auth: { user } });
    t.after(() => client.disconnect());
    return client;
  }

  /** The request of a hook, as a node makes it. */
  async hook(path: string, key: string, metadata: object): Promise<unknown> {
    const headers = { 'idempotency-key': key };
    const answer = await fetch(this.backEnd + path, { method: 'POST', headers, body: JSON.stringify(metadata) });
    return answer.json();
  }
}

async function order(client: Socket): Promise<unknown> {
  const ordered = next(client, 'ordered');
  client.emit('order', 'tea');
  return ordered;
}

test('the back end of the page knows who is online, and counts each order once', {
  skip: missing('redis-server'),
}, async (t) => {
  const scene = await Scene.start(t);
  const [one, two] = scene.nodes as [DefaultNode, DefaultNode];
  const way = await CutProxy.start(Number(new URL(one.url).port));
  t.after(() => way.stop());
  const ann = scene.client(t, way.url, 'ann');
  await next(ann, 'connect');
  assert.equal(await order(ann), 1);
  const { id: sid } = ann;

  await one.process.stop('SIGKILL');
  const event = { action: 'send_event', args: { name: 'news', args: ['hello'] } };
  const news = next(ann, 'news');
  const back = next(ann, 'connect');
  way.mend(Number(new URL(two.url).port));
  // Nobody has the session yet.
  const { status } = await ask(two, 'api', 'POST', `/api/KEY/clients/action/${sid}`, event);
  assert.equal(status, 200);
  await back;
  assert.deepEqual([ann.recovered, ann.id, await news], [true, sid, 'hello']);
  assert.equal(await order(ann), 2);
  assert.equal(scene.output, 'ann is online\n');

  // Another session of the same user; the end of the older one changes nothing, also if it comes again.
  const later = scene.client(t, two.url, 'ann');
  await next(later, 'connect');
  ann.disconnect();
  await eventually(async () => {
    const found = await ask(two, 'api', 'POST', `/api/KEY/clients/action/${sid}`, event);
    return found.status === 404;
  }, 'the end of the session');
  const session = { connected_at: 1, epoch: 1, event: 9 };
  const departure = { sid, trigger: 'node_lost', trigger_id: '', state: { user: 'ann' }, session };
  await scene.hook('/on_disconnect', `${sid}/end`, departure);
  assert.equal(await order(later), 3);
  later.disconnect();
  await eventually(() => scene.output === 'ann is online\nann is offline\n', 'the departure');

  const metadata = { sid: 'a', trigger: { name: 'order', args: [] }, trigger_id: '', state: {}, session };
  const first = await scene.hook('/order', 'a/1.9', metadata);
  assert.deepEqual(await scene.hook('/order', 'a/1.9', metadata), first);
  assert.notDeepEqual(await scene.hook('/order', 'a/1.10', metadata), first);
});
