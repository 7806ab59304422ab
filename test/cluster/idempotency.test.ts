/** Calls with an `Idempotency-Key`, made several times through several real nodes: each is carried out once. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { type Asked, ask, type Failure, metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { ReturningClient } from '../support/returning-client.ts';

const names = ['one@127.0.0.1', 'two@127.0.0.1', 'zwo@127.0.0.1'];

async function start(t: TestContext, count: number, idempotency: object = {}): Promise<DefaultNode[]> {
  const [epmd] = await freePorts(1);
  const used = names.slice(0, count);
  const begin = (name: string) =>
    DefaultNode.start((config) => {
      const others = used.filter((other) => other !== name);
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: others });
      Object.assign(config.api!, { idempotency });
    });
  const nodes = await Promise.all(used.map(begin));
  t.after(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) {
    await eventually(async () => (await metric(node, 'hive.cluster.size')) === count, 'the cluster');
  }
  return nodes;
}

/** A client that is subscribed to `ping.a`, and hears numbers. */
async function listener(t: TestContext, node: DefaultNode): Promise<ReturningClient> {
  const client = new ReturningClient(node.url, { query: { recovery: '0' } });
  t.after(() => client.stop());
  await client.connected();
  const joined = await ask(node, 'api', 'POST', `/api/KEY/pubsub/subscribe/${client.sids[0]}`, ['ping.a']);
  assert.equal(joined.status, 200);
  return client;
}

const publish = (node: DefaultNode, key: string, number: number, query = ''): Promise<Asked> =>
  ask(
    node,
    'api',
    'POST',
    `/api/KEY/pubsub/publish/ping.a${query}`,
    { name: 'news', args: [number] },
    { 'Idempotency-Key': key },
  );

const outcome = ({ status, json, headers }: Asked) => [
  status,
  (json as Failure | undefined)?.error,
  headers.get('idempotency-replayed'),
];

test('a call is carried out once, whichever nodes are called, one after the other or at the same moment', async (t) => {
  const nodes = await start(t, 3);
  const client = await listener(t, nodes[0]!);
  for (let number = 0; number < 30; number += 1) {
    const first = await publish(nodes[number % 3]!, `k${number}`, number);
    assert.deepEqual(outcome(first), [200, undefined, null]);
    const again = await publish(nodes[(number + 1) % 3]!, `k${number}`, number);
    assert.deepEqual(outcome(again), [200, undefined, 'true']);
  }
  for (let number = 30; number < 60; number += 1) {
    const all = await Promise.all(nodes.flatMap((node) => [1, 2].map(() => publish(node, `k${number}`, number))));
    assert.deepEqual(
      all.map(({ status }) => status),
      Array(6).fill(200),
    );
    assert.equal(all.filter(({ headers }) => headers.get('idempotency-replayed') === null).length, 1);
  }
  await publish(nodes[0]!, 'the-last', 60);
  await eventually(() => client.firsts('news').includes(60), 'the last number');
  assert.deepEqual(
    client.firsts('news'),
    Array.from({ length: 61 }, (_, at) => at),
  );
  const kept = await Promise.all(nodes.map(async (node) => (await metric(node, 'api.idempotency.keys')) ?? 0));
  assert.equal(
    kept.reduce((sum, keys) => sum + keys, 0),
    2 * 61,
    'at two nodes each',
  );
});

test('a key belongs to one call, and what had no effect is not kept', async (t) => {
  const nodes = await start(t, 2);
  const client = await listener(t, nodes[0]!);
  const answered = await publish(nodes[0]!, 'mine', 1);
  assert.equal(answered.status, 200);
  for (const other of [
    await publish(nodes[1]!, 'mine', 2),
    await publish(nodes[0]!, 'mine', 1, '?confirm=node'),
    await ask(nodes[1]!, 'api', 'POST', '/api/KEY/router/enable', '', { 'Idempotency-Key': 'mine' }),
  ]) {
    assert.deepEqual(outcome(other), [422, 'idempotency_key_reused', null]);
  }
  const act = (node: DefaultNode, sid: string) => {
    const body = { action: 'send', args: { name: 'news', args: [3] } };
    return ask(node, 'api', 'POST', `/api/KEY/clients/action/${sid}`, body, { 'Idempotency-Key': 'later' });
  };
  assert.deepEqual(outcome(await act(nodes[0]!, 'nobody')), [404, 'bad_session_id', null]);
  assert.deepEqual(outcome(await act(nodes[1]!, client.sids[0]!)), [200, undefined, null]);
  assert.deepEqual(outcome(await act(nodes[0]!, client.sids[0]!)), [200, undefined, 'true']);
  await eventually(() => client.firsts('news').length === 2, 'the action');
  for (const bad of ['x'.repeat(201), 'with space', 'aäb']) {
    assert.deepEqual(outcome(await publish(nodes[0]!, bad, 9)), [400, 'bad_api_request', null], bad);
  }
  const batch = () =>
    ask(nodes[1]!, 'api', 'POST', '/api/KEY/batch', [{ method: 'GET', path: 'hive/version' }], {
      'Idempotency-Key': 'batch',
    });
  const [one, two] = [await batch(), await batch()];
  assert.deepEqual([one.text, one.type, two.headers.get('idempotency-replayed')], [two.text, two.type, 'true']);
  assert.deepEqual(client.firsts('news'), [1, 3]);
});

