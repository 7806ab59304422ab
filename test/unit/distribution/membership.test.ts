import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NotRegistered } from '../../../src/distribution/epmd/epmd.ts';
import { HandshakeError } from '../../../src/distribution/handshake.ts';
import { type Connections, Membership, parseSeed } from '../../../src/distribution/membership.ts';
import type { NodeDown, NodeUp } from '../../../src/distribution/peers.ts';
import type { NodeName } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { silent } from '../../../src/observe/logger.ts';

/** Connections that go as the test says. */
function fakeConnections(reachable: Set<string>) {
  const ups = new Set<(event: NodeUp) => void>();
  const downs = new Set<(event: NodeDown) => void>();
  const connected = new Map<string, NodeUp>();
  const dials: { node: string; at: number }[] = [];
  const told: { node: string; message: unknown }[] = [];
  let hear: (message: unknown, from: string) => void = () => {};
  const connections: Connections = {
    node: 'self@host',
    port: 9100,
    async connect(node) {
      dials.push({ node, at: Date.now() });
      if (!reachable.has(node)) throw new HiveError('cluster_error', 'not there');
      const event = { node: node as NodeName, creation: 5, hive: true };
      connected.set(node, event);
      for (const listener of ups) listener(event);
    },
    disconnect: (node) => connected.delete(node),
    members: () => [...connected.values()],
    onNodeUp: (listener) => {
      ups.add(listener);
      return { [Symbol.dispose]: () => ups.delete(listener) };
    },
    onNodeDown: (listener) => {
      downs.add(listener);
      return { [Symbol.dispose]: () => downs.delete(listener) };
    },
    handle: (_name, builtin) => {
      hear = (message, from) => builtin(message, undefined, { node: from });
    },
    tell: (node, _name, message) => told.push({ node, message }) > 0,
  };
  const lose = (node: string, reason: string) => {
    const event = connected.get(node)!;
    connected.delete(node);
    for (const listener of downs) listener({ ...event, reason });
  };
  return { connections, dials, told, lose, hear: (message: unknown, from: string) => hear(message, from) };
}

