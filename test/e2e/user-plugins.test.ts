/** Plugins of a user on a real node: all that they may add works, and what they do wrong harms only whom they did it for. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode, type Sections, writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { hive } from '../support/hive-process.ts';
import { SocketClient } from '../support/socket-clients.ts';

const installation = fileURLToPath(new URL('../..', import.meta.url));
const module = fileURLToPath(new URL('../support/mischief-plugin.js', import.meta.url));
const manners = ['well', 'throw', 'reject', 'detach', 'refuse', 'stop'];

let directory: string;
let node: DefaultNode;
let victim: SocketClient;
let witness: SocketClient;

/** Hive is installed next to the plugin, as `npm install <folder>` does it. */
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hive-user-'));
  copyFileSync(module, join(directory, 'mischief.mjs'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(installation, join(directory, 'node_modules/hive-push'));
  node = await DefaultNode.start(configure);
});

after(async () => {
  await node?.stop();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  victim = await SocketClient.connect('4.8 websocket', node.url);
  witness = await SocketClient.connect('4.8 websocket', node.url);
});

/** Whatever has happened, others notice nothing. */
afterEach(async () => {
  witness.emit('hook well');
  await witness.event('hooked');
  assert.deepEqual(
    witness.received.filter(({ name }) => name === 'hive_error'),
    [],
  );
  await victim.disconnect();
  await witness.disconnect();
});

function configure(config: Sections): void {
  config.plugins = [join(directory, 'mischief.mjs')] as never;
  config.hive!.mode = 'development';
  config.clients = {
    state: { state_manager: 'mischief.states', initial_value: { word: 'none' }, args: null },
    actions: { act: [{ action: 'mischief.action', args: null }] },
    hooks: {
      ...Object.fromEntries(manners.map((args) => [`hook ${args}`, [{ hook: 'mischief.hook', args }]])),
      act: [{ hook: 'utils.dispatch', args: null }],
      ask: [{ hook: 'mischief.ask', args: { pool: 'shouters' } }],
      remember: [{ hook: 'mischief.remember', args: null }],
      join: [
        { hook: 'pubsub.subscribe', args: 'public' },
        { hook: 'utils.echo', args: { name: 'joined', args: [] } },
      ],
    },
  };
  const pool = { connector: 'mischief.connector', size: 1, overflow: 0, args: 'throw' };
  config.connectors!.pools = { shouters: pool };
  config.pubsub!.channels = { room: { privilege: 'public', timeout: 1000 } };
}

/** What the log has of crashes. */
const crashes = () => readFileSync(join(node.directory, 'log/crash.log'), 'utf8');
const act = (args: string) => ({ action: 'act', args });

describe('a plugin adds', () => {
  test('hooks, which see the client, its event and its state, and a state manager, which keeps that', async () => {
    victim.emit('remember');
    assert.deepEqual(await victim.event('remembered'), { word: 'none' });
    victim.emit('remember', 'tulip');
    await victim.event('remembered', ({ word }: { word: string }) => word === 'tulip');
  });

  test('actions, which are performed for one client or for all of a channel', async () => {
    victim.emit('act', act('well'));
    await victim.event('acted');
    witness.emit('join', 'room.blue');
    await witness.event('joined');
    await node.api('POST', 'pubsub/action/room.blue', JSON.stringify(act('well')));
    await witness.event('acted');
  });

  test('connectors, whose workers answer requests', async () => {
    victim.emit('ask', 'hello');
    assert.equal(await victim.event('answer'), 'HELLO');
  });
});

describe('a plugin that fails', () => {
  for (const how of ['throw', 'reject']) {
    test(`in a hook (${how}) crashes the client that ran it, and no other`, async () => {
      victim.emit(`hook ${how}`);
      await victim.until(() => !victim.connected, 'the end of the client');
      await eventually(() => /(TypeError|RangeError): mischief/.test(crashes()), 'the report');
    });
  }

  test('in an action that is published crashes the subscribers, and nobody else', async () => {
    victim.emit('join', 'room.red');
    await victim.event('joined');
    const { status } = await node.api('POST', 'pubsub/action/room.red', JSON.stringify(act('throw')));
    assert.equal(status, 200);
    await victim.until(() => !victim.connected, 'the end of the client');
  });

  test('in the store of a session crashes that client', async () => {
    victim.emit('remember', 'throw');
    await victim.until(() => !victim.connected, 'the end of the client');
  });

  test('in a worker crashes that worker: its request fails, the next one finds another', async () => {
    victim.emit('ask', 'throw');
    const error = await victim.event<{ error: string }>('hive_error');
    assert.equal(error.error, 'connector_error');
    victim.emit('ask', 'again');
    assert.equal(await victim.event('answer'), 'AGAIN');
  });

  test('in what it did not wait for is reported, and harms nobody', async () => {
    victim.emit('hook detach');
    await victim.event('hooked');
    await eventually(() => crashes().includes('detached mischief'), 'the report');
    assert.ok(victim.connected && node.process.running);
  });

  test('as expected (HiveError) tells its client, which lives on, and may end it (StopClient)', async () => {
    victim.emit('hook refuse');
    assert.deepEqual(await victim.event('hive_error'), { error: 'client_error', description: 'mischief' });
    victim.emit('hook well');
    await victim.event('hooked');
    victim.emit('hook stop');
    await victim.until(() => !victim.connected, 'the end of the client');
  });

  test('when the node boots keeps it from starting, and is named', async () => {
    const boot = async (change: (config: Sections) => void) => {
      const file = await writeDefaultConfig(directory, 'boot.json', (config) => {
        configure(config);
        config.log!.dir = join(directory, 'log');
        change(config);
      });
      assert.equal((await hive(['check', file])).code, 0);
      const { code, stderr } = await hive(['run', file]);
      assert.equal(code, 1);
      return stderr;
    };
    const hooks = { boot: [{ hook: 'mischief.hook', args: 'boot' }] };
    const pools = { boot: { connector: 'mischief.connector', size: 1, overflow: 0, args: 'boot' } };
    assert.match(
      await boot((config) => Object.assign(config.clients!.hooks as object, hooks)),
      /^plugins_error: The hook mischief\.hook cannot be made: TypeError: mischief$/m,
    );
    assert.match(
      await boot((config) => Object.assign(config.connectors!, { pools })),
      /^connectors_error: .*mischief$/m,
    );
  });

  test('when it is imported is one problem of the configuration', async () => {
    const file = await writeDefaultConfig(directory, 'import.json', (config) => {
      configure(config);
      config.plugins = ['./nowhere.mjs'] as never;
    });
    const { code, stderr } = await hive(['check', file]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^plugins_error: \S+import\.json:\d+:\d+: plugins\[0\]: "\.\/nowhere\.mjs" → importing it failed/,
    );
    assert.match(stderr, /1 problem\.$/m);
  });
});