test('a call that takes its time is waited for; if its node is lost, nobody says that it was or was not done', async (t) => {
  const nodes = await start(t, 3);
  const client = await listener(t, nodes[0]!);
  const answers: ((text: string) => void)[] = [];
  client.socket.on('question', (answer: (text: string) => void) => answers.push(answer));
  const question = (node: DefaultNode, key: string): Promise<Asked> =>
    ask(
      node,
      'api',
      'POST',
      `/api/KEY/clients/ask/${client.sids[0]}?timeout=20000`,
      { name: 'question', args: [] },
      { 'Idempotency-Key': key },
    );
  const first = question(nodes[1]!, 'slow');
  await eventually(() => answers.length === 1, 'the question');
  const second = question(nodes[2]!, 'slow');
  const third = question(nodes[0]!, 'slow');
  answers[0]!('yes');
  assert.deepEqual((await first).json, { args: ['yes'] });
  for (const later of await Promise.all([second, third])) {
    assert.deepEqual([later.json, later.headers.get('idempotency-replayed')], [{ args: ['yes'] }, 'true']);
  }
  assert.equal(answers.length, 1);

  // Whichever nodes are the homes of these keys.
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  const lost = keys.map((key) => question(nodes[1]!, key).catch(() => undefined));
  await eventually(() => answers.length === 1 + keys.length, 'the questions');
  const waiting = question(nodes[2]!, 'a');
  await nodes[1]!.process.stop('SIGKILL');
  await Promise.all(lost);
  assert.deepEqual(outcome(await waiting), [409, 'idempotency_uncertain', null]);
  for (const [at, key] of keys.entries()) {
    const known = await question(nodes[(at % 2) * 2]!, key);
    assert.deepEqual(outcome(known), [409, 'idempotency_uncertain', null], key);
  }
  assert.equal(answers.length, 1 + keys.length);
});

test('the home of a key may be lost, or another node become it: what was done is known', async (t) => {
  const nodes = await start(t, 3);
  const client = await listener(t, nodes[0]!);
  const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`);
  for (const [number, key] of keys.entries()) await publish(nodes[0]!, key, number);
  await nodes[2]!.process.stop('SIGKILL');
  await eventually(async () => (await metric(nodes[0]!, 'hive.cluster.size')) === 2, 'the loss');
  for (const [number, key] of keys.entries()) {
    assert.deepEqual(outcome(await publish(nodes[1]!, key, number)), [200, undefined, 'true'], key);
  }
  await publish(nodes[0]!, 'the-last', 20);
  await eventually(() => client.firsts('news').includes(20), 'the last number');
  assert.deepEqual(
    client.firsts('news'),
    Array.from({ length: 21 }, (_, at) => at),
  );
});

test('nodes that are restarted one after the other are given what they keep', async (t) => {
  const nodes = await start(t, 3);
  const client = await listener(t, nodes[0]!);
  const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`);
  for (const [number, key] of keys.entries()) await publish(nodes[0]!, key, number);
  const held = async (node: DefaultNode) => (await metric(node, 'api.idempotency.keys')) ?? 0;
  for (const at of [1, 2]) {
    await nodes[at]!.process.stop();
    await eventually(async () => (await metric(nodes[0]!, 'hive.cluster.size')) === 2, 'the loss');
    nodes[at] = await nodes[at]!.again();
    await eventually(async () => (await metric(nodes[0]!, 'hive.cluster.size')) === 3, 'its return');
    // Two of three nodes keep each: this one has about two thirds of them, and never none.
    await eventually(async () => (await held(nodes[at]!)) > 0, 'what it keeps');
  }
  for (const [number, key] of keys.entries()) {
    assert.deepEqual(outcome(await publish(nodes[1 + (number % 2)]!, key, number)), [200, undefined, 'true'], key);
  }
  await publish(nodes[0]!, 'the-last', 20);
  await eventually(() => client.firsts('news').includes(20), 'the last number');
  assert.deepEqual(
    client.firsts('news'),
    Array.from({ length: 21 }, (_, at) => at),
  );
});

test('no more keys are kept than allowed, and none for longer', async (t) => {
  const [node] = await start(t, 1, { ttl: 1000, max_keys: 10 });
  for (let number = 0; number < 15; number += 1) await publish(node!, `k${number}`, number);
  assert.equal(await metric(node!, 'api.idempotency.keys'), 10);
  assert.deepEqual(outcome(await publish(node!, 'k14', 14)), [200, undefined, 'true']);
  assert.deepEqual(outcome(await publish(node!, 'k0', 0)), [200, undefined, null]);
  await eventually(async () => (await metric(node!, 'api.idempotency.keys')) === 0, 'the end of all keys');
  assert.equal(await metric(node!, 'api.idempotency.bytes'), 0);
});
