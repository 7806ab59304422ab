/** Every endpoint of the HTTP API in success and failure, against a real node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { nobody, say } from '../support/api-row.ts';
import { rows } from '../support/api-rows.ts';
import { DefaultNode } from '../support/default-node.ts';
import { next } from '../support/eventually.ts';
import { type Asked, ask, type Failure, metric } from '../support/operator.ts';

describe('the HTTP API', () => {
  let node: DefaultNode;
  let client: Socket;
  const said: unknown[] = [];
  const errors: { error: string }[] = [];

  before(async () => {
    node = await DefaultNode.start();
    client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    client.on('said', (...args: unknown[]) => said.push(...args));
    client.on('hive_error', (error: { error: string }) => errors.push(error));
    client.on('echo', (...args: unknown[]) => (args.pop() as (...echo: unknown[]) => void)(...args));
    await next(client, 'connect');
  });
  after(async () => {
    client.disconnect();
    await node.stop();
  });

  const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Asked> =>
    ask(node, 'api', method, path.replace('SID', client.id ?? ''), body, headers);

  for (const { title, method, path, body, status, error, answer = '', allow = null } of rows) {
    test(`${title}: ${status}`, async () => {
      const given = await api(method, `/api/KEY/${path}`, body);
      assert.equal(given.status, status, given.text);
      assert.equal(given.headers.get('allow'), allow);
      if (error !== undefined) {
        assert.equal(given.type, 'application/json; charset=utf-8');
        const { error: code, description, ...rest } = given.json as Failure;
        assert.deepEqual({ code, rest }, { code: error, rest: {} });
        assert.match(description, /\w/);
      } else if (answer instanceof RegExp) {
        assert.equal(given.type, 'text/plain; charset=utf-8');
        assert.match(given.text, answer);
      } else if (answer === '') {
        assert.deepEqual([given.type, given.text], [null, '']);
      } else {
        const text = given.text.replaceAll(client.id!, 'SID').replace(/(?<="connected_at":)\d{13}\b/, '"NOW"');
        assert.deepEqual(JSON.parse(text), answer);
      }
    });
  }

  test('clients got what was sent to them, in order, and the error of the action that does not exist', async () => {
    const flushed = next(client, 'flush');
    await api('POST', '/api/KEY/clients/action/SID', { action: 'send', args: { name: 'flush', args: [] } });
    await flushed;
    assert.deepEqual(said, ['one', 'two', 'three', 'four', 'five']);
    assert.equal(errors.length, 1);
  });

  test('without the right key there is nothing to see, whatever is asked for', async () => {
    for (const path of ['/api/wrong/hive/version', '/api', '/api/', '/api/hive/version', '/api/wrong/nothing']) {
      const { status, json, headers } = await api('GET', path);
      const { error, description } = json as Failure;
      assert.deepEqual({ path, status, error }, { path, status: 401, error: 'bad_api_request' });
      assert.equal(typeof description, 'string');
      assert.equal(headers.get('www-authenticate'), 'Bearer');
    }
    assert.equal((await api('GET', '/somewhere/else')).status, 404);
  });

  test('the key may come in a header, where the path has none', async () => {
    const key = node.address('api', 'KEY').split(/:\d+/)[1] ?? '';
    const with_ = (authorization: string, path: string) => api('GET', path, undefined, { authorization });
    assert.equal((await with_(`Bearer ${key}`, '/api/hive/version')).status, 200);
    assert.equal((await with_(`bearer ${key}`, '/api/hive/version')).status, 200);
    assert.equal((await with_(`Bearer ${key}x`, '/api/hive/version')).status, 401);
    assert.equal((await with_('Bearer', '/api/hive/version')).status, 401);
    // With the key in its path a request needs no header: one that is there is for somebody else.
    assert.equal((await with_(`Bearer ${key}`, `/api/${key}/hive/version`)).status, 200);
    assert.equal((await with_('Bearer of.a.proxy', `/api/${key}/hive/version`)).status, 200);
    // Another scheme is the business of somebody else on the way.
    assert.equal((await with_('Basic YTpi', '/api/KEY/hive/version')).status, 200);
  });

  test('a path that was allowed before is checked no less', async () => {
    const path = '/api/KEY/pubsub/publish/ping.again';
    const event = { name: 'said', args: [] };
    const requests = async () => (await metric(node, 'api.pubsub.requests')) ?? 0;
    const before = await requests();
    for (let i = 0; i < 3; i += 1) assert.equal((await api('POST', path, event)).status, 200);
    assert.equal((await api('POST', `${path}?cluster=true`, event)).status, 400);
    assert.equal((await api('POST', `${path}?cluster=perhaps`, event)).status, 400);
    assert.equal((await api('POST', `${path}?confirm=`, event)).status, 200);
    assert.equal((await api('PUT', path, event)).status, 405);
    assert.equal((await api('POST', path, 7)).status, 400);
    assert.equal((await api('POST', path.replace('KEY', 'wrong'), event)).status, 401);
    assert.equal((await requests()) - before, 9);
  });

  test('only a publish can do without the confirmation of other nodes', async () => {
    const event = { name: 'said', args: [] };
    const path = '/api/KEY/pubsub/publish/ping.again';
    for (let times = 0; times < 2; times += 1) {
      assert.equal((await api('POST', `${path}?confirm=node`, event)).status, 200);
      assert.equal((await api('POST', `${path}?confirm=cluster`, event)).status, 200);
      const odd = await api('POST', `${path}?confirm=maybe`, event);
      assert.equal((odd.json as Failure).description, 'confirm must be cluster or node, not maybe.');
      const other = await api('POST', '/api/KEY/router/enable?confirm=node');
      const description = 'POST router/enable has no parameter confirm; it has cluster.';
      assert.equal((other.json as Failure).description, description);
    }
    const { json } = await api('POST', '/api/KEY/batch', [
      { method: 'POST', path: 'pubsub/publish/ping.again?confirm=node', body: event },
      { method: 'GET', path: 'hive/version?confirm=node' },
    ]);
    assert.deepEqual(
      (json as { status: number }[]).map(({ status }) => status),
      [200, 400],
    );
  });

  test('the calls of a batch are carried out in order, each with its own result', async () => {
    said.length = 0;
    const flushed = next(client, 'flush');
    const sid = client.id;
    const { status, json } = await api('POST', '/api/KEY/batch', [
      { method: 'POST', path: `clients/action/${sid}`, body: say('a') },
      { method: 'post', path: `/clients/action/${sid}`, body: [say('b'), say('c')] },
      { method: 'POST', path: `clients/action/${nobody}`, body: say('x') },
      { method: 'POST', path: `clients/action/${sid}`, body: JSON.stringify(say('d')) },
      { method: 'POST', path: `pubsub/subscribe/${sid}`, body: ['ping.batch'] },
      { method: 'GET', path: 'pubsub/subscribe/ping.batch' },
      { method: 'GET', path: 'pubsub/subscribe/ping.batch?cluster=true' },
      { method: 'POST', path: 'pubsub/publish/ping.batch', body: { name: 'said', args: ['e'] } },
      { method: 'GET', path: 'hive/version' },
      { method: 'POST', path: 'pubsub/publish/ping.batch', body: 7 },
      { method: 'POST', path: 'pubsub/publish/ping.batch' },
      { method: 'DELETE', path: 'clients/action/x' },
      { method: 'POST', path: 'batch', body: [] },
      { method: 'POST', path: 'clients/action/%zz' },
      { path: 'hive/version' },
      { method: 'GET', path: 'hive/version', header: {} },
      null,
      { method: 'POST', path: `clients/action/${sid}`, body: { action: 'send', args: { name: 'flush', args: [] } } },
    ]);
    assert.equal(status, 200);
    const results = (json as { status: number; body: unknown }[]).map(({ status: own, body }) => {
      const code = (body as Partial<Failure> | null)?.error;
      return code === undefined ? `${own} ${JSON.stringify(body)}` : `${own} ${code}`;
    });
    const { text: version } = await api('GET', '/api/KEY/hive/version');
    assert.deepEqual(results, [
      '200 null',
      '200 null',
      '404 bad_session_id',
      '200 null',
      '200 null',
      '200 {"subscribed_clients":1}',
      '200 {"subscribed_clients":1,"nodes":["hive@127.0.0.1"],"missing":[]}',
      '200 null',
      `200 "${version}"`,
      '400 bad_external_event',
      '400 invalid_json',
      '405 bad_api_request',
      '404 bad_api_request',
      '400 bad_api_request',
      '400 bad_api_request',
      '400 bad_api_request',
      '400 bad_api_request',
      '200 null',
    ]);
    await flushed;
    assert.deepEqual(said, ['a', 'b', 'c', 'd', 'e']);
  });

  test('requests and failures are counted, in all and by section', async () => {
    const count = async () => {
      const paths = ['api.requests', 'api.errors', 'api.clients.requests', 'api.clients.errors', 'api.batch.requests'];
      return Promise.all(paths.map(async (path) => (await metric(node, path)) ?? 0));
    };
    const earlier = await count();
    const calls = [
      { method: 'POST', path: 'clients/action/SID', body: [] },
      { method: 'POST', path: 'clients/action/x', body: [] },
    ];
    await api('POST', '/api/KEY/batch', calls);
    await api('POST', '/api/wrong/clients/action/x', []);
    const later = await count();
    assert.deepEqual(
      later.map((value, index) => value - earlier[index]!),
      [4, 3, 3, 3, 1],
    );
  });

  test('answers to HEAD have no body, so that the connection can be used on', async () => {
    const clients = await fetch(`${node.url}/socket.io/1/`, { method: 'HEAD' });
    assert.deepEqual([clients.status, await clients.text()], [405, '']);
    for (const path of ['/api/KEY/hive/version', '/api/wrong', '/monitor']) {
      const given = await api('HEAD', path);
      assert.deepEqual([given.status, given.text], [path.includes('KEY') ? 405 : given.status, '']);
      assert.equal((await api('GET', '/api/KEY/hive/version')).status, 200);
    }
  });

  test('a body may have eight million bytes, not more', async () => {
    const { status, json } = await api('POST', '/api/KEY/pubsub/publish/ping.a', `"${'x'.repeat(8_000_000)}"`);
    assert.deepEqual([status, (json as Failure).error], [413, 'payload_too_large']);
    const big = JSON.stringify({ name: 'big', args: ['x'.repeat(7_000_000)] });
    assert.equal((await api('POST', '/api/KEY/pubsub/publish/nobody', big)).status, 200);
  });
});
