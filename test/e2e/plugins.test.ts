/** Every built-in hook and action, through real sockets: client → node → HTTP back end and back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { builtIn } from '../../src/plugins/built-in.ts';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { SocketClient } from '../support/socket-clients.ts';

type Check = () => Promise<void>;

let node: DefaultNode;
let backEnd: BackEnd;
let client: SocketClient;

before(async () => {
  backEnd = await BackEnd.start();
  node = await DefaultNode.start((config) => {
    Object.assign(config.hive!, { mode: 'development' });
    Object.assign(config.log!, { file_level: 'debug' });
    Object.assign(config.connectors!, {
      pools: {
        backend: {
          connector: 'connector.http',
          size: 2,
          overflow: 2,
          args: { base_url: backEnd.url, max_connection_timeout: 2000 },
        },
      },
    });
    Object.assign(config.pubsub!, {
      channels: {
        open: { privilege: 'public', timeout: 1000 },
        closed: { privilege: 'private', timeout: 1000 },
        told: { privilege: 'public', timeout: 1000, history: {}, presence: {} },
      },
    });
    Object.assign(config.clients!, {
      state: { state_manager: 'sm.local', initial_value: { color: 'red' }, args: null },
      actions: Object.fromEntries(actionNames.map((action) => [action, [{ action, args: argsOf(action) }]])),
      hooks: {
        ...Object.fromEntries(hookNames.map((hook) => [hook, [{ hook, args: hookArgs[hook] ?? null }]])),
        // What the back end answers to `ask` is performed.
        ask: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/ask' } }],
        other: [{ hook: 'utils.echo', args: { name: 'dispatched', args: [] } }],
      },
    });
  });
});

after(async () => {
  await node?.stop();
  await backEnd?.stop();
});

beforeEach(async () => {
  backEnd.asked.length = 0;
  backEnd.answers.clear();
  client = await SocketClient.connect('4.8 websocket', node.url);
});

afterEach(() => client.disconnect());

const hookNames = Object.keys(builtIn.hooks);
const actionNames = Object.keys(builtIn.actions);

const hookArgs: Record<string, unknown> = {
  'utils.console_dump': 'dumped: ',
  'hp.get': { connector: 'backend', endpoint: '/get' },
  'hp.put': { connector: 'backend', endpoint: '/put' },
  'hp.post': { connector: 'backend', endpoint: '/post' },
  'pubsub.publish': { cids: 'open.room', privilege: 'public' },
  'pubsub.history': 'public',
  'pubsub.presence': 'public',
  'pubsub.subscribe': 'public',
  'pubsub.unsubscribe': 'public',
  'pubsub.resubscribe': 'public',
};

const argsOf = (action: string): unknown => (action.startsWith('action.pubsub.') ? 'public' : null);

/** Has the client perform actions, in its back end's name. */
function order(...orders: { action: string; args: unknown; trigger_id?: string }[]): void {
  backEnd.answers.set('/ask', { body: orders });
  client.emit('ask');
}

const say = (name: string, ...args: unknown[]) => ({ action: 'action.send_event', args: { name, args } });

async function publish(channel: string, name: string): Promise<void> {
  const answer = await node.api('POST', `pubsub/publish/${channel}`, JSON.stringify({ name, args: [] }));
  assert.equal(answer.status, 200);
}

/** The client has done everything that was asked of it before. */
async function settled(): Promise<void> {
  const mark = `mark ${Math.random()}`;
  client.emit('utils.echo', mark);
  await client.event('utils.echo', (value) => value === mark);
}

async function receives(channel: string): Promise<boolean> {
  const name = `probe ${Math.random()}`;
  await publish(channel, name);
  await settled();
  return client.received.some((event) => event.name === name);
}

