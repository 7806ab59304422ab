/** `make demo`'s script, with a stand-in for Hive and ports of its own: what it starts, explains and stops. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));

/** Listens like a node would and says so; ends as it should on SIGTERM. */
const standIn = `
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
const { hive } = JSON.parse(readFileSync(process.argv[3], 'utf8'));
if (hive.cluster_name === 'broken') { console.error('cannot start'); process.exit(3); }
createServer().listen(hive.port, () => console.log('hive ' + hive.name + ' is ready'));
process.on('SIGTERM', () => {
  if (hive.cluster_name === 'stubborn') return console.log('not yet');
  console.log('bye');
  process.exit(0);
});
`;

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the demo', { skip: missing('python3') }, () => {
  let root: string;
  let folder: string;
  let ports: number[];
  let demo: ChildProcess;
  let output: string;
  let ended: Promise<number | null>;

  /** Free ports, all different. */
  async function freePorts(count: number): Promise<number[]> {
    const servers = Array.from({ length: count }, () => createServer().listen(0));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const found = servers.map((server) => (server.address() as AddressInfo).port);
    await Promise.all(servers.map((server) => once(server.close(), 'close')));
    return found;
  }

  function edit(file: string, change: (text: string) => string): void {
    const path = join(folder, 'config', file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }

  function start(env: NodeJS.ProcessEnv = {}): void {
    output = '';
    demo = spawn(process.execPath, ['demo.mjs'], { cwd: folder, env: { ...process.env, REDIS: '', ...env } });
    for (const stream of [demo.stdout, demo.stderr]) {
      stream?.on('data', (chunk) => {
        output += chunk;
      });
    }
    ended = once(demo, 'close').then(([code]) => code as number | null);
  }

  async function printed(text: string): Promise<void> {
    while (!output.includes(text)) {
      if (demo.exitCode !== null) assert.fail(output);
      await once(demo.stdout!, 'data');
    }
  }

  async function toNodes(): Promise<{ name: string; url: string; kill: string }[]> {
    return (await (await fetch(`http://127.0.0.1:${ports[6]}/nodes`)).json()) as never;
  }

  function linesOf(name: string): string[] {
    return output
      .split('\n')
      .filter((line) => line.startsWith(`${name.padEnd(8)}|`))
      .map((line) => line.slice(line.indexOf('|') + 2));
  }

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'hive-demo-'));
    folder = join(root, 'examples/distributed-chat');
    cpSync(examples, join(root, 'examples'), { recursive: true });
    mkdirSync(join(root, 'dist/bin'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
    writeFileSync(join(root, 'dist/bin/hive.js'), standIn);
    ports = await freePorts(7);
    const wanted = [8080, 1235, 1234, 8079, 2235, 2234, 8081];
    const moved = (text: string) =>
      text.replace(/\b(8080|1235|1234|8079|2235|2234|8081)\b/g, (port) => String(ports[wanted.indexOf(Number(port))]));
    for (const file of ['node1.json', 'node2.json', 'connectors.json']) edit(file, moved);
    // Names of its own, too: the example itself may be running on this machine.
    for (const file of ['node1.json', 'node2.json']) edit(file, (text) => text.replace(/"(?=node\d@)/g, '"demo-test-'));
  });

  afterEach(async () => {
    demo.kill('SIGTERM');
    await ended;
    rmSync(root, { recursive: true });
  });

  test('starts the back end and both nodes, says where the page is, and stops all in reverse order', async () => {
    start();
    await printed('Ctrl-C stops everything');
    assert.match(output, new RegExp(`http://127\\.0\\.0\\.1:${ports[6]}/`));
    const nodes = await toNodes();
    assert.deepEqual(nodes, [
      { name: 'node1', url: `http://127.0.0.1:${ports[0]}`, kill: nodes[0]!.kill },
      { name: 'node2', url: `http://127.0.0.1:${ports[3]}`, kill: nodes[1]!.kill },
    ]);
    demo.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.deepEqual(linesOf('node1'), ['hive demo-test-node1@127.0.0.1 is ready', 'bye']);
    assert.ok(output.lastIndexOf('node2   | bye') < output.lastIndexOf('node1   | bye'));
    await assert.rejects(fetch(`http://127.0.0.1:${ports[6]}/nodes`));
  });

  test('names a taken port, who wants it and what to change, and starts nothing', async () => {
    const server = createServer().listen(ports[4], '127.0.0.1');
    await once(server, 'listening');
    start();
    assert.equal(await ended, 1);
    server.close();
    assert.match(output, new RegExp(`port ${ports[4]} is wanted by node2 for its API, but another program has it`));
    assert.match(output, /api\.port in config\/node2\.json/);
    assert.equal(output.includes('is ready'), false);
  });

  test('ends, and ends what it started, when a node cannot start', async () => {
    edit('node2.json', (text) => text.replace('distributed_chat_example', 'broken'));
    start();
    assert.equal(await ended, 1);
    assert.match(output, /node2 did not start: exit code 3/);
    assert.deepEqual(linesOf('node2'), ['cannot start']);
    assert.equal(linesOf('node1').at(-1), 'bye');
    await assert.rejects(fetch(`http://127.0.0.1:${ports[6]}/nodes`));
  });

  test('tells at a second signal what it waits for, and ends all at once at a third', async () => {
    edit('node2.json', (text) => text.replace('distributed_chat_example', 'stubborn'));
    start();
    await printed('Ctrl-C stops everything');
    const node2 = Number(/kill -9 (\d+)/.exec(output)?.[1]);
    demo.kill('SIGINT');
    await printed('node2   | not yet');
    demo.kill('SIGTERM');
    await printed('The demo is stopping; it waits for backend, node1, node2. Another signal ends everything at once.');
    while (linesOf('node2').filter((line) => line === 'not yet').length < 2) await once(demo.stdout!, 'data');
    demo.kill('SIGINT');
    assert.equal(await ended, 130);
    await eventually(() => !exists(node2), 'the end of node2');
    await assert.rejects(fetch(`http://127.0.0.1:${ports[6]}/nodes`));
  });

  test('says that the Redis that it is to use does not answer, or that its address is none', async () => {
    const [port] = await freePorts(1);
    start({ REDIS: `redis://127.0.0.1:${port}` });
    assert.equal(await ended, 1);
    assert.match(output, new RegExp(`no Redis answers at 127\\.0\\.0\\.1:${port}, which REDIS names[^]*make demo`));
    start({ REDIS: '127.0.0.1:6379' });
    assert.equal(await ended, 1);
    assert.match(output, /^REDIS=127\.0\.0\.1:6379: it is 1, or the address of a Redis/);
  });

  test('says what to do where there is no redis-server, and where another program has its port', async () => {
    const [port] = await freePorts(1);
    edit('connectors.json', (text) => text.replace('6379', String(port)));
    start({ REDIS: '1', PATH: root });
    assert.equal(await ended, 1);
    assert.match(output, /redis-server is not installed.*\n.*apt install redis-server/);
    const server = createServer((socket) => socket.end('what?')).listen(port, '127.0.0.1');
    await once(server, 'listening');
    start({ REDIS: '1' });
    assert.equal(await ended, 1);
    server.close();
    assert.match(output, new RegExp(`port ${port} is wanted by Redis, but another program has it`));
  });

  test('starts a Redis where none answers, and stops it', { skip: missing('redis-server') }, async () => {
    const [port] = await freePorts(1);
    edit('connectors.json', (text) => text.replace('6379', String(port)));
    start({ REDIS: '1' });
    await printed('Ctrl-C stops everything');
    assert.match(output, new RegExp(`the Redis of this demo, at 127\\.0\\.0\\.1:${port}`));
    const redis = connect(port!, '127.0.0.1');
    redis.write('PING\r\n');
    assert.equal(String(await once(redis, 'data')), '+PONG\r\n');
    const closed = once(redis, 'close');
    demo.kill('SIGINT');
    assert.equal(await ended, 0);
    await closed;
  });

  test('uses the Redis that it is told to', { skip: missing('redis-server') }, async (t) => {
    const redis = await RedisServer.start();
    t.after(() => redis.stop());
    start({ REDIS: `redis://127.0.0.1:${redis.port}/1` });
    await printed('Ctrl-C stops everything');
    assert.match(output, new RegExp(`stored in Redis at 127\\.0\\.0\\.1:${redis.port}`));
    const { pools } = JSON.parse(readFileSync(join(folder, 'config/local/connectors.json'), 'utf8'));
    assert.deepEqual(
      [pools.database.args.url, pools.database.args.host, pools.database.args.database],
      [`redis://127.0.0.1:${redis.port}/1`, undefined, undefined],
    );
    assert.ok('durable' in JSON.parse(readFileSync(join(folder, 'config/local/clients.json'), 'utf8')));
  });

  test('starts a node again that was killed', async () => {
    start();
    await printed('Ctrl-C stops everything');
    process.kill(Number(/kill -9 (\d+)/.exec(output)?.[1]), 'SIGKILL');
    await printed('node2 is back');
  });

  test('kills a node for its own page, and for no other', async () => {
    start();
    await printed('Ctrl-C stops everything');
    const [, node2] = await toNodes();
    const post = async (url: string, origin?: string) => {
      const { status, headers } = await fetch(url, { method: 'POST', headers: origin ? { origin } : {} });
      return [status, headers.get('access-control-allow-origin')];
    };
    const page = `http://localhost:${ports[6]}`;
    assert.deepEqual(await post(node2!.kill, 'http://evil.example'), [403, null]);
    assert.deepEqual(await post(node2!.kill.replace('node2', 'backend'), page), [404, page]);
    assert.equal((await fetch(node2!.kill)).status, 405);
    assert.equal(output.includes('ended'), false);
    assert.deepEqual(await post(node2!.kill, page), [204, page]);
    await printed('node2 ended (SIGKILL)');
    assert.deepEqual(await post(node2!.kill), [409, null]);
    await printed('node2 is back');
  });
});
