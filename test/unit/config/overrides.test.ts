import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { type Override, optionOverride } from '../../../src/config/overrides.ts';
import { ConfigError, formatProblem } from '../../../src/config/problem.ts';
import { readServerAddress } from '../../../src/config/server-address.ts';
import { edited } from '../../support/bad-configs/bad-config.ts';
import { importPlugins } from '../../support/catalogue.ts';

const directory = mkdtempSync(join(tmpdir(), 'hive-overrides-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'config.json');

/** Loads the good configuration, or another text, with variables and `--set` options. */
function load(env: NodeJS.ProcessEnv, settings: string[] = [], text = edited()) {
  writeFileSync(file, text);
  const overrides = settings.map(optionOverride) as Override[];
  return loadConfig(file, { importPlugins, env, overrides });
}

async function refusals(...args: Parameters<typeof load>): Promise<string[]> {
  try {
    await load(...args);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map((problem) => `${problem.code}: ${formatProblem(problem)}`);
  }
  return [];
}

test('a value is what the schema of its place says', async () => {
  const { config } = await load({
    HIVE__HIVE__PORT: '9000',
    HIVE__HIVE__DIRECT_WEBSOCKET: 'false',
    HIVE__HIVE__MODE: 'development',
    HIVE__HIVE__CLUSTER_COOKIE: '123',
    HIVE__HIVE__ALLOWED_ORIGINS: '["https://shop.example", null]',
    HIVE__LOG__DIR: 'null',
    HIVE__API__HASH: 'api-key-of-the-environment',
    HIVE__CLIENTS__STATE__INITIAL_VALUE: '{"nick": "nobody"}',
    HIVE__PLUGINS: '[]',
    OTHER__HIVE__PORT: 'x',
    HIVE_SOCKETS: 'node',
  });
  const { hive, log, api, clients, plugins } = config;
  assert.deepEqual([hive.port, hive.direct_websocket, hive.mode], [9000, false, 'development']);
  assert.equal(hive.cluster_cookie, '123');
  assert.deepEqual(hive.allowed_origins, ['https://shop.example', null]);
  assert.deepEqual([log.dir, api.hash, plugins], [null, 'api-key-of-the-environment', []]);
  assert.deepEqual(clients.state.initial_value, { nick: 'nobody' });
  assert.ok(Object.isFrozen(hive.allowed_origins));
});

test('the file is overridden by the environment, both by the command line, of which the last word counts', async () => {
  const { config } = await load({ HIVE__API__PORT: '9001', HIVE__HIVE__PORT: '9002', HIVE__MONITOR__PORT: '9003' }, [
    'hive.port=9004',
    'monitor.port=9005',
    'monitor.port=9006',
  ]);
  assert.deepEqual([config.api.port, config.hive.port, config.monitor.port], [9001, 9004, 9006]);
  assert.equal(config.hive.max_client_slots, 100);
});

test('args of pools, hooks and state managers are what their plugins take', async () => {
  const { config } = await load(
    {
      HIVE__CONNECTORS__POOLS__DATABASE__ARGS__PASSWORD: '123456',
      HIVE__CONNECTORS__POOLS__DATABASE__ARGS__DATABASE: '3',
      HIVE__CONNECTORS__POOLS__HTTP_BACKEND__SIZE: '7',
      HIVE__CLIENTS__HOOKS__GREET__1__ARGS__ENDPOINT: '/welcome',
    },
    ['connectors.pools.http.backend.overflow=1', 'clients.state.args={"connector": "database"}'],
    edited({
      'connectors.pools.http~backend': JSON.parse(edited()).connectors.pools.backend,
    }).replace('http~backend', 'http.backend'),
  );
  const { pools } = config.connectors;
  const args = pools.database?.args as Record<string, unknown>;
  assert.deepEqual([args.password, args.database, args.host], ['123456', 3, '127.0.0.1']);
  assert.deepEqual([pools['http.backend']?.size, pools['http.backend']?.overflow], [7, 1]);
  assert.equal(Reflect.get(config.clients.hooks.greet?.[1]?.args as object, 'endpoint'), '/welcome');
});

test('a configuration may come from the environment alone', async () => {
  const env = {
    HIVE__HIVE__NAME: 'one@127.0.0.1',
    HIVE__API__HASH: 'api-key-of-the-environment',
    HIVE__MONITOR__HASH: 'monitor-key-of-the-environment',
    HIVE__PUBSUB: '{"channels": {"room": {"privilege": "public", "timeout": 1000}}}',
    HIVE__PUBSUB__CHANNELS__ROOM__TIMEOUT: '2000',
  };
  const { config } = await load(env, [], '{}');
  assert.equal(config.monitor.hash, 'monitor-key-of-the-environment');
  assert.deepEqual(config.pubsub.channels, { room: { privilege: 'public', timeout: 2000 } });
});

test('a variable that is missed in the file is not missed where its value is overridden', async () => {
  const text = edited({ 'api.hash': `\${UNSET}`, 'hive.cluster_nodes': [`\${UNSET}`] });
  const env = { HIVE__API__HASH: 'api-key-of-the-environment', HIVE__HIVE__CLUSTER_NODES: '[]' };
  const { config } = await load(env, [], text);
  assert.equal(config.api.hash, 'api-key-of-the-environment');
  writeFileSync(file, text);
  assert.equal(readServerAddress(file, 'api', [], env).key, 'api-key-of-the-environment');
  assert.throws(
    () => readServerAddress(file, 'api', [], {}),
    /api\.hash: "\$\{UNSET\}" → .*UNSET is not set|api\.hash → .*UNSET is not set/,
  );
});

test('what has no place is an error that names the variable and what was probably meant', async () => {
  const lines = await refusals(
    {
      HIVE__SOCKETIO__PNIG_TIMEOUT: '5',
      HIVE__SOCKETOI__PING_TIMEOUT: '5',
      HIVE__CONNECTORS__POOLS__BAKEND__SIZE: '5',
      HIVE__HIVE__PORT__NUMBER: '5',
    },
    ['hive.prot=1', 'connectors.pools.data.size=1'],
  );
  assert.deepEqual(lines.sort(), [
    'invalid_config: --set connectors.pools.data.size: unknown key (did you mean "--set connectors.pools.database.size"?)',
    'invalid_config: --set hive.prot: unknown key (did you mean "--set hive.port"?)',
    'invalid_config: HIVE__CONNECTORS__POOLS__BAKEND__SIZE: unknown key (did you mean "HIVE__CONNECTORS__POOLS__BACKEND__SIZE"?)',
    'invalid_config: HIVE__HIVE__PORT__NUMBER: hive.port → has no keys of its own',
    'invalid_config: HIVE__SOCKETIO__PNIG_TIMEOUT: unknown key (did you mean "HIVE__SOCKETIO__PING_TIMEOUT"?)',
    'schema_not_found: HIVE__SOCKETOI__PING_TIMEOUT: unknown section (did you mean "HIVE__SOCKETIO__PING_TIMEOUT"?)',
  ]);
});

test('names that are written alike are told, not guessed', async () => {
  const pool = JSON.parse(edited()).connectors.pools.backend;
  const text = edited({ 'connectors.pools': { 'a-b': pool, a_b: pool }, 'clients.hooks': {} });
  const lines = await refusals({ HIVE__CONNECTORS__POOLS__A_B__SIZE: '1' }, [], text);
  assert.match(lines.join('\n'), /HIVE__CONNECTORS__POOLS__A_B__SIZE: connectors\.pools → may mean each of a-b, a_b/);
});

test('a wrong value is an error at its origin; that of a variable is never shown', async () => {
  const lines = await refusals(
    {
      HIVE__HIVE__PORT: 'hunter2',
      HIVE__HIVE__ALLOWED_ORIGINS: 'hunter2',
      HIVE__HIVE__CLUSTER_NODES: '["hunter2"]',
      HIVE__PUBSUB__CHANNELS: '{"hunter2',
      HIVE__CONNECTORS__POOLS__BACKEND__ARGS__BASE_URL: '//hunter2@host',
      HIVE__LOG__DIR: '',
    },
    ['monitor.port=eleven', 'api.hash=hunter2', 'log.format=JSON'],
  );
  assert.deepEqual(lines.map((line) => line.replace(/^invalid_config: |^bad_http_connector_args: /, '')).sort(), [
    '--set api.hash: api.hash: "***" → must have at least 8 characters',
    '--set log.format: log.format: "JSON" → must be one of "pretty", "json" (did you mean "json"?)',
    '--set monitor.port: monitor.port: "eleven" → must be an integer',
    'HIVE__HIVE__ALLOWED_ORIGINS: hive.allowed_origins → must be an array, as JSON',
    'HIVE__HIVE__CLUSTER_NODES: hive.cluster_nodes[0]: "***" → must be a node like node2@10.0.0.2 or, without EPMD, node2@10.0.0.2:9101',
    'HIVE__HIVE__PORT: hive.port: "***" → must be an integer',
    'HIVE__LOG__DIR: log.dir: "***" → must not be empty',
    'HIVE__PUBSUB__CHANNELS: pubsub.channels → is not JSON (line 1, column 2)',
  ]);
});

test("a plugin's reason does not give away the value of a variable", async () => {
  const lines = await refusals({ HIVE__CONNECTORS__POOLS__BACKEND__ARGS__BASE_URL: '//hunter2@host' });
  assert.deepEqual(lines, [
    'bad_http_connector_args: HIVE__CONNECTORS__POOLS__BACKEND__ARGS__BASE_URL: connectors.pools.backend.args.base_url: "***" → *** is not a URL',
  ]);
});

test('commands that ask a node find it where the node listens', () => {
  writeFileSync(file, '{}');
  const env = { HIVE__MONITOR__PORT: '9003', HIVE__MONITOR__HASH: 'monitor-key', HIVE__HIVE__PROT: 'of no interest' };
  const where = readServerAddress(file, 'monitor', [optionOverride('monitor.host=127.0.0.2')!], env);
  assert.deepEqual([where.host, where.port, where.key], ['127.0.0.2', 9003, 'monitor-key']);
  const wrong = { ...env, HIVE__MONITOR__HOTS: 'x' };
  assert.throws(() => readServerAddress(file, 'monitor', [], wrong), /HIVE__MONITOR__HOTS: unknown key/);
});
