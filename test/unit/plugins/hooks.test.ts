import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventTrigger, onConnect, onDisconnect } from '../../../src/actors/client/triggers.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { silent } from '../../../src/observe/logger.ts';
import { PluginRegistry } from '../../../src/plugins/registry.ts';
import type { Client, Hook, Services, Trigger } from '../../../src/plugins/types.ts';
import { ClientEvent } from '../../../src/protocol/packet.ts';
import { eventually } from '../../support/eventually.ts';
import { brief, clientConfig, FakeClient, fakeServices } from '../../support/plugins.ts';

function hook(name: string, args: unknown, services: Services = fakeServices()): Hook {
  return new PluginRegistry().hook(name).create(args, services);
}

function trigger(name: string, args: unknown, id?: number, ackWithData?: boolean): Trigger {
  return new EventTrigger(new ClientEvent(name, JSON.stringify(args), id, ackWithData));
}

function sent(client: FakeClient): string[] {
  return client.sent.map(brief);
}

function metric(services: Services, path: string): number {
  return services.metrics.counter(path).value;
}

const backend = { connector: 'backend', endpoint: '/join' };

test('utils.echo repeats the event without its id, behind the acknowledgement that was asked for', () => {
  const client = new FakeClient();
  assert.equal(hook('utils.echo', null)(client, trigger('hi', [1, 'ü'])), undefined);
  hook('utils.echo', null)(client, trigger('hi', [2], 5));
  hook('utils.echo', null)(client, trigger('hi', 3, 6));
  assert.deepEqual(sent(client), ['event hi [1,"ü"]', 'ack 5 [2]', 'event hi [2]', 'ack 6 [3]', 'event hi 3']);
});

test('utils.echo with args sends the same packet to everybody, on special events, too', () => {
  const client = new FakeClient();
  const echo = hook('utils.echo', { name: 'welcome', args: [{ room: 1 }] });
  echo(client, onConnect);
  echo(client, trigger('hi', [1], 7));
  assert.deepEqual(sent(client), ['event welcome [{"room":1}]', 'ack 7 [{"room":1}]', 'event welcome [{"room":1}]']);
  assert.equal(client.sent[0], client.sent[2]);
});

test('utils.echo without args has nothing to repeat on special events', () => {
  const client = new FakeClient();
  hook('utils.echo', null)(client, onConnect);
  assert.deepEqual(client.sent, []);
});

test('utils.console_dump writes to the log behind its prefix: what there is at info, the metadata itself at debug', async () => {
  const lines: string[] = [];
  const to = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const client = new FakeClient();
  client.log = { ...silent, info: to('info'), debug: to('debug') };
  assert.equal(hook('utils.console_dump', 'dump: ')(client, trigger('a', [])), undefined);
  client.metadata = async () => 'später';
  await hook('utils.console_dump', null)(client, onConnect);
  assert.deepEqual(lines, [
    'info dump: a, 13 bytes of metadata',
    'debug dump: metadata of a',
    'info on_connect, 7 bytes of metadata',
    'debug später',
  ]);
});

test('utils.dispatch performs the arguments as actions, all or none', () => {
  const client = new FakeClient();
  const dispatch = hook('utils.dispatch', null);
  dispatch(
    client,
    trigger('do', [
      { action: 'a', args: 1 },
      { action: 'b', args: null, trigger_id: '5+' },
    ]),
  );
  assert.deepEqual(client.performed, [
    { action: 'a', args: 1, trigger_id: '' },
    { action: 'b', args: null, trigger_id: '5+' },
  ]);
  assert.throws(() => dispatch(client, trigger('do', [{ action: 'c', args: 1 }, { bad: 1 }])), {
    code: 'bad_internal_event',
  });
  assert.throws(() => dispatch(client, onConnect), { code: 'bad_internal_event' });
  assert.equal(client.performed.length, 2);
});

test('pubsub.subscribe and unsubscribe take every argument as a channel expression', async () => {
  const services = fakeServices();
  const client = new FakeClient();
  await hook('pubsub.subscribe', 'private', services)(client, trigger('join', ['a.b', { c: [1, 2] }]));
  await hook('pubsub.unsubscribe', null, services)(client, trigger('part', [['a.b'], 'c']));
  await hook('pubsub.subscribe', 'public', services)(client, onConnect);
  assert.deepEqual(client.calls, [
    ['subscribe', ['a.b', 'c.1', 'c.2'], 'private'],
    ['unsubscribe', ['a.b', 'c'], 'public'],
  ]);
  assert.throws(() => hook('pubsub.subscribe', null, services)(client, trigger('join', [null])), {
    code: 'bad_channel_id',
  });
  assert.equal(metric(services, 'clients.hooks.join.pubsub.subscribe'), 2);
  assert.equal(metric(services, 'clients.hooks.pubsub.unsubscribe'), 1);
});

