import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import { PluginRegistry } from '../../../src/plugins/registry.ts';
import { type Action, type ActionCall, type Services, StopClient } from '../../../src/plugins/types.ts';
import { brief, FakeClient, fakeServices } from '../../support/plugins.ts';

function action(name: string, args: unknown = null, services = fakeServices() as Services): Action {
  return new PluginRegistry().action(name).create(args, services);
}

function order(args: unknown, triggerId = ''): ActionCall {
  return { action: 'x', args, trigger_id: triggerId };
}

/** What the action sends for this order, checked to be the same whether it visits a client or not. */
function sends(name: string, args: unknown, triggerId = ''): string {
  const client = new FakeClient();
  const sending = action(name);
  assert.equal(sending.run(client, order(args, triggerId)), undefined);
  const packet = sending.packet?.(order(args, triggerId));
  assert.ok(packet && client.sent.length === 1);
  assert.equal(brief(client.sent[0]!), brief(packet));
  return brief(packet);
}

test('action.send_event sends the event, with the trigger id if there is one', () => {
  assert.equal(sends('action.send_event', { name: 'a', args: [1, { b: null }] }), 'event a [1,{"b":null}]');
  assert.equal(sends('action.send_event', { name: 'a' }), 'event a []');
  assert.equal(sends('action.send_event', { name: 'a', args: [] }, '5'), 'event 5 a []');
  assert.equal(sends('action.send_event', { name: 'a', args: [] }, '5+'), 'event 5+ a []');
  for (const args of [null, [], 'a', {}, { name: 5 }]) {
    assert.throws(() => sends('action.send_event', args), { code: 'bad_external_event' });
  }
  assert.throws(() => sends('action.send_event', { name: 'a' }, 'x'), { code: 'bad_internal_event' });
});

test('action.send_event asks the client if the answer has an event, and has its hooks run when it is there, or never will be', async () => {
  const send = action('action.send_event');
  const question = { name: 'a', args: [1], ack: 'answered' };
  const client = new FakeClient();
  assert.equal(send.packet?.(order(question)), undefined, 'each client is asked on its own');
  assert.equal(send.run(client, order(question, '5+')), undefined, 'nobody waits');
  client.answer(['yes', 2]);
  send.run(client, order({ ...question, timeout: 70 }));
  client.answer(new HiveError('timeout', 'Too late.'));
  await new Promise(setImmediate);
  assert.deepEqual(client.calls, [
    ['ask', 'a', '[1]', 5000],
    ['ask', 'a', '[1]', 70],
    ['receive', 'answered', [null, 'yes', 2]],
    ['receive', 'answered', [{ error: 'timeout', description: 'Too late.' }]],
  ]);
  assert.deepEqual(client.sent, []);
  for (const wrong of [{ ack: '' }, { ack: null }, { ack: 'b', timeout: 0 }, { ack: 'b', timeout: '5' }]) {
    assert.throws(() => send.check?.(order({ ...question, ...wrong })), { code: 'bad_internal_event' });
  }
});

test('action.send_message sends strings as they are and everything else as JSON text', () => {
  assert.equal(sends('action.send_message', 'hi'), 'message "hi"');
  assert.equal(sends('action.send_message', { a: 1 }), 'message "{\\"a\\":1}"');
});

test('action.send_json sends any value', () => {
  assert.equal(sends('action.send_json', [{ a: 1 }]), 'json [{"a":1}]');
});

test('action.send_ack acknowledges with an array, whatever the args are', () => {
  assert.equal(sends('action.send_ack', ['done', 1], '7+'), 'ack 7 ["done",1]');
  assert.equal(sends('action.send_ack', 'done', '7'), 'ack 7 ["done"]');
  assert.equal(sends('action.send_ack', [], '0'), 'ack 0 []');
});

// The client got an error for a mistake of the back end: it had not asked for anything.
test('action.send_ack without a trigger id sends nothing: API and log tell the back end', () => {
  const client = new FakeClient();
  const warnings: string[] = [];
  client.log = { ...client.log, warning: (message) => void warnings.push(message) };
  const ack = action('action.send_ack');
  assert.equal(ack.run(client, order(['done'])), undefined);
  assert.deepEqual(client.sent, []);
  assert.deepEqual(warnings, ['A back end acknowledges an event that wanted no acknowledgement']);
  for (const wrong of ['', 'x']) {
    assert.throws(() => ack.check?.(order(['done'], wrong)), { code: 'bad_internal_event' });
  }
  ack.check?.(order(['done'], '7+'));
  assert.throws(() => ack.run(client, order(['done'], 'x')), { code: 'bad_internal_event' });
});

// Texts came with the quotes of JSON around them: the client read "\"ciao\"".
test('action.stop and action.error fail with their text as it is, and everything else as JSON text', () => {
  const client = new FakeClient();
  assert.throws(
    () => action('action.stop').run(client, order('ciao')),
    (error) => error instanceof StopClient && error.error.code === 'stopped' && error.error.message === 'ciao',
  );
  assert.throws(() => action('action.error').run(client, order('no "such" thing')), {
    code: 'internal_error',
    message: 'no "such" thing',
  });
  assert.throws(() => action('action.error').run(client, order({ a: 1 })), {
    code: 'internal_error',
    message: '{"a":1}',
  });
});