const hooks: Record<string, Check> = {
  'utils.echo': async () => {
    client.emit('utils.echo', { deep: ['ö', 1.5, null] });
    assert.deepEqual(await client.event('utils.echo'), { deep: ['ö', 1.5, null] });
  },
  'utils.console_dump': async () => {
    client.emit('utils.console_dump', 'look here');
    await settled();
    const log = () => readFileSync(join(node.directory, 'log', 'hive.log'), 'utf8').split('\n');
    await eventually(() => log().some((line) => line.includes('look here')), 'the dump in the log');
    const lines = log().filter((line) => line.includes('"msg":"dumped: '));
    const [info, debug] = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
    assert.match(`${info?.level} ${info?.msg}`, /^info dumped: utils\.console_dump, \d+ bytes of metadata$/);
    assert.match(`${debug?.level} ${debug?.msg}`, /^debug dumped: \{.*"trigger":\{.*"look here"/);
  },
  'utils.dispatch': async () => {
    client.emit('utils.dispatch', say('first'), say('second'));
    await client.event('second');
    assert.deepEqual(
      client.received.map(({ name }) => name),
      ['first', 'second'],
    );
  },
  'hp.get': async () => {
    backEnd.answers.set('/get', { body: say('got', 'it') });
    client.emit('hp.get');
    assert.equal(await client.event('got'), 'it');
    assert.equal((await backEnd.request('/get')).method, 'GET');
  },
  'hp.put': async () => {
    backEnd.answers.set('/put', { body: say('never') });
    client.emit('hp.put', 'value');
    const { method, body } = await backEnd.request('/put');
    assert.equal(method, 'POST');
    assert.deepEqual(JSON.parse(body).trigger, { name: 'hp.put', args: ['value'] });
    await settled();
    assert.ok(!client.received.some(({ name }) => name === 'never'));
  },
  'hp.post': async () => {
    backEnd.answers.set('/post', { status: 201, body: [say('one'), say('two')] });
    client.emit('hp.post', { item: 42 });
    await client.event('two');
    const { headers, body } = await backEnd.request('/post');
    assert.match(String(headers['content-type']), /^application\/json/);
    const metadata = JSON.parse(body);
    assert.deepEqual(metadata.trigger, { name: 'hp.post', args: [{ item: 42 }] });
    assert.deepEqual(metadata.state, { color: 'red' });
    assert.equal(metadata.trigger_id, '');
    assert.equal(typeof metadata.sid, 'string');
  },
  'pubsub.subscribe': async () => {
    client.emit('pubsub.subscribe', { open: ['a', { b: 'c' }] });
    await settled();
    assert.ok(await receives('open.a'));
    assert.ok(await receives('open.b.c'));
    client.emit('pubsub.subscribe', 'closed.a');
    assert.equal((await client.event<{ error: string }>('hive_error')).error, 'access_denied');
  },
  'pubsub.unsubscribe': async () => {
    client.emit('pubsub.subscribe', { open: ['a', 'b'] });
    client.emit('pubsub.unsubscribe', 'open.a');
    await settled();
    assert.ok(!(await receives('open.a')));
    assert.ok(await receives('open.b'));
  },
  'pubsub.resubscribe': async () => {
    client.emit('pubsub.subscribe', { open: ['a', 'b'] });
    client.emit('pubsub.resubscribe', { open: ['c'] });
    await settled();
    assert.ok(!(await receives('open.a')));
    assert.ok(await receives('open.c'));
  },
  'pubsub.history': async () => {
    await publish('told.a', 'said');
    client.emit('pubsub.history', 'told.a');
    const { entries } = await client.event<{ entries: { name: string }[] }>('pubsub.history');
    assert.equal(entries.at(-1)?.name, 'said');
    client.emit('pubsub.history', 'open.a');
    assert.equal((await client.event<{ error: string }>('hive_error')).error, 'bad_channel_id');
  },
  'pubsub.presence': async () => {
    client.emit('pubsub.subscribe', 'told.b');
    client.emit('pubsub.presence', 'told.b');
    assert.equal((await client.event<{ sessions: number }>('pubsub.presence')).sessions, 1);
    client.emit('pubsub.presence', 'open.a');
    assert.equal((await client.event<{ error: string }>('hive_error')).error, 'bad_channel_id');
  },
  'pubsub.publish': async () => {
    client.emit('pubsub.subscribe', 'open.room');
    client.emit('pubsub.publish', say('published', 'to all'));
    assert.equal(await client.event('published'), 'to all');
  },
};

const actions: Record<string, Check> = {
  'action.stop': async () => {
    order(say('last'), { action: 'action.stop', args: 'enough' });
    const error = await client.event<{ error: string; description: string }>('hive_error');
    assert.equal(error.error, 'stopped');
    assert.equal(error.description, 'enough');
    await client.until(() => !client.connected, 'its end');
    assert.equal(client.received[0]?.name, 'last');
  },
  'action.error': async () => {
    order({ action: 'action.error', args: 'not like this' });
    const { error, description } = await client.event<{ error: string; description: string }>('hive_error');
    assert.equal(error, 'internal_error');
    assert.equal(description, 'not like this');
    assert.ok(client.connected);
  },
  'action.send_event': async () => {
    order(say('hello', { to: 'you' }));
    assert.deepEqual(await client.event('hello'), { to: 'you' });
  },
  'action.send_message': async () => {
    order({ action: 'action.send_message', args: 'plain text' });
    assert.equal(await client.event('message'), 'plain text');
  },
  'action.send_json': async () => {
    order({ action: 'action.send_json', args: { a: [1] } });
    assert.deepEqual(await client.event('message'), { a: [1] });
  },
  'action.send_ack': async () => {
    backEnd.answers.set('/ask', ({ body }) => {
      const { trigger_id } = JSON.parse(body) as { trigger_id: string };
      return { body: { action: 'action.send_ack', args: ['done', 7], trigger_id } };
    });
    const answered = new Promise((resolve) => client.emit('ask', (...args: unknown[]) => resolve(args)));
    assert.deepEqual(await answered, ['done', 7]);
    // Nobody has asked: the client is not bothered, whoever it is.
    order({ action: 'action.send_ack', args: ['unasked'] }, say('goes on'));
    await client.event('goes on');
    assert.deepEqual(
      client.received.filter(({ name }) => name === 'hive_error'),
      [],
    );
    const unasked = JSON.stringify({ action: 'action.send_ack', args: ['unasked'] });
    const refused = await node.api('POST', 'clients/action/nobody', unasked);
    assert.deepEqual(
      [refused.status, ((await refused.json()) as { error: string }).error],
      [400, 'bad_internal_event'],
    );
  },
  'action.update_state': async () => {
    order({ action: 'action.update_state', args: { nick: 'ann', color: 'blue' } });
    await settled();
    client.emit('hp.put');
    const { state } = JSON.parse((await backEnd.request('/put')).body);
    assert.deepEqual(state, { color: 'blue', nick: 'ann' });
  },
  'action.dispatch': async () => {
    order({ action: 'action.dispatch', args: { name: 'other', args: [] } });
    await client.event('dispatched');
  },
  'action.add_hooks': async () => {
    order({ action: 'action.add_hooks', args: { fresh: [{ hook: 'utils.echo', args: null }] } });
    await settled();
    client.emit('fresh', 'new');
    assert.equal(await client.event('fresh'), 'new');
  },
  'action.remove_hooks': async () => {
    order({ action: 'action.remove_hooks', args: ['other'] }, say('removed'));
    await client.event('removed');
    client.emit('other');
    await settled();
    assert.ok(!client.received.some(({ name }) => name === 'dispatched'));
  },
  'action.start_connectors': async () => {
    const args = { base_url: backEnd.url, max_connection_timeout: 2000 };
    order(
      {
        action: 'action.start_connectors',
        args: { late: { connector: 'connector.http', size: 1, overflow: 0, args } },
      },
      {
        action: 'action.add_hooks',
        args: { late: [{ hook: 'hp.put', args: { connector: 'late', endpoint: '/late' } }] },
      },
      say('started'),
    );
    await client.event('started');
    client.emit('late');
    await backEnd.request('/late');
  },
  'action.stop_connectors': async () => {
    const late = { connector: 'connector.tcp', size: 0, overflow: 1, args: { port: 0, restart_timeout: 0 } };
    order(
      { action: 'action.start_connectors', args: { brief: late } },
      { action: 'action.stop_connectors', args: ['brief'] },
      { action: 'action.stop_connectors', args: ['brief'] },
    );
    assert.equal((await client.event<{ error: string }>('hive_error')).error, 'bad_connector_id');
  },
  'action.pubsub.subscribe': async () => {
    order({ action: 'action.pubsub.subscribe', args: { open: 'x' } }, say('joined'));
    await client.event('joined');
    assert.ok(await receives('open.x'));
  },
  'action.pubsub.unsubscribe': async () => {
    order(
      { action: 'action.pubsub.subscribe', args: { open: ['x', 'y'] } },
      { action: 'action.pubsub.unsubscribe', args: ['open.x'] },
      say('left'),
    );
    await client.event('left');
    assert.ok(!(await receives('open.x')));
    assert.ok(await receives('open.y'));
  },
  'action.pubsub.resubscribe': async () => {
    order(
      { action: 'action.pubsub.subscribe', args: { open: ['x', 'y'] } },
      { action: 'action.pubsub.resubscribe', args: { open: ['z'] } },
      say('changed'),
    );
    await client.event('changed');
    assert.ok(!(await receives('open.y')));
    assert.ok(await receives('open.z'));
  },
  'action.pubsub.publish': async () => {
    order(
      { action: 'action.pubsub.subscribe', args: 'open.x' },
      { action: 'action.pubsub.publish', args: { event: say('news', 1), cids: 'open.x' } },
    );
    assert.equal(await client.event('news'), 1);
  },
  'action.pubsub.publish_raw': async () => {
    order(
      { action: 'action.pubsub.subscribe', args: 'open.x' },
      { action: 'action.pubsub.publish_raw', args: { event: { name: 'raw', args: [2] }, cids: 'open' } },
    );
    assert.equal(await client.event('raw'), 2);
  },
};

describe('every built-in hook works over the wire', () => {
  for (const name of hookNames) {
    test(name, () => (hooks[name] ?? assert.fail(`no check for the hook ${name}`))());
  }
});

describe('every built-in action works over the wire', () => {
  for (const name of actionNames) {
    test(name, () => (actions[name] ?? assert.fail(`no check for the action ${name}`))());
  }
});