test('pubsub.resubscribe leaves the prefixes, then joins the channels', async () => {
  const client = new FakeClient();
  const resubscribe = hook('pubsub.resubscribe', 'public');
  await resubscribe(client, trigger('move', [{ news: [5, 6] }]));
  assert.deepEqual(client.calls, [
    ['unsubscribe', ['news'], 'public'],
    ['subscribe', ['news.5', 'news.6'], 'public'],
  ]);
  await assert.rejects(async () => resubscribe(client, trigger('move', ['news'])), { code: 'bad_channel_id' });
  client.unsubscribe = () => Promise.reject(new HiveError('access_denied'));
  await assert.rejects(async () => resubscribe(client, trigger('move', [{ news: 7 }])), { code: 'access_denied' });
  assert.equal(client.calls.length, 2);
});

test('pubsub.publish publishes actions, or raw events', () => {
  const services = fakeServices();
  const client = new FakeClient();
  const cids = { room: ['a', 'b'] };
  hook(
    'pubsub.publish',
    { cids, privilege: 'private', raw: false },
    services,
  )(client, trigger('say', [{ action: 'x', args: 1 }]));
  hook(
    'pubsub.publish',
    { cids, raw: true },
    services,
  )(client, trigger('say', [{ name: 'e' }, { name: 'f', args: [1] }]));
  const [orders, ...events] = services.published;
  assert.deepEqual(orders, {
    channels: ['room.a', 'room.b'],
    privilege: 'private',
    publication: { type: 'actions', actions: [{ action: 'x', args: 1, trigger_id: '' }] },
  });
  assert.deepEqual(
    events.map(({ privilege, publication }) => [privilege, publication.type === 'event' && brief(publication.packet)]),
    [
      ['public', 'event e []'],
      ['public', 'event f [1]'],
    ],
  );
  assert.throws(
    () => hook('pubsub.publish', { cids, raw: true }, services)(client, trigger('say', [{ name: 'ok' }, { args: [] }])),
    { code: 'bad_external_event' },
  );
  assert.equal(services.published.length, 3);
});

test('hp.post sends the metadata and obeys the actions in the answer', async () => {
  const body = '[{"action":"a","args":1},{"action":"b","args":2}]';
  const services = fakeServices(clientConfig(), () => ({ status: 201, body }));
  const client = new FakeClient();
  await hook('hp.post', backend, services)(client, trigger('join', ['x']));
  const request = {
    method: 'POST',
    endpoint: '/join',
    body: 'metadata of join',
    idempotencyKey: client.idempotencyKey,
  };
  assert.deepEqual(services.asked, [{ pool: 'backend', request, signal: client.signal }]);
  assert.deepEqual(
    client.performed.map(({ action }) => action),
    ['a', 'b'],
  );
  assert.equal(metric(services, 'clients.hooks.hp.post'), 1);
  assert.equal(metric(services, 'clients.hooks.join.hp.post'), 1);
});

test('an empty answer means that nothing is to be done', async () => {
  for (const answer of [
    { status: 200, body: '' },
    { status: 204, body: '' },
    { status: 200, body: ' [] ' },
  ]) {
    const client = new FakeClient();
    await hook(
      'hp.get',
      backend,
      fakeServices(clientConfig(), () => answer),
    )(client, onConnect);
    assert.deepEqual(client.performed, []);
  }
});

test('an answer that makes no sense is an error that names the reason', async () => {
  const cases = [
    [{ status: 500, body: '' }, 'http_error'],
    [{ status: 302, body: '' }, 'http_error'],
    [{ status: 200, body: 'hello' }, 'invalid_json'],
    [{ status: 200, body: '{}' }, 'bad_internal_event'],
    [{ status: 200, body: '[{"action":"a","args":1},{"action":2}]' }, 'bad_internal_event'],
  ] as const;
  for (const [answer, code] of cases) {
    const client = new FakeClient();
    const run = async () =>
      hook(
        'hp.get',
        backend,
        fakeServices(clientConfig(), () => answer),
      )(client, onConnect);
    await assert.rejects(run, { code }, JSON.stringify(answer));
    assert.deepEqual(client.performed, []);
  }
});