test('action.update_state stores pairs and refuses anything else', () => {
  const client = new FakeClient();
  action('action.update_state').run(client, order({ nick: 'ann' }));
  action('action.update_state').run(client, order({ rooms: [] }));
  assert.deepEqual(client.state.get(), { nick: 'ann', rooms: [] });
  for (const args of [null, 'x', [1], 5]) {
    assert.throws(() => action('action.update_state').run(client, order(args)), { code: 'bad_internal_event' });
  }
});

test('action.dispatch hands on the event with its trigger id', () => {
  const client = new FakeClient();
  action('action.dispatch').run(client, order({ name: 'go', args: [1] }, '9+'));
  const [dispatched] = client.dispatched;
  assert.deepEqual(
    [dispatched?.event.name, dispatched?.event.args, dispatched?.event.id, dispatched?.triggerId],
    ['go', [1], 9, '9+'],
  );
  assert.throws(() => action('action.dispatch').run(client, order('go')), { code: 'bad_external_event' });
});

test('action.add_hooks and remove_hooks check the form of what they are given', () => {
  const client = new FakeClient();
  const hooks = { go: [{ hook: 'utils.echo', args: null }] };
  action('action.add_hooks').run(client, order(hooks));
  action('action.remove_hooks').run(client, order(['go']));
  assert.deepEqual(client.calls, [
    ['addHooks', hooks],
    ['removeHooks', ['go']],
  ]);
  for (const args of [
    null,
    [],
    { go: {} },
    { go: [{}] },
    { go: [{ hook: 'utils.echo' }] },
    { go: [{ hook: 1, args: 1 }] },
  ]) {
    assert.throws(() => action('action.add_hooks').run(client, order(args)), { code: 'bad_hook_descriptor' });
  }
  assert.throws(() => action('action.add_hooks').run(client, order({ go: [{ hok: 'a', args: 1 }] })), /hooks\.go\[0\]/);
  for (const args of [null, 'go', [1]]) {
    assert.throws(() => action('action.remove_hooks').run(client, order(args)), { code: 'bad_internal_event' });
  }
});

test('the pub-sub actions take channel expressions and the privilege of their descriptor', async () => {
  const client = new FakeClient();
  await action('action.pubsub.subscribe', 'private').run(client, order({ a: [1, 2] }));
  await action('action.pubsub.unsubscribe', null).run(client, order(['a']));
  await action('action.pubsub.resubscribe', 'public').run(client, order({ b: 3 }));
  assert.deepEqual(client.calls, [
    ['subscribe', ['a.1', 'a.2'], 'private'],
    ['unsubscribe', ['a'], 'public'],
    ['unsubscribe', ['b'], 'public'],
    ['subscribe', ['b.3'], 'public'],
  ]);
});

test('action.pubsub.publish publishes actions, publish_raw an event', () => {
  const services = fakeServices();
  const client = new FakeClient();
  const say = { action: 'say', args: 1 };
  action('action.pubsub.publish', 'private', services).run(client, order({ event: say, cids: 'a' }));
  action('action.pubsub.publish', null, services).run(client, order({ event: [say, say], cids: { b: [1, 2] } }));
  action('action.pubsub.publish_raw', null, services).run(
    client,
    order({ event: { name: 'n', args: [1] }, cids: 'c' }),
  );
  const [one, two, raw] = services.published;
  const said = { ...say, trigger_id: '' };
  assert.deepEqual(one, { channels: ['a'], privilege: 'private', publication: { type: 'actions', actions: [said] } });
  assert.deepEqual(two?.channels, ['b.1', 'b.2']);
  assert.deepEqual(two?.publication, { type: 'actions', actions: [said, said] });
  assert.ok(raw?.publication.type === 'event' && brief(raw.publication.packet) === 'event n [1]');
  for (const args of [null, {}, { event: say }, { cids: 'a' }, { event: 'x', cids: 'a' }]) {
    assert.throws(() => action('action.pubsub.publish', null, services).run(client, order(args)), {
      code: 'bad_internal_event',
    });
  }
});

test('action.start_connectors and stop_connectors take pools in order, and end at the first that fails', async () => {
  const calls: unknown[][] = [];
  const services = fakeServices();
  const pools = {
    ...services.pools,
    start: async (...call: unknown[]) => void calls.push(['start', ...call]),
    stop: async (name: string) => {
      calls.push(['stop', name]);
      if (name === 'bad') throw new HiveError('bad_connector_id');
    },
  };
  const client = new FakeClient();
  const start = action('action.start_connectors', null, { ...services, pools });
  const stop = action('action.stop_connectors', null, { ...services, pools });
  await start.run(client, order({ a: { connector: 'x' }, b: {} }));
  await assert.rejects(async () => stop.run(client, order(['a', 'bad', 'b'])), { code: 'bad_connector_id' });
  assert.deepEqual(calls, [
    ['start', 'a', { connector: 'x' }],
    ['start', 'b', {}],
    ['stop', 'a'],
    ['stop', 'bad'],
  ]);
  for (const args of [null, [], 'a']) {
    await assert.rejects(async () => start.run(client, order(args)), { code: 'bad_internal_event' });
  }
  for (const args of [null, {}, 'a', [1]]) {
    await assert.rejects(async () => stop.run(client, order(args)), { code: 'bad_internal_event' });
  }
});
