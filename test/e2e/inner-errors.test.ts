/** What goes wrong inside a node, as clients and back ends of a real one are told it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { ask, type Failure, metric } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';

const plugin = fileURLToPath(new URL('../support/insider-plugin.js', import.meta.url));
const insiders = ['ask', 'child', 'restart', 'impostor', 'crasher', 'end', 'hang', 'release', 'sid'];

describe('errors inside a node', () => {
  let node: DefaultNode;
  let client: SocketClient;
  let sid: string;

  before(async () => {
    node = await DefaultNode.start((config) => {
      config.plugins = [plugin] as never;
      config.hive!.mode = 'development';
      const own = insiders.map((name) => [name, [{ hook: `insider.${name}`, args: null }]]);
      Object.assign(config.clients!.hooks as object, Object.fromEntries(own));
      Object.assign(config.connectors!.pools as object, {
        inside: { connector: 'insider.inside', size: 1, overflow: 0, args: null },
      });
      Object.assign(config.clients!.actions as object, {
        start_connectors: [{ action: 'action.start_connectors', args: null }],
      });
    });
  });
  after(() => node?.stop());

  beforeEach(async () => {
    client = await SocketClient.connect('4.8 websocket', node.url);
    client.emit('sid');
    sid = await client.event<string>('sid');
  });
  afterEach(() => client.disconnect());

  /** What the client is told about its event: nothing, or what went wrong. */
  async function failure(name: string, ...args: unknown[]): Promise<Failure | undefined> {
    const before = client.received.length;
    client.emit(name, ...args);
    const told = () => client.received.slice(before).find(({ name }) => name === 'done' || name === 'hive_error');
    await client.until(() => told() !== undefined, `what came of ${name}`);
    return told()!.args[0] as Failure | undefined;
  }

  async function succeeds(name: string, ...args: unknown[]): Promise<void> {
    assert.equal(await failure(name, ...args), undefined);
  }

  async function join(channel: string): Promise<{ status: number; error: string | undefined }> {
    const { status, json } = await ask(node, 'api', 'POST', `/api/KEY/pubsub/subscribe/${sid}`, [channel]);
    return { status, error: (json as Failure | undefined)?.error };
  }

  test('supervisors refuse what cannot be done, with a code for each reason', async () => {
    const lost = await failure('ask', 'hive_sup', { type: 'restart_child', id: 'nobody' });
    assert.deepEqual(lost, { error: 'not_found', description: 'There is no child nobody.' });
    const present = await failure('ask', 'hive_sup', { type: 'restart_child', id: 'hive_web_sup' });
    assert.deepEqual(present, { error: 'running', description: 'The child hive_web_sup is running.' });
    const again = await failure('child', 'hive_sup', { id: 'hive_web_sup' });
    assert.equal(again?.error, 'already_started');
    const early = await failure('restart', 'hive_env_sup');
    assert.deepEqual(early, { error: 'restarting', description: 'The child flaky is being restarted.' });
    const faulty = await failure('child', 'hive_sup', { id: 'odd', shutdown: -1 });
    assert.equal(faulty?.error, 'hive_error');
    assert.match(faulty.description, /odd: a shutdown of -1 ms/);
  });

  test('an actor that crashes when it is asked is crashed, and afterwards not_running', async () => {
    await succeeds('crasher', 'crasher');
    const crashed = await failure('ask', 'crasher', { type: 'anything' });
    assert.deepEqual(crashed, { error: 'crashed', description: 'The actor crasher crashed: a crash of an insider' });
    assert.equal((await failure('ask', 'crasher', { type: 'anything' }))?.error, 'not_running');
  });

  test('without the manager of channels nobody can join one: not_running; afterwards everybody can', async () => {
    const manager = { type: 'terminate_child', child: 'hive_pubsub' };
    await succeeds('ask', 'hive_pubsub_sup', manager);
    const present = await failure('child', 'hive_pubsub_sup', { id: 'hive_pubsub' });
    assert.equal(present?.error, 'already_present');
    assert.deepEqual(await join('ping.one'), { status: 503, error: 'not_running' });
    assert.equal((await failure('subscribe', 'ping.two'))?.error, 'not_running');
    await succeeds('ask', 'hive_pubsub_sup', { type: 'restart_child', id: 'hive_pubsub' });
    assert.equal((await join('ping.one')).status, 200);
  });

  test('a channel that cannot be started is pubsub_error', async () => {
    const channels = 'hive_pubsub_channel_sup';
    await succeeds('ask', 'hive_pubsub_sup', { type: 'terminate_child', child: channels });
    await succeeds('impostor', channels);
    assert.deepEqual(await join('ping.three'), { status: 500, error: 'pubsub_error' });
    assert.deepEqual(await failure('subscribe', 'ping.four'), { error: 'pubsub_error', description: 'refused' });
    await succeeds('end', channels);
    await succeeds('ask', 'hive_pubsub_sup', { type: 'restart_child', id: channels });
    assert.equal((await join('ping.three')).status, 200);
  });

  test('a pool whose connector fails is connectors_error', async () => {
    const args = { fresh: { connector: 'insider.broken', size: 1, overflow: 0, args: null } };
    const told = client.nextEvent<Failure>('hive_error');
    await ask(node, 'api', 'POST', `/api/KEY/clients/action/${sid}`, { action: 'start_connectors', args });
    assert.deepEqual(await told, { error: 'connectors_error', description: 'broken' });
  });

  test('events beyond those that may wait are overloaded, once for each flood', async () => {
    const flooding = await SocketClient.connect('4.8 websocket', node.url);
    const refused = () => metric(node, 'clients.events.external_errors');
    const before = (await refused()) ?? 0;
    flooding.emit('hang');
    for (let i = 0; i < 1100; i += 1) flooding.emit('subscribe', 'ping.five');
    await eventually(async () => ((await refused()) ?? 0) > before, 'the first refusal');
    await succeeds('release');
    const { error, description } = await flooding.event<Failure>('hive_error');
    assert.equal(error, 'overloaded', description);
    assert.equal(flooding.received.length, 1);
    await flooding.disconnect();
  });
});
