import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Membership } from '../../src/distribution/membership.ts';
import { silent } from '../../src/observe/logger.ts';
import { startEpmd, startMemberProcess, startTestNode, type TestNode, until } from '../support/cluster.ts';

const quick = { minDelayMs: 10, maxDelayMs: 50, log: silent };

async function member(t: TestContext, name: string, epmdPort: number, seeds: string[]) {
  const node = await startTestNode(t, name, { epmdPort });
  const membership = new Membership({ connections: node.distribution, seeds, ...quick });
  t.after(() => membership.stop());
  await membership.start();
  return { ...node, membership };
}

const names = (node: TestNode) => node.distribution.members().map((peer) => peer.node.split('@')[0]);

test('a full mesh grows from one common acquaintance', async (t) => {
  const epmdPort = await startEpmd(t);
  const all = [await member(t, 'a@127.0.0.1', epmdPort, [])];
  for (const name of ['b', 'c', 'd', 'e']) {
    all.push(await member(t, `${name}@127.0.0.1`, epmdPort, ['a@127.0.0.1']));
  }
  await until(() => all.every((node) => names(node).length === 4), 'the mesh');
});

test('configured nodes are dialled until they are there, and again when they are lost', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await member(t, 'a@127.0.0.1', epmdPort, ['b@127.0.0.1']);
  await until(() => a.membership.known()[0]!.failures > 2, 'some failures');
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await until(() => names(a).length === 1, 'the first connection');
  b.stop();
  await until(() => a.downs.length === 1, 'nodedown');
  await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await until(() => a.ups.length === 2, 'the second connection');
});

test('who connected before membership began is a member like the others', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await member(t, 'a@127.0.0.1', epmdPort, []);
  const b = await member(t, 'b@127.0.0.1', epmdPort, ['a@127.0.0.1']);
  const late = await startTestNode(t, 'late@127.0.0.1', { epmdPort });
  await late.distribution.connect('a@127.0.0.1');
  const membership = new Membership({ connections: late.distribution, seeds: [], ...quick });
  t.after(() => membership.stop());
  await membership.start();
  await until(() => [a, b, late].every((node) => names(node).length === 2), 'the mesh');
});

test('a cut connection heals', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await member(t, 'a@127.0.0.1', epmdPort, []);
  const b = await member(t, 'b@127.0.0.1', epmdPort, ['a@127.0.0.1']);
  for (let round = 1; round <= 5; round += 1) {
    a.distribution.disconnect('b@127.0.0.1');
    await until(() => a.ups.length === round + 1 && b.ups.length === round + 1, `healing ${round}`);
  }
});

test('a node that leaves says so, and is forgotten unless it is configured', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await member(t, 'a@127.0.0.1', epmdPort, []);
  const b = await member(t, 'b@127.0.0.1', epmdPort, ['a@127.0.0.1']);
  await until(() => names(a).length === 1, 'the connection');
  b.membership.stop();
  b.stop();
  await until(() => a.downs.length === 1, 'nodedown');
  assert.equal(a.downs[0]!.reason, 'shutdown');
  assert.deepEqual(a.membership.known(), []);
});

test('a node with another cookie never joins', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await member(t, 'a@127.0.0.1', epmdPort, ['b@127.0.0.1']);
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort, cookie: 'another' });
  const other = new Membership({ connections: b.distribution, seeds: ['a@127.0.0.1'], ...quick });
  t.after(() => other.stop());
  await other.start();
  await until(() => other.known()[0]!.failures > 3, 'some attempts');
  assert.deepEqual([a.ups, b.ups], [[], []]);
});

test('a node whose name is taken in the cluster does not start', async (t) => {
  const epmdPort = await startEpmd(t);
  const b = await member(t, 'b@127.0.0.1', epmdPort, []);
  await member(t, 'a@127.0.0.1', epmdPort, ['b@127.0.0.1']);
  const second = await startTestNode(t, 'a@127.0.0.1', { epmdPort: 0 });
  const seeds = [`b@127.0.0.1:${b.distribution.port}`];
  const membership = new Membership({ connections: second.distribution, seeds, ...quick });
  await assert.rejects(membership.start(), { code: 'name_taken', message: /Another node named a@127.0.0.1/ });
});

test('a seed that is no node is refused', () => {
  for (const seed of ['node', '@host', 'a@b@c', 'a@host:0', 'a@host:70000', 'a@host:x', 'a b@host']) {
    const connections = {} as ConstructorParameters<typeof Membership>[0]['connections'];
    assert.throws(() => new Membership({ connections, seeds: [seed], ...quick }), { code: 'invalid_config' });
  }
});

test('a killed process is noticed, and EPMD is taken over by one that lives', async (t) => {
  // The first process serves EPMD for all; a port of the system's choice that is free a moment later.
  const probe = await startTestNode(t, 'probe@127.0.0.1', { epmdPort: 0 });
  const epmdPort = probe.distribution.epmdPort;
  probe.stop();
  const first = await startMemberProcess(t, 'first@127.0.0.1', epmdPort, []);
  const a = await member(t, 'a@127.0.0.1', epmdPort, ['first@127.0.0.1']);
  assert.equal(a.distribution.servesEpmd, false);
  await until(() => names(a).includes('first'), 'the connection');
  first.kill('SIGKILL');
  await until(() => a.downs.length === 1 && a.distribution.servesEpmd, 'nodedown and the take-over');
  await startMemberProcess(t, 'late@127.0.0.1', epmdPort, ['a@127.0.0.1']);
  await until(() => names(a).includes('late'), 'a node that came later');
  await startMemberProcess(t, 'first@127.0.0.1', epmdPort, []);
  await until(() => names(a).includes('first'), 'the return of the first');
});
