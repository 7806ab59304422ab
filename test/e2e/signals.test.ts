/**
 * Signals that come more than once, and while the node starts. Old faults: a second SIGTERM or SIGINT ended the process in the
 * middle of its good-byes; with a slow back end `on_disconnect` of most clients failed, as no worker got free within `rent_timeout`;
 * a node that was still starting could not be stopped.
 */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import { ask, metric } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

const crowd = 12;

/** Hears the good-byes of clients, and answers when it is told to. */
class SlowBackEnd {
  readonly heard = new Set<string>();
  readonly url: string;
  #open = false;
  readonly #waiting: ServerResponse[] = [];

  private constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(t: TestContext): Promise<SlowBackEnd> {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (data) => {
        body += data;
      });
      request.on('end', () => {
        backEnd.heard.add((JSON.parse(body) as { sid: string }).sid);
        if (backEnd.#open) response.end();
        else backEnd.#waiting.push(response);
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    t.after(() => server.close().closeAllConnections());
    const backEnd = new SlowBackEnd((server.address() as { port: number }).port);
    return backEnd;
  }

  answer(): void {
    this.#open = true;
    for (const response of this.#waiting.splice(0)) response.end();
  }
}

/** A node with a crowd of clients, of whom two at a time can say good-bye. */
async function start(t: TestContext, backEnd: SlowBackEnd, hook = 'hp.post', graceMs = 30_000): Promise<DefaultNode> {
  const node = await DefaultNode.start((config) => {
    config.hive!.graceful_termination_timeout = graceMs;
    const args = { base_url: backEnd.url, max_connection_timeout: 60_000, max_connections: 2 };
    const pool = { connector: 'connector.http', size: 2, overflow: 0, args };
    config.connectors = { rent_timeout: 200, pools: { web: pool } };
    const goodbye = [{ hook, args: { connector: 'web', endpoint: '/goodbye' } }];
    Object.assign(config.clients!.hooks!, { on_disconnect: goodbye });
  });
  t.after(() => node.stop());
  await Promise.all(Array.from({ length: crowd }, () => SocketClient.connect('4.8 websocket', node.url)));
  return node;
}

const told =
  /^hive@127\.0\.0\.1 is stopping: 12 clients left, \d+ of them in on_disconnect; who has not gone in (\d+) s is cut off\. Another signal ends it at once\.$/m;

const ways = [
  ['SIGTERM', 'SIGTERM'],
  ['SIGINT', 'SIGTERM'],
  ['hive/stop', 'hive/stop', 'SIGINT'],
] as const;

for (const [index, way] of ways.entries()) {
  test(`${way.join(', ')}: the last tells what is waited for, and every on_disconnect is told, however slowly`, async (t) => {
    const backEnd = await SlowBackEnd.start(t);
    const node = await start(t, backEnd, index === 0 ? 'hp.put' : 'hp.post');
    for (const step of way) {
      if (step === 'hive/stop') assert.equal((await ask(node, 'api', 'POST', '/api/KEY/hive/stop')).status, 200);
      else node.process.signal(step);
      await eventually(() => backEnd.heard.size === 2, 'the first good-byes');
    }
    await node.process.until(() => told.test(node.process.stderr), 'what it waits for');
    const [, seconds] = told.exec(node.process.stderr) ?? [];
    assert.ok(Number(seconds) > 0 && Number(seconds) <= 60, `${seconds} s`);
    // The others have waited for a worker longer than they may otherwise.
    await eventually(async () => ((await metric(node, 'connectors.errors')) ?? 0) >= crowd, 'tries in vain');
    backEnd.answer();
    const { code, signal, stderr } = await node.process.finished;
    assert.deepEqual([code, signal], [0, null]);
    assert.equal(backEnd.heard.size, crowd);
    assert.doesNotMatch(stderr, /warning|error/i);
  });
}

for (const [signals, exitCode] of [
  [['SIGTERM', 'SIGTERM', 'SIGTERM'], 143],
  [['SIGTERM', 'SIGINT', 'SIGINT'], 130],
] as const) {
  test(`${signals.join(', ')}: the third ends the process at once, with exit code ${exitCode} and a line in the log`, async (t) => {
    const backEnd = await SlowBackEnd.start(t);
    const node = await start(t, backEnd);
    node.process.signal(signals[0]);
    await eventually(() => backEnd.heard.size === 2, 'the first good-byes');
    node.process.signal(signals[1]);
    await node.process.until(() => told.test(node.process.stderr), 'what it waits for');
    node.process.signal(signals[2]);
    const { code, signal, stderr } = await node.process.finished;
    assert.deepEqual([code, signal], [exitCode, null]);
    assert.match(
      stderr,
      new RegExp(`^hive@127\\.0\\.0\\.1 ends at once, as ${signals[2]} came again; clients .*: 12$`, 'm'),
    );
    const log = readFileSync(join(node.directory, 'log/hive.log'), 'utf8');
    assert.match(
      log,
      new RegExp(`"level":"warning".*"clients":12.*"msg":"Ended at once, as ${signals[2]} came again"`),
    );
  });
}

test('good-byes that a back end never answers are cut off after twice the time-out, and the log says how many', async (t) => {
  const backEnd = await SlowBackEnd.start(t);
  const node = await start(t, backEnd, 'hp.post', 300);
  node.process.signal('SIGTERM');
  const { code, stderr } = await node.process.finished;
  assert.equal(code, 0);
  assert.match(stderr, /Clients are cut off, their on_disconnect unfinished.*12/);
});

const plugin = `
import { Actor, definePlugin, Type } from 'hive-push';
class Worker extends Actor {
  init() {
    console.error('the worker waits');
    return new Promise(() => {});
  }
  receive() {}
}
export default definePlugin({
  connectors: {
    'hung.connector': { args: Type.Null(), async probe() {}, create: () => ({ worker: () => new Worker(), close() {} }) },
  },
});
`;

/** A node that never gets ready. */
async function startHung(t: TestContext): Promise<{ node: HiveProcess; directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-hung-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), join(directory, 'node_modules/hive-push'));
  writeFileSync(join(directory, 'hung.mjs'), plugin);
  const file = await writeDefaultConfig(directory, 'hive.json', (config) => {
    config.plugins = ['./hung.mjs'] as never;
    config.connectors!.pools = { hung: { connector: 'hung.connector', size: 1, overflow: 0, args: null } };
  });
  const node = new HiveProcess(['run', file]);
  t.after(() => node.stop('SIGKILL'));
  await node.until(() => node.stderr.includes('the worker waits'), 'the worker');
  return { node, directory };
}

test('a signal while the node starts calls the start off, with exit code 0', async (t) => {
  const { node } = await startHung(t);
  node.signal('SIGHUP'); // means the log, at that time too
  node.signal('SIGTERM');
  const { code, signal, stdout } = await node.finished;
  assert.deepEqual([code, signal, stdout], [0, null, '']);
});

test('a second signal while the node starts tells that, and a third ends it at once', async (t) => {
  const { node } = await startHung(t);
  node.signal('SIGINT');
  node.signal('SIGTERM');
  await node.until(
    () => /^hive was told to stop before it had started, .*\. Another signal ends it at once\.$/m.test(node.stderr),
    'the line',
  );
  node.signal('SIGTERM');
  const { code, signal, stdout } = await node.finished;
  assert.deepEqual([code, signal, stdout], [143, null, '']);
});

test('SIGHUP opens the log files anew, also while the node stops', async (t) => {
  const backEnd = await SlowBackEnd.start(t);
  const node = await start(t, backEnd);
  const file = join(node.directory, 'log/hive.log');
  node.process.signal('SIGTERM');
  await eventually(() => backEnd.heard.size === 2, 'the first good-byes');
  renameSync(file, `${file}.1`);
  node.process.signal('SIGHUP');
  await eventually(() => existsSync(file), 'the new file');
  backEnd.answer();
  assert.equal((await node.process.finished).code, 0);
  assert.match(readFileSync(file, 'utf8'), /"msg":"Stopped"/);
});