test('hp.put does not wait, keeps the order of one client, and reports failures when they happen', async () => {
  const answers: ((value: unknown) => void)[] = [];
  const services = fakeServices(clientConfig(), () => new Promise((resolve) => answers.push(resolve)));
  const put = hook('hp.put', backend, services);
  const client: FakeClient = new FakeClient();
  const other: Client = new FakeClient();
  assert.equal(put(client, trigger('a', [])), undefined);
  assert.equal(put(client, trigger('b', [])), undefined);
  assert.equal(put(other, trigger('c', [])), undefined);
  await eventually(() => answers.length === 2, 'the first puts of both clients');
  assert.deepEqual(
    services.asked.map(({ request }) => request.body),
    ['metadata of a', 'metadata of c'],
  );
  answers[0]?.({ status: 500, body: 'ignored' });
  await eventually(() => answers.length === 3, 'the second put');
  answers[2]?.(Promise.reject(new HiveError('http_error', 'refused')));
  await eventually(() => client.reported.length === 1, 'the report');
  assert.equal(client.reported[0]?.code, 'http_error');
});

test('the puts of on_disconnect are waited for, behind those before them', async () => {
  const answers: ((value: unknown) => void)[] = [];
  const services = fakeServices(clientConfig(), () => new Promise((resolve) => answers.push(resolve)));
  const put = hook('hp.put', backend, services);
  const client = new FakeClient();
  put(client, trigger('a', []));
  let isDone = false;
  const done = Promise.resolve(put(client, onDisconnect('client_disconnect', { isLast: true, lost() {} }))).then(() => {
    isDone = true;
  });
  for (let answered = 0; answered < 2; answered += 1) {
    const answer = await eventually(() => answers[answered], 'the next put');
    assert.ok(!isDone);
    answer({ status: 200, body: '' });
  }
  await done;
});

test('a client with too many puts under way waits', async () => {
  const answers: ((value: unknown) => void)[] = [];
  const services = fakeServices(clientConfig(), () => new Promise((resolve) => answers.push(resolve)));
  const put = hook('hp.put', backend, services);
  const client = new FakeClient();
  const results = Array.from({ length: 33 }, () => put(client, trigger('a', [])));
  assert.ok(results.slice(0, 32).every((result) => result === undefined));
  assert.ok(results[32] instanceof Promise);
  for (let answered = 0; answered < 33; answered += 1) {
    const answer = await eventually(() => answers[answered], 'the next put');
    answer({ status: 200, body: '' });
  }
  await results[32];
});

test('pubsub.history answers by acknowledgement, or by an event of the same name', async () => {
  const services = fakeServices();
  const client = new FakeClient();
  const ask = (args: unknown, id?: number) =>
    hook('pubsub.history', 'private', services)(client, trigger('past', args, id));
  await ask(['chat.a', { since: 3, epoch: 'e', limit: 5, reverse: true }], 7);
  await ask(['chat.a']);
  const page = (query: object) =>
    JSON.stringify([
      { channel: 'private chat.a', epoch: JSON.stringify(query), offset: 0, entries: [], complete: true },
    ]);
  assert.deepEqual(sent(client), [
    `ack 7 ${page({ since: 3, epoch: 'e', limit: 5, reverse: true })}`,
    `event past ${page({ limit: 100 })}`,
  ]);
  await hook('pubsub.history', null, services)(client, onConnect);
  assert.equal(client.sent.length, 2);
  assert.equal(metric(services, 'clients.hooks.pubsub.history'), 3);
  const wrong = [[], [7], ['a', null], ['a', []], ['a', { limit: 0 }], ['a', { limit: 1001 }], ['a', { since: -1 }]];
  for (const args of [...wrong, ['a', { epoch: 1 }], ['a', { reverse: 1 }], ['a', { more: 1 }], ['a', {}, 1]]) {
    await assert.rejects(async () => ask(args), { code: 'bad_external_event' }, JSON.stringify(args));
  }
});

test('pubsub.presence answers by acknowledgement, or by an event of the same name', async () => {
  const services = fakeServices();
  const client = new FakeClient();
  const ask = (args: unknown, id?: number) =>
    hook('pubsub.presence', 'private', services)(client, trigger('who', args, id));
  await ask(['chat.a', { cursor: 's', limit: 5 }], 7);
  await ask(['chat.a']);
  const list = (page: object) =>
    JSON.stringify([
      { channel: 'private chat.a', members: [], cursor: JSON.stringify(page), sessions: 0, users: 0, version: 'v' },
    ]);
  assert.deepEqual(sent(client), [
    `ack 7 ${list({ after: 's', limit: 5 })}`,
    `event who ${list({ after: '', limit: 100 })}`,
  ]);
  await hook('pubsub.presence', null, services)(client, onConnect);
  assert.equal(client.sent.length, 2);
  assert.equal(metric(services, 'clients.hooks.pubsub.presence'), 3);
  const wrong = [[], [7], ['a', null], ['a', []], ['a', { limit: 0 }], ['a', { limit: 1001 }], ['a', { cursor: 1 }]];
  for (const args of [...wrong, ['a', { more: 1 }], ['a', {}, 1]]) {
    await assert.rejects(async () => ask(args), { code: 'bad_external_event' }, JSON.stringify(args));
  }
});
