import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError, formatProblem } from '../../../src/config/problem.ts';
import { edited } from '../../support/bad-configs/bad-config.ts';
import { importPlugins } from '../../support/catalogue.ts';
import { Authority } from '../../support/certificates.ts';
import { missing } from '../../support/programs.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'hive-config-'));
after(() => rmSync(directory, { recursive: true }));

function load(files: Record<string, string>, env: NodeJS.ProcessEnv = {}) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return loadConfig(join(directory, 'config.json'), { importPlugins, env });
}

async function refusals(files: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  try {
    await load(files, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map((problem) => formatProblem(problem).replaceAll(`${directory}/`, ''));
  }
  return [];
}

test('a loaded configuration has every default', async () => {
  const { config, warnings } = await load({ 'config.json': edited() });
  assert.deepEqual(warnings, []);
  assert.equal(config.hive.host, '0.0.0.0');
  assert.equal(config.api.host, '127.0.0.1');
  assert.equal(config.hive.direct_websocket, true);
  assert.equal(config.hive.cluster_cookie, 'hive_cluster');
  assert.deepEqual([config.hive.cluster_port_min, config.hive.cluster_port_max], [9100, 9105]);
  assert.equal(config.hive.mode, 'production');
  assert.deepEqual(config.socketio.namespaces, ['/']);
  assert.equal(config.connectors.backoff_num, 1);
  assert.deepEqual([config.log.file_level, config.log.console_level], ['info', 'notice']);
  assert.deepEqual(config.plugins, []);
});

test('only the keys of API and monitor have no default', async () => {
  const { config } = await load({
    'config.json':
      '{ "hive": { "name": "one@127.0.0.1" }, "api": { "hash": "key-of-the-api" }, "monitor": "monitor.json" }',
    'monitor.json': '{ "hash": "key-of-the-monitor" }',
  });
  const { hive, api, monitor, clients, connectors, log } = config;
  assert.deepEqual([hive.port, api.port, monitor.port], [8080, 1235, 1234]);
  assert.deepEqual(clients, {
    max_hooks_per_event: 1000,
    max_added_events: 1000,
    departure_retry: 600_000,
    departure_limit: 100_000,
    max_sessions_per_user: 0,
    surplus_session: 'refuse',
    state: { state_manager: 'sm.local', initial_value: {}, args: null },
    actions: {},
    hooks: {},
  });
  assert.deepEqual(connectors.pools, {});
  assert.deepEqual([log.dir, log.format], ['log', 'pretty']);
  assert.deepEqual(await refusals({ 'config.json': '{}' }), [
    'config.json:1:1: api.hash → is missing',
    'config.json:1:1: monitor.hash → is missing',
  ]);
});

test("plugins' args are completed with the plugins' defaults", async () => {
  const { config } = await load({ 'config.json': edited() });
  assert.deepEqual(config.clients.state.args, { connector: 'database', expiration_timeout: 172_800_000 });
  assert.equal(Reflect.get(config.connectors.pools.database?.args as object, 'max_reconnect_timeout'), 5_000);
});

test('a loaded configuration cannot be changed', async () => {
  const { config } = await load({ 'config.json': edited() });
  for (const part of [config, config.hive, config.hive.cluster_nodes, config.clients.state.args]) {
    assert.ok(Object.isFrozen(part));
  }
});

test('a bare node name is completed with the host name', async () => {
  const { config } = await load({ 'config.json': edited({ 'hive.name': undefined, 'hive.cluster_cookie': 'secret' }) });
  assert.equal(config.hive.name, `hive@${hostname()}`);
});

test('sections may be files, and files may name files, all relative to the main one', async () => {
  const { config, files } = await load({
    'config.json': edited({ log: 'shared/log.json', plugins: 'plugins.json' }),
    'shared/log.json': '"logs/real.json"',
    'logs/real.json': '{ "$schema": "../config/schema/log.json", "dir": "elsewhere" }',
    'plugins.json': '["./hooks.js", "hive-extra"]',
  });
  assert.equal(config.log.dir, 'elsewhere');
  assert.deepEqual(config.plugins, [join(directory, 'hooks.js'), 'hive-extra']);
  assert.deepEqual(
    files,
    ['config.json', 'shared/log.json', 'logs/real.json', 'plugins.json'].map((name) => join(directory, name)),
  );
});

test('certificate files are found relative to the main file', { skip: missing('openssl') }, async (t) => {
  const tls = { cert_file: 'tls/cert.pem', key_file: 'tls/key.pem' };
  const { cert_file, key_file } = new Authority(t).issue('IP:127.0.0.1');
  const { config, warnings } = await load({
    'config.json': edited({ 'api.tls': tls }),
    'tls/cert.pem': readFileSync(cert_file, 'utf8'),
    'tls/key.pem': readFileSync(key_file, 'utf8'),
  });
  assert.deepEqual(warnings, []);
  assert.equal(config.api.tls?.cert_file, join(directory, 'tls/cert.pem'));
});

test('any value may be an arg or an initial value, empty ones too', async () => {
  for (const args of [null, [], {}, '', 0, false]) {
    const { config } = await load({
      'config.json': edited({
        'clients.state': { state_manager: 'sm.local', initial_value: args, args },
        'clients.hooks.empty': [],
        'clients.hooks.greet': [{ hook: 'utils.dispatch', args }],
      }),
    });
    assert.deepEqual(config.clients.hooks.greet?.[0]?.args, args);
    assert.deepEqual(config.clients.state, { state_manager: 'sm.local', initial_value: args, args });
    assert.deepEqual(config.clients.hooks.empty, []);
  }
});

test('several descriptors of one action are all kept, in order', async () => {
  const actions = [
    { action: 'action.update_state', args: null },
    { action: 'action.send_event', args: null },
  ];
  const { config } = await load({ 'config.json': edited({ 'clients.actions.both': actions }) });
  assert.deepEqual(config.clients.actions.both, actions);
});

test('strings take variables from the environment, in file names and args too', async () => {
  const { config } = await load(
    {
      'config.json': edited({
        pubsub: `\${SHARED}/pubsub.json`,
        'connectors.pools.backend.args.base_url': `http://\${BACKEND}/`,
      }),
      'shared/pubsub.json': '{ "channels": {} }',
    },
    { SHARED: 'shared', BACKEND: '127.0.0.1:9' },
  );
  assert.equal(Reflect.get(config.connectors.pools.backend?.args as object, 'base_url'), 'http://127.0.0.1:9/');
});

test('an error line has file, line, column, path, value, reason and what was probably meant', async () => {
  const lines = await refusals({
    'config.json': edited({ 'hive.port': 70000, 'hive.graceful_timeout': 1, clients: 'clients.json' }),
    'clients.json':
      '{ "state": { "state_manager": "sm.locl", "initial_value": {}, "args": null },\n "actions": {}, "hooks": {} }',
  });
  assert.deepEqual(lines, [
    'config.json:4:5: hive.port: 70000 → must be at most 65535',
    'config.json:14:5: hive.graceful_timeout → unknown key',
    'clients.json:1:3: clients.state: "sm.locl" → there is no state manager of that name (did you mean "sm.local"?)',
  ]);
});

test('secrets and what came from the environment are not shown', async () => {
  const lines = await refusals(
    {
      'config.json': edited({
        'api.hash': 'hunter2',
        'api.hahs': 'hunter2-typo',
        'hive.cluster_cookie': ['hunter2'],
        'log.file_level': `\${LEVEL}`,
        'log.console_level': 'redis://admin:hunter2@cache/0',
        'connectors.pools.database': {
          connector: 'connector.redis',
          size: 1,
          overflow: 1,
          args: { password: 42424242 },
        },
      }),
    },
    { LEVEL: 'hunter2-env' },
  );
  assert.match(lines.join('\n'), /api\.hash: "\*\*\*" → must have at least 8 characters/);
  assert.match(lines.join('\n'), /log\.console_level: "redis:\/\/\*\*\*@cache\/0"/);
  assert.match(lines.join('\n'), /log\.file_level: "\*\*\*" → must be one of/);
  assert.doesNotMatch(lines.join('\n'), /hunter2|42424242/);
});

test('a plugin that quotes a value from the environment does not give it away', async () => {
  const lines = await refusals(
    { 'config.json': edited({ 'connectors.pools.backend.args.base_url': `\${URL}` }) },
    { URL: '//hunter2@host' },
  );
  assert.deepEqual(
    lines.map((line) => line.replace(/^\S+ /, '')),
    ['connectors.pools.backend.args.base_url: "***" → *** is not a URL'],
  );
});

test('what is possible but hardly meant is warned of', async () => {
  const { warnings } = await load({
    'config.json': edited({
      'hive.name': 'node1@10.0.0.5',
      'hive.allowed_origins': ['https://*', '*.shop.example', '*', '*.*', null],
      'hive.cluster_nodes': ['node1@10.0.0.5:9101'],
      'clients.hooks.disconnect': [],
      'socketio.reconnect_timeout': 5000,
      'connectors.pools.backend.size': 0,
      'connectors.pools.backend.overflow': 0,
      'pubsub.channels': { '': { privilege: 'public', timeout: 0 } },
    }),
  });
  assert.deepEqual(
    warnings.map(({ path }) => path),
    [
      'hive.cluster_name',
      'hive.cluster_nodes',
      'socketio.reconnect_timeout',
      'hive.allowed_origins[0]',
      'hive.allowed_origins[2]',
      'hive.allowed_origins[3]',
      'clients.hooks.disconnect',
      'connectors.pools.backend',
      'pubsub.channels.',
    ],
  );
});

test('two servers may share a port number on different addresses, and both may choose any port', async () => {
  await load({ 'config.json': edited({ 'hive.host': '127.0.0.2', 'hive.port': 1234 }) });
  await load({ 'config.json': edited({ 'hive.port': 0, 'api.port': 0, 'monitor.port': 0 }) });
});

for (const file of [
  'config/hive.json',
  'test/fixtures/config/2014-minimal.json',
  'test/fixtures/config/2014-recorded.json',
  'examples/distributed-chat/config/node1.json',
  'examples/distributed-chat/config/node2.json',
  'examples/ping/config.json',
  'examples/simple-chat/config.json',
]) {
  test(`${file} loads unchanged`, async () => {
    const { config } = await loadConfig(join(root, file), { importPlugins, env: {} });
    assert.match(config.hive.name, /@/);
  });
}

test('the file that was asked for may be missing', async () => {
  await assert.rejects(() => loadConfig('/nowhere/hive.json', { importPlugins }), {
    name: 'ConfigError',
    code: 'file_missing',
    message: '/nowhere/hive.json: the file does not exist',
  });
});
