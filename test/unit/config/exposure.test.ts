import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isElsewhere, isLoopback } from '../../../src/config/hosts.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError, formatProblem, type Problem } from '../../../src/config/problem.ts';
import { edited } from '../../support/bad-configs/bad-config.ts';
import { importPlugins } from '../../support/catalogue.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'hive-exposure-'));
after(() => rmSync(directory, { recursive: true }));

/** Every error and warning about a configuration. */
async function said(set: Record<string, unknown>): Promise<{ errors: string[]; warnings: string[]; notes: string[] }> {
  const file = join(directory, 'config.json');
  writeFileSync(file, edited(set));
  try {
    const { warnings, notes } = await loadConfig(file, { importPlugins, env: {} });
    const lines = (list: readonly Problem[]) => list.map(formatProblem).map(withoutPlace);
    return { errors: [], warnings: lines(warnings), notes: lines(notes) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { errors: error.problems.map(formatProblem).map(withoutPlace), warnings: [], notes: [] };
  }
}

function withoutPlace(line: string): string {
  return line.replace(/^\S+ /, '');
}

const long = 'a key of more than sixteen characters';

/** Every key that is written in a configuration that comes with Hive. */
function publishedKeys(): string[] {
  const files = ['config', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  );
  const texts = files.filter((name) => /\.json$/.test(name)).map((name) => readFileSync(name, 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/"hash": "([^"$]+)"/g)].map((match) => match[1]!));
}

test('a published key keeps a server from being opened to others', async () => {
  const keys = publishedKeys();
  assert.ok(keys.length >= 10, `${keys.length} keys`);
  for (const key of new Set(keys)) {
    const { errors } = await said({ 'api.host': '0.0.0.0', 'api.hash': key });
    assert.match(errors.join('\n'), /^api\.hash: "\*{3}" → is published with Hive, .*; make one: node -p /);
  }
});

test('the line that is said makes a key that is accepted', async () => {
  const { errors } = await said({ 'monitor.host': '0.0.0.0', 'monitor.hash': 'fifteen-letters' });
  assert.match(errors[0] ?? '', /^monitor\.hash: "\*{3}" → has fewer than 16 characters/);
  const key = execSync(/make one: (.*)$/.exec(errors[0]!)![1]!, { encoding: 'utf8' }).trim();
  assert.deepEqual((await said({ 'monitor.host': '0.0.0.0', 'monitor.hash': key })).errors, []);
});

test('on the loopback interface, and in development, any key does', async () => {
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost']) {
    assert.deepEqual(await said({ 'api.host': host }), { errors: [], warnings: [], notes: [] }, host);
  }
  const { errors, warnings, notes } = await said({ 'api.host': '0.0.0.0', 'hive.mode': 'development' });
  assert.deepEqual([errors, warnings], [[], []]);
  assert.match(notes.join('\n'), /^api\.hash: "\*{3}" → has fewer than 16/m);
});

test('a server that is open to others without TLS is worth a note', async () => {
  const { warnings, notes } = await said({ 'api.host': '0.0.0.0', 'api.hash': long });
  assert.deepEqual(warnings, []);
  assert.deepEqual(notes, [
    'api.host: "0.0.0.0" → the API listens beyond this machine without tls: its key can be read on the way',
  ]);
});

test('an address of another machine is warned of', async () => {
  // RFC 5737: of nobody.
  const { warnings } = await said({ 'hive.host': '192.0.2.7', 'monitor.health_host': '2001:db8::7' });
  assert.deepEqual(warnings, [
    'hive.host: "192.0.2.7" → is no address of this machine',
    'monitor.health_host: "2001:db8::7" → is no address of this machine',
  ]);
  for (const host of ['127.0.0.1', '127.8.8.8', '0.0.0.0', '::', '::1', 'nowhere.example']) {
    assert.equal(isElsewhere(host), false, host);
  }
  assert.deepEqual(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', '10.0.0.1', 'a.example'].map(isLoopback), [
    ...[true, true, true, false, false, false, false],
  ]);
});

test('a star among the origins is warned of, and says why', async () => {
  for (const origin of ['*', '*.*']) {
    const { warnings } = await said({ 'hive.allowed_origins': ['https://shop.example', origin] });
    assert.match(
      warnings.join('\n'),
      /^hive\.allowed_origins\[1\]: "\*(\.\*)?" → any page may connect with its visitor's cookies/,
    );
  }
});

test('hooks for events that never come are warned of', async () => {
  const hooks = [
    'connect',
    'disconnect',
    'disconnecting',
    'onConnect',
    'on_terminat',
    'on_connected',
    'on_disconnect',
    'one',
  ];
  const { warnings } = await said({ 'clients.hooks': Object.fromEntries(hooks.map((name) => [name, []])) });
  assert.deepEqual(warnings, [
    'clients.hooks.connect → no client can send this event (did you mean "on_connect"?)',
    'clients.hooks.disconnect → no client can send this event (did you mean "on_disconnect"?)',
    'clients.hooks.disconnecting → no client can send this event (did you mean "on_disconnect"?)',
    'clients.hooks.onConnect → is none of the events of the server, which start with on_ (did you mean "on_connect"?)',
    'clients.hooks.on_terminat → is none of the events of the server, which start with on_ (did you mean "on_terminate"?)',
  ]);
});

test('a cluster of the node itself is warned of', async () => {
  const self = ['node1@127.0.0.1', 'node1@127.0.0.1:9100'];
  const { warnings } = await said({ 'hive.cluster_nodes': self });
  assert.match(warnings.join('\n'), /^hive\.cluster_nodes: \[.*\] → names only this node itself/);
  assert.deepEqual((await said({ 'hive.cluster_nodes': [...self, 'node2@127.0.0.1'] })).warnings, []);
});

test('whoever trusts every address as a proxy is warned', async () => {
  const { warnings } = await said({ 'hive.trusted_proxies': ['10.0.0.0/8', '::/0'] });
  assert.match(warnings.join('\n'), /^hive\.trusted_proxies\[1\]: "::\/0" → trusts everybody/);
});
