import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { validateArgs } from '../../../src/config/catalogue.ts';
import { definePlugin } from '../../../src/plugins/define-plugin.ts';
import { PluginSet } from '../../../src/plugins/plugin-set.ts';
import { PluginRegistry, probePools } from '../../../src/plugins/registry.ts';
import { brief, clientConfig, fakeServices } from '../../support/plugins.ts';

const builtIn = new PluginRegistry();
const sends = (name: string) => ({ action: 'send', args: { name, args: [] }, trigger_id: '' });
const actions = {
  send: [{ action: 'action.send_event', args: null }],
  twice: [
    { action: 'action.send_event', args: null },
    { action: 'action.send_json', args: null },
  ],
  store: [{ action: 'action.update_state', args: null }],
};

function pluginSet(): PluginSet {
  return new PluginSet(builtIn, fakeServices(clientConfig({ actions })));
}

function problemsOf(kind: 'hook' | 'action', name: string, args: unknown) {
  const contract = builtIn.find(kind, name);
  assert.ok(contract, name);
  const { args: completed, problems } = validateArgs(contract, args, 'x');
  const refusal = problems.length > 0 ? undefined : contract.check?.(completed, clientConfig());
  return { codes: [...problems.map(({ code }) => code), ...(refusal ? [refusal.code] : [])], refusal };
}

test('every plugin that 2014 configurations may name is there', () => {
  const since = ['pubsub.history', 'pubsub.presence'];
  const names = builtIn.names('hook').filter((name) => !since.includes(name));
  assert.deepEqual(names.sort(), [
    'hp.get',
    'hp.post',
    'hp.put',
    'pubsub.publish',
    'pubsub.resubscribe',
    'pubsub.subscribe',
    'pubsub.unsubscribe',
    'utils.console_dump',
    'utils.dispatch',
    'utils.echo',
  ]);
  for (const name of ['stop', 'error', 'send_ack', 'pubsub.publish_raw', 'add_hooks']) {
    assert.ok(builtIn.find('action', `action.${name}`), name);
  }
});

test('handshakes are wanted where a hook of on_connect may ask for them', () => {
  const wants = (...names: string[]): boolean => {
    const hooks = {
      on_connect: names.map((hook) => ({ hook, args: null })),
      ping: [{ hook: 'utils.console_dump', args: null }],
    };
    return new PluginSet(builtIn, fakeServices(clientConfig({ hooks }))).wantsHandshakes;
  };
  assert.equal(wants(), false);
  assert.equal(wants('utils.echo', 'pubsub.subscribe', 'pubsub.unsubscribe', 'pubsub.resubscribe'), false);
  assert.equal(wants('utils.echo', 'utils.console_dump'), true);
});

test('an unknown name fails with what was probably meant', () => {
  assert.equal(builtIn.find('hook', 'utils.ecko'), undefined);
  assert.throws(() => builtIn.hook('utils.ecko'), {
    code: 'plugins_error',
    message: /Did you mean utils\.echo/,
  });
  assert.throws(() => builtIn.connector('x'), { code: 'plugins_error' });
});

test('args are checked when they are loaded', () => {
  const good: ['hook' | 'action', string, unknown][] = [
    ['hook', 'utils.echo', null],
    ['hook', 'utils.echo', { name: 'a', args: [] }],
    ['hook', 'pubsub.subscribe', null],
    ['hook', 'pubsub.publish', { cids: { a: [1] } }],
    ['hook', 'hp.post', { connector: 'backend', endpoint: '/x' }],
    ['action', 'action.send_event', null],
    ['action', 'action.send_event', []],
    ['action', 'action.send_event', {}],
    ['action', 'action.pubsub.publish', 'private'],
  ];
  for (const [kind, name, args] of good) assert.deepEqual(problemsOf(kind, name, args).codes, [], `${name} ${args}`);
  const bad: ['hook' | 'action', string, unknown, string][] = [
    ['hook', 'utils.echo', { nam: 'a' }, 'bad_config'],
    ['hook', 'utils.dispatch', { a: 1 }, 'bad_config'],
    ['hook', 'pubsub.subscribe', 'pubic', 'bad_config'],
    ['hook', 'pubsub.publish', {}, 'bad_config'],
    ['hook', 'pubsub.publish', { cids: 'a', raw: 'yes' }, 'bad_config'],
    ['hook', 'pubsub.publish', { cids: [null] }, 'bad_channel_id'],
    ['hook', 'hp.post', null, 'bad_config'],
    ['hook', 'hp.post', { connector: 'backend', endpoint: 5 }, 'bad_config'],
    ['hook', 'hp.post', { connector: 'nowhere', endpoint: '/' }, 'no_config'],
    ['action', 'action.send_event', 'x', 'bad_config'],
    ['action', 'action.pubsub.publish', 'Private', 'bad_config'],
  ];
  for (const [kind, name, args, code] of bad) {
    const { codes } = problemsOf(kind, name, args);
    assert.ok(codes.length > 0 && codes.every((found) => found === code), `${name} ${JSON.stringify(args)}: ${codes}`);
  }
});

