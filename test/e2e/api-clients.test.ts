/** The clients of the HTTP API for Node and Python: each call of a running node, and what they do when nodes fail. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findCall, operations } from '../../src/web/api/calls.ts';
import { type ApiClient, apiClients, type MakeClient } from '../support/api-clients.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { ReturningClient } from '../support/returning-client.ts';

const key = 'a key/of this?test';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly idempotencyKey: string | undefined;
  readonly authorization: string | undefined;
}

/** Stands for a node: remembers what it is asked. Without an answer the connection is closed in the middle of the request. */
async function fakeNode(t: TestContext, answer: { status?: number; body: unknown } | 'breaks' | 'hangs') {
  const asked: Request[] = [];
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const part of request) body += part;
    const { authorization, 'idempotency-key': given } = request.headers;
    const idempotencyKey = given as string | undefined;
    asked.push({ method: request.method!, url: request.url!, body, idempotencyKey, authorization });
    if (answer === 'breaks') return void request.socket.destroy();
    if (answer === 'hangs') return;
    response.writeHead(answer.status ?? 200, { 'Content-Type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => void reply(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Every method, with arguments that it takes. */
const everything: readonly (readonly [method: string, args: readonly unknown[], options?: object])[] = [
  ['publish', ['a.b', { name: 'n', args: [] }], { confirm: 'node' }],
  ['publishMany', [[{ channel: 'a.b', name: 'n', args: [] }]], { confirm: 'node' }],
  ['askChannel', ['a.b', { name: 'n', args: [] }], { timeout: 1000 }],
  ['actOnChannel', ['a.b', { action: 'x' }], { confirm: 'node' }],
  ['channels', [], { prefix: 'a' }],
  ['subscribers', ['a.b']],
  ['subscribe', ['s', ['a.b']]],
  ['unsubscribe', ['s', ['a.b']]],
  ['presence', ['a.b']],
  ['presenceCount', ['a.b']],
  ['history', ['a.b'], { since: 1, epoch: 'e', limit: 2, reverse: true }],
  ['clearHistory', ['a.b']],
  ['clients', [], { channel: 'a.b', user: 'u' }],
  ['send', ['s', { name: 'n', args: [] }]],
  ['disconnect', ['s']],
  ['sessionsOf', ['u']],
  ['sendToUser', ['u', { name: 'n', args: [] }]],
  ['actOnUser', ['u', { action: 'x', args: null }]],
  ['disconnectUser', ['u']],
  ['act', ['s', { action: 'x' }]],
  ['ask', ['s', { name: 'n', args: [] }], { timeout: 1000 }],
  ['batch', [[]]],
  ['version', []],
  ['stop', []],
  ['enable', []],
  ['disable', [], { cluster: true }],
  ['drain', []],
  ['drainage', []],
  ['terminate', ['why']],
];

/** An answer in which every method finds what it looks for. */
const anything = {
  unconfirmed: [],
  subscribed_clients: 0,
  channels: [],
  clients: [],
  members: [],
  cursor: null,
  args: [],
  sessions: 0,
  users: 0,
};

/** Runs the example of a client's page, after a change; resolves to what it prints. */
async function run(language: string, change: (code: string) => string): Promise<string> {
  const folder = fileURLToPath(new URL(`../../clients/${language.toLowerCase()}/`, import.meta.url));
  const [, code = ''] = /^```(?:js|python)\n(.*?)^```/ms.exec(readFileSync(`${folder}README.md`, 'utf8')) ?? [];
  const isNode = language === 'Node';
  const [program, args] = isNode
    ? [process.execPath, ['--input-type=module', '-e', change(code).replace("'hive-push-client'", "'./index.js'")]]
    : ['python3', ['-B', '-c', change(code)]];
  return (await promisify(execFile)(program, args, { cwd: folder })).stdout;
}

for (const [language, make] of Object.entries(apiClients) as [string, MakeClient][]) {
  const skip = language === 'Python' && missing('python3');

  describe(`the client for ${language}`, { skip }, () => {
    const made = (t: TestContext, urls: string | readonly string[], settings = {}): ApiClient => {
      const client = make({ urls, key, ...settings });
      t.after(() => client.stop());
      return client;
    };

    test('has a method for each call of the API, and says the key in a header only', async (t) => {
      const node = await fakeNode(t, { body: anything });
      const client = made(t, `${node.url}/`);
      for (const [method, args, options] of everything) await client.call(method, args, { ...options });
      const called = node.asked.map(({ method, url }) => {
        const { pathname, search } = new URL(url, node.url);
        const [, api, ...segments] = pathname.split('/');
        assert.equal(api, 'api');
        // What the server refuses, no client offers.
        if (segments[0] === 'batch') return 'batch';
        return findCall(method, segments.map(decodeURIComponent), search.slice(1)).operation.name;
      });
      assert.deepEqual([...new Set(called)].sort(), [...operations.map(({ name }) => name), 'batch'].sort());
      for (const { url, authorization } of node.asked) {
        assert.equal(authorization, `Bearer ${key}`);
        assert.ok(!url.includes(encodeURIComponent(key)));
      }
      const publish = new URL(node.asked[0]!.url, node.url);
      assert.deepEqual(Object.fromEntries(publish.searchParams), { confirm: 'node' });
    });

    test('asks another node when one cannot be reached, and goes on with that one', async (t) => {
      const node = await fakeNode(t, { body: anything });
      const client = made(t, [`http://127.0.0.1:${(await freePorts(1))[0]}`, node.url]);
      assert.deepEqual(await client.call('publish', ['a', { name: 'n' }]), []);
      assert.equal(node.asked[0]!.idempotencyKey, undefined, 'nothing was sent to the other one');
      const draining = await fakeNode(t, { status: 503, body: { error: 'router_error', description: 'draining' } });
      const other = made(t, [draining.url, node.url]);
      await other.call('publish', ['a', { name: 'n' }]);
      await other.call('publish', ['a', { name: 'n' }]);
      assert.deepEqual([draining.asked.length, node.asked.length], [1, 3]);
    });

    test('repeats at another node what may have been done only under a key, or if that does no harm', async (t) => {
      for (const fault of ['breaks', 'hangs'] as const) {
        const first = await fakeNode(t, fault);
        const second = await fakeNode(t, { body: anything });
        const client = made(t, [first.url, second.url], { timeout: 300 });
        const failure = await client.failure('publish', ['a', { name: 'n' }]);
        assert.deepEqual([failure.status, failure.code, failure.mayHaveHappened], [0, 'unreachable', true], fault);
        assert.ok(failure.message.includes(first.url), failure.message);
        assert.equal(second.asked.length, 0);
        await client.call('subscribers', ['a']);
        assert.equal(second.asked.length, 1);
        const sure = made(t, [first.url, second.url], { timeout: 300, exactlyOnce: true });
        await sure.call('publish', ['a', { name: 'n' }]);
        const [one, other] = [first.asked.at(-1)!, second.asked.at(-1)!];
        assert.ok(one.idempotencyKey && one.idempotencyKey === other.idempotencyKey);
        assert.deepEqual([one.method, one.url, one.body], [other.method, other.url, other.body]);
        await made(t, [second.url]).call('publish', ['a', { name: 'n' }], { idempotencyKey: 'mine' });
        assert.equal(second.asked.at(-1)!.idempotencyKey, 'mine');
      }
    });

    test('asks the first node, and no other, for what concerns one node', async (t) => {
      const node = await fakeNode(t, { body: anything });
      const client = made(t, [`http://127.0.0.1:${(await freePorts(1))[0]}`, node.url]);
      assert.equal((await client.failure('drain')).code, 'unreachable');
      assert.equal(node.asked.length, 0);
      await client.call('disable', [], { cluster: true });
      assert.equal(node.asked.length, 1);
    });

    test('tells what is no answer of a node', async (t) => {
      const proxy = await fakeNode(t, { status: 404, body: '<html>' });
      const failure = await made(t, proxy.url).failure('act', ['s', []]);
      assert.deepEqual([failure.status, failure.code], [404, 'unknown']);
    });

    describe('of a running node', () => {
      let node: DefaultNode;
      let client: ApiClient;

      before(async () => {
        node = await DefaultNode.start();
        const { pathname, origin } = new URL(node.address('api', '/KEY'));
        client = make({ urls: origin, key: pathname.slice(1) });
      });
      after(async () => {
        client.stop();
        await node.stop();
      });

      test('publishes, acts, asks, and lists', async () => {
        const user = new ReturningClient(node.url);
        const { socket } = user;
        const heard = (name: string) => once(socket as never, name);
        await user.connected();
        socket.on('sum', (one: number, other: number, answer: (sum: number) => void) => answer(one + other));
        const [{ sid } = { sid: '' }] = (await client.call('clients')) as { sid: string }[];
        await client.call('subscribe', [sid, ['ping.a', { ping: ['b', 'c'] }]]);
        const [all, one, a] = [heard('to all'), heard('to one'), heard('to a')];
        assert.deepEqual(await client.call('publish', ['ping', { name: 'to all', args: ['ä€😀'] }]), []);
        assert.equal((await all)[0], 'ä€😀');
        await client.call('act', [sid, { action: 'send', args: { name: 'to one', args: [2] } }]);
        assert.equal((await one)[0], 2);
        await client.call('actOnChannel', ['ping.a', [{ action: 'send', args: { name: 'to a', args: [3] } }]]);
        assert.equal((await a)[0], 3);
        assert.deepEqual(await client.call('ask', [sid, { name: 'sum', args: [1, 2] }]), [3]);
        assert.equal(await client.call('subscribers', ['ping']), 3);
        await client.call('unsubscribe', [sid, ['ping.b']]);
        const rows = (await client.call('channels', [], { prefix: 'ping' })) as Record<string, unknown>[];
        assert.deepEqual(
          rows.map(({ channel, subscribed_clients: count }) => [channel, count]),
          [
            ['ping.a', 1],
            ['ping.b', 0],
            ['ping.c', 1],
          ],
        );
        const listed = (await client.call('clients', [], { channel: 'ping.a' })) as { sid: string }[];
        assert.deepEqual(
          listed.map((row) => row.sid),
          [sid],
        );
        const batch = [{ method: 'GET', path: 'hive/version' }];
        assert.deepEqual(await client.call('batch', [batch]), [{ status: 200, body: await client.call('version') }]);
        user.stop();
        await eventually(async () => ((await client.call('clients')) as unknown[]).length === 0, 'nobody to be there');
      });

      test('says what the API refuses', async () => {
        const gone = await client.failure('act', ['nobody/at all', { action: 'send', args: { name: 'x', args: [] } }]);
        assert.deepEqual([gone.status, gone.code, gone.mayHaveHappened], [404, 'bad_session_id', false]);
        const bad = await client.failure('publish', ['a..b', { name: 'x', args: [] }]);
        assert.deepEqual([bad.status, bad.code], [400, 'bad_channel_id']);
      });

      test('does what its page shows', async () => {
        const user = new ReturningClient(node.url);
        await user.connected();
        user.socket.on('confirm', (_question: string, answer: (isSure: boolean) => void) => answer(true));
        const { pathname, origin } = new URL(node.address('api', '/KEY'));
        const news = once(user.socket as never, 'news');
        const printed = await run(language, (code) =>
          code
            .replace('http://127.0.0.1:1235', origin)
            .replace('http://127.0.0.1:2235', origin)
            .replace('change-this-api-key', pathname.slice(1)),
        );
        assert.match(printed, /^[\w-]{20,}\n1\n\[\s*true\s*\]\nping\.7 1\nbad_session_id\n$/i);
        assert.equal((await news)[0], 'hello');
        user.stop();
      });

      test('opens and closes it, and stops it', async () => {
        await client.call('disable');
        assert.equal(((await client.call('drainage')) as { admits: boolean }).admits, false);
        assert.deepEqual(await client.call('enable', [], { cluster: true }), {
          nodes: ['hive@127.0.0.1'],
          missing: [],
        });
        assert.equal(((await client.call('drain')) as { admits: boolean }).admits, false);
        await client.call('terminate', ['the test is over']);
        await client.call('stop');
        assert.equal((await node.process.finished).code, 0);
      });
    });
  });
}