function clock(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  t.mock.method(performance, 'now', () => Date.now());
  return async (ms: number, step = 50) => {
    for (let passed = 0; passed < ms; passed += step) {
      t.mock.timers.tick(step);
      // Lets the dials that began settle.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  };
}

test('the wait between two dials grows to five seconds and no further', async (t) => {
  const pass = clock(t);
  const { connections, dials } = fakeConnections(new Set());
  const membership = new Membership({ connections, seeds: ['a@host'], log: silent });
  await membership.start();
  await pass(60_000);
  membership.stop();
  const waits = dials.slice(1).map(({ at }, i) => at - dials[i]!.at);
  assert.ok(waits[0]! <= 250, `first wait ${waits[0]}`);
  assert.ok(
    waits.slice(6).every((wait) => wait >= 2500 && wait <= 5050),
    `later waits ${waits.slice(6)}`,
  );
  assert.ok(dials.length > 15 && dials.length < 35, `${dials.length} dials`);
});

test('a node known from hearsay is dialled, and forgotten when it stays away', async (t) => {
  const pass = clock(t);
  const { connections, hear, dials } = fakeConnections(new Set(['a@host']));
  const membership = new Membership({ connections, seeds: ['a@host'], log: silent, forgetAfterMs: 20_000 });
  await membership.start();
  hear({ type: 'members', port: 9101, members: [{ node: 'b@host', port: 9102 }, { node: 'self@host' }] }, 'a@host');
  await pass(1000);
  assert.ok(dials.some(({ node }) => node === 'b@host'));
  await pass(40_000);
  assert.deepEqual(
    membership.known().map(({ node }) => node),
    ['a@host'],
  );
  membership.stop();
});

test('a lost node is dialled again, one that left is not unless it is configured', async (t) => {
  const pass = clock(t);
  const { connections, lose, hear, dials } = fakeConnections(new Set(['a@host', 'b@host']));
  const membership = new Membership({ connections, seeds: ['a@host'], log: silent });
  await membership.start();
  hear({ type: 'members', members: [{ node: 'b@host' }] }, 'a@host');
  await pass(100);
  lose('b@host', 'connection_reset');
  await pass(300);
  assert.equal(dials.filter(({ node }) => node === 'b@host').length, 2);
  lose('b@host', 'shutdown');
  lose('a@host', 'shutdown');
  await pass(1000);
  assert.equal(dials.filter(({ node }) => node === 'b@host').length, 2);
  assert.equal(dials.filter(({ node }) => node === 'a@host').length, 2);
  membership.stop();
});

test('that a node is not there yet is no warning; that it stays away, or refuses, is one', async (t) => {
  const pass = clock(t);
  const reachable = new Set<string>();
  const { connections, lose } = fakeConnections(reachable);
  const lines: string[] = [];
  const log = {
    ...silent,
    info: (text: string) => lines.push(`info ${text}`),
    warning: (text: string, fields?: object) => lines.push(`warning ${text} ${JSON.stringify(fields)}`),
  };
  const membership = new Membership({ connections, seeds: ['a@host'], log });
  await membership.start();
  await pass(5000);
  assert.deepEqual(lines, ['info not there']);
  reachable.add('a@host');
  await pass(6000);
  reachable.delete('a@host');
  lose('a@host', 'connection_reset');
  await pass(9000);
  assert.deepEqual(lines, ['info not there', 'info not there']);
  await pass(60_000);
  assert.deepEqual(lines.slice(2), ['warning not there {"peer":"a@host"}']);
  membership.stop();

  const refusing = fakeConnections(new Set()).connections;
  const cause = new HandshakeError('cookie', 'wrong cookie');
  refusing.connect = () => Promise.reject(new HiveError('cluster_error', 'refused', { cause }));
  const other = new Membership({ connections: refusing, seeds: ['a@host'], log });
  await other.start();
  await pass(60_000);
  assert.deepEqual(lines.slice(3), ['warning refused {"peer":"a@host"}']);
  other.stop();
});

test('a node counts as absent if nobody listens where it would, and not if it cannot be reached', async (t) => {
  clock(t);
  const { connections } = fakeConnections(new Set());
  for (const [cause, isAbsent] of [
    [new NotRegistered(), true],
    [Object.assign(new Error(), { code: 'ECONNREFUSED' }), true],
    [Object.assign(new Error(), { code: 'ETIMEDOUT' }), false],
    [new HandshakeError('cookie', 'wrong cookie'), false],
    [undefined, false],
  ] as const) {
    connections.connect = () => Promise.reject(new HiveError('cluster_error', 'not there', { cause }));
    const absent: string[] = [];
    const onAbsent = (node: string) => absent.push(node);
    const membership = new Membership({ connections, seeds: ['a@host'], log: silent, onAbsent });
    await membership.start();
    membership.stop();
    assert.deepEqual(absent, isAbsent ? ['a@host'] : []);
  }
});

test('nonsense from a member changes nothing', async (t) => {
  clock(t);
  const { connections, hear } = fakeConnections(new Set(['a@host']));
  const membership = new Membership({ connections, seeds: ['a@host'], log: silent });
  await membership.start();
  const nonsense = [null, 1, 'x', [], {}, { type: 'members' }, { type: 'members', members: [null, 1, { node: 'x' }] }];
  for (const message of nonsense) hear(message, 'a@host');
  assert.deepEqual(
    membership.known().map(({ node }) => node),
    ['a@host'],
  );
  membership.stop();
});

test('a seed may carry a port', () => {
  assert.deepEqual(parseSeed('n@10.0.0.2:9101'), { node: 'n@10.0.0.2', port: 9101 });
  assert.deepEqual(parseSeed('n@a.example.org'), { node: 'n@a.example.org', port: undefined });
  assert.equal(parseSeed('n@host:0'), undefined);
});