test('hooks that are made at run time are checked by the same rules, all or none', () => {
  const set = pluginSet();
  const echo = { hook: 'utils.echo', args: null };
  const made = set.createHooks({ go: [echo, { hook: 'pubsub.publish', args: { cids: 'a' } }], none: [] });
  assert.deepEqual(
    [...made].map(([event, hooks]) => [event, hooks.length]),
    [['go', 2]],
  );
  const fails = (descriptor: { hook: string; args: unknown }, code: string, message: RegExp) =>
    assert.throws(() => set.createHooks({ go: [echo, descriptor] }), { code, message });
  fails({ hook: 'utils.ecko', args: null }, 'plugins_error', /utils\.ecko/);
  fails({ hook: 'utils.echo', args: 5 }, 'bad_config', /hooks\.go\[1\]\.args/);
  fails({ hook: 'hp.post', args: { connector: 'nowhere', endpoint: '/' } }, 'no_config', /args\.connector/);
});

test('actions that only send become packets, once for everybody', () => {
  const set = pluginSet();
  assert.deepEqual(set.packetsFor([sends('a'), { ...sends('b'), action: 'twice' }])?.map(brief), [
    'event a []',
    'event b []',
    'json {"name":"b","args":[]}',
  ]);
  assert.equal(set.packetsFor([sends('a'), { action: 'store', args: {}, trigger_id: '' }]), undefined);
  assert.equal(set.packetsFor([sends('a'), { action: 'unknown', args: {}, trigger_id: '' }]), undefined);
  assert.equal(set.packetsFor([sends('a'), { action: 'send', args: 5, trigger_id: '' }]), undefined);
});

test('an initial state that is no object stands under its own key', () => {
  const initial = (initial_value: unknown) =>
    new PluginSet(
      builtIn,
      fakeServices(clientConfig({ state: { state_manager: 'sm.local', initial_value, args: null } })),
    ).initialState;
  assert.deepEqual(initial({ a: 1 }), { a: 1 });
  assert.deepEqual(initial({}), {});
  assert.deepEqual(initial([1]), { initial_value: [1] });
  assert.deepEqual(initial(null), { initial_value: null });
});

test('a plugin adds all its parts, or none if one has a name that is taken', () => {
  const nothing = { args: Type.Null(), create: () => () => {} };
  const registry = new PluginRegistry();
  const { size } = registry;
  registry.add(definePlugin({ hooks: { mine: nothing } }), './mine.js');
  assert.equal(registry.size, size + 1);
  const adding = (names: string[], taken: RegExp) => {
    const plugin = definePlugin({ hooks: Object.fromEntries(names.map((name) => [name, nothing])) });
    assert.throws(() => registry.add(plugin, './other.js'), { code: 'plugins_error', message: taken });
    assert.equal(registry.find('hook', 'fresh'), undefined);
  };
  adding(['fresh', 'utils.echo'], /the hook utils\.echo is in Hive already/);
  adding(['fresh', 'mine'], /the hook mine is in \.\/mine\.js already/);
});

test('probing says for each pool whether its back end is there', async () => {
  const pools = { nowhere: { connector: 'connector.http', args: { base_url: 'http://127.0.0.1:1' } } };
  const [probed] = await probePools(clientConfig({}, {}, pools), builtIn);
  assert.equal(probed?.pool, 'nowhere');
  assert.equal(probed?.error?.code, 'connectors_error');
});
