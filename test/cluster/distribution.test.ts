import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shutdown } from '../../src/kernel/types.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { ask, Do, seenFrom, spawnProbe, startEpmd, startTestNode, type TestNode, until } from '../support/cluster.ts';

async function pair(t: Parameters<typeof startEpmd>[0]): Promise<[TestNode, TestNode]> {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  return [a, b];
}

test('two nodes connect, see each other, and notice when one leaves', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  await until(() => b.ups.length === 1, 'nodeup at the other side');
  assert.deepEqual(a.ups, [{ node: 'b@127.0.0.1', creation: b.kernel.creation, hive: true }]);
  assert.deepEqual(b.distribution.members(), [{ node: 'a@127.0.0.1', creation: a.kernel.creation, hive: true }]);
  b.stop();
  await until(() => a.downs.length === 1, 'nodedown');
  assert.equal(a.downs[0]!.reason, 'connection_closed');
  assert.deepEqual(a.distribution.nodes(), []);
});

test('messages reach actors by name and by pid, in order, even those sent before the connection is there', async (t) => {
  const [a, b] = await pair(t);
  const { probe, ref } = await spawnProbe(b.kernel, 'echo');
  const connected = a.distribution.connect('b@127.0.0.1');
  const named = a.kernel.remote<unknown>(b.kernel.node, 'echo');
  const direct = seenFrom(a.kernel, ref);
  for (let i = 0; i < 300; i += 1) (i % 2 === 0 ? named : direct).tell({ type: 'count', i });
  await connected;
  for (let i = 300; i < 600; i += 1) (i % 2 === 0 ? named : direct).tell({ type: 'count', i });
  await until(() => probe.messages.length === 600, 'all messages');
  assert.deepEqual(
    probe.messages,
    Array.from({ length: 600 }, (_, i) => ({ type: 'count', i })),
  );
});

test('a reference inside a message can be answered', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const { probe, ref } = await spawnProbe(a.kernel);
  const { probe: other } = await spawnProbe(b.kernel, 'greeter');
  a.kernel.remote<unknown>(b.kernel.node, 'greeter').tell({ type: 'hello', from: ref });
  await until(() => other.messages.length === 1, 'the greeting');
  (other.messages[0] as { from: typeof ref }).from.tell({ type: 'welcome' });
  await until(() => probe.messages.length === 1, 'the answer');
  assert.deepEqual(probe.messages, [{ type: 'welcome' }]);
});

test('a call is answered, or fails with what the callee said', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  await spawnProbe(b.kernel, 'server', (message, from) => {
    if (message === 'fail') from.fail(new HiveError('access_denied', 'not you'));
    else from.reply({ got: message, bytes: Buffer.from('bytes') });
  });
  const server = a.kernel.remote<unknown>(b.kernel.node, 'server');
  assert.deepEqual(await ask<unknown>(a.kernel, server, 1), { got: 1, bytes: Buffer.from('bytes') });
  await assert.rejects(ask(a.kernel, server, 'fail'), { code: 'access_denied', message: 'not you' });
});

test('a call to nobody, to a dying actor and to a lost node fails at once', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const nobody = a.kernel.remote<unknown>(b.kernel.node, 'nobody');
  await assert.rejects(ask(a.kernel, nobody, 1), { code: 'not_running' });
  const { ref } = await spawnProbe(b.kernel, 'mute', () => ref.tell(new Do((probe) => probe.end('shutdown'))));
  const mute = a.kernel.remote<unknown>(b.kernel.node, 'mute');
  const first = ask(a.kernel, mute, 1);
  await assert.rejects(first, {
    code: 'not_running',
    message: 'mute on b@127.0.0.1 ended before it answered: shutdown',
  });
  const bug = new Error('a bug');
  await spawnProbe(b.kernel, 'mute', () => {
    throw bug;
  });
  const message = 'mute on b@127.0.0.1 crashed: a bug';
  await assert.rejects(ask(a.kernel, mute, 1), { code: 'crashed', message, cause: bug });
  await spawnProbe(b.kernel, 'mute', () => {});
  const second = ask(a.kernel, mute, 1);
  await ask(a.kernel, a.kernel.remote<unknown>(b.kernel.node, 'nobody'), 1).catch(() => {});
  b.stop();
  await assert.rejects(second, { code: 'cluster_error', message: /lost/ });
  await assert.rejects(ask(a.kernel, mute, 1), { code: 'cluster_error', message: /not connected/ });
});

test('an answer that comes too late lands nowhere', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const late: (() => void)[] = [];
  const { probe } = await spawnProbe(b.kernel, 'slow', (_message, from) => void late.push(() => from.reply('late')));
  const slow = a.kernel.remote<unknown>(b.kernel.node, 'slow');
  await assert.rejects(ask(a.kernel, slow, 1, 30), { code: 'timeout' });
  for (const reply of late) reply();
  slow.tell('still there');
  await until(() => probe.messages.length === 1, 'the connection to be alive');
});

test('a monitor tells exactly once how a remote actor ended', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const { probe, ref } = await spawnProbe(a.kernel);
  const { ref: target } = await spawnProbe(b.kernel, 'mortal');
  ref.tell(new Do((self) => self.watch(seenFrom(a.kernel, target) as never)));
  ref.tell(new Do((self) => self.watch(a.kernel.remote<never>(b.kernel.node, 'mortal'))));
  ref.tell(new Do((self) => self.watch(a.kernel.remote<never>(b.kernel.node, 'nobody'))));
  await until(() => probe.downs.length === 1, 'noproc');
  assert.equal(probe.downs[0]!.reason, 'noproc');
  target.tell(new Do((self) => self.end('done')));
  await until(() => probe.downs.length === 3, 'both downs');
  assert.deepEqual(
    probe.downs.map((down) => down.reason),
    ['noproc', 'done', 'done'],
  );
  ref.tell(new Do((self) => self.watch(seenFrom(a.kernel, target) as never)));
  await until(() => probe.downs.length === 4, 'noproc of the dead');
  assert.equal(probe.downs[3]!.reason, 'noproc');
});

test('a monitor that was taken back stays silent', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const { probe, ref } = await spawnProbe(a.kernel);
  const { ref: target } = await spawnProbe(b.kernel, 'mortal');
  const remote = seenFrom(a.kernel, target) as never;
  ref.tell(
    new Do((self) => {
      self.unwatch(self.watch(remote));
      self.watch(remote);
    }),
  );
  await ask(a.kernel, seenFrom(a.kernel, target), 'sync');
  target.tell(new Do((self) => self.end('done')));
  await until(() => probe.downs.length >= 1, 'a down');
  await assert.rejects(ask(a.kernel, seenFrom(a.kernel, target), 'sync'));
  assert.equal(probe.downs.length, 1);
});

test('links carry exits both ways, and break with noconnection', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const left = await spawnProbe(a.kernel);
  const right = await spawnProbe(b.kernel);
  const third = await spawnProbe(b.kernel);
  left.ref.tell(new Do((self) => self.linkWith(seenFrom(a.kernel, right.ref) as never)));
  left.ref.tell(new Do((self) => self.linkWith(seenFrom(a.kernel, third.ref) as never)));
  await ask(a.kernel, seenFrom(a.kernel, right.ref), 'sync');
  right.ref.tell(new Do((self) => self.end('broken')));
  await until(() => left.probe.exits.length === 1, 'the exit');
  assert.equal(left.probe.exits[0]!.reason, 'broken');
  left.ref.tell(new Do((self) => self.linkWith(seenFrom(a.kernel, right.ref) as never)));
  await until(() => left.probe.exits.length === 2, 'noproc');
  assert.equal(left.probe.exits[1]!.reason, 'noproc');
  a.distribution.disconnect('b@127.0.0.1');
  await until(() => left.probe.exits.length === 3 && third.probe.exits.length === 1, 'noconnection on both sides');
  assert.equal(left.probe.exits[2]!.reason, 'noconnection');
  assert.equal(third.probe.exits[0]!.reason, 'noconnection');
});

test('an unlinked actor does not hear of the end, a signalled one does', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const left = await spawnProbe(a.kernel);
  const right = await spawnProbe(b.kernel);
  const remote = seenFrom(a.kernel, right.ref) as never;
  left.ref.tell(
    new Do((self) => {
      self.linkWith(remote);
      self.unlinkFrom(remote);
      self.sendExit(remote, 'psst');
    }),
  );
  await until(() => right.probe.exits.length === 1, 'the signal');
  assert.equal(right.probe.exits[0]!.reason, 'psst');
  right.ref.tell(new Do((self) => self.end('done')));
  await assert.rejects(ask(a.kernel, seenFrom(a.kernel, right.ref), 'sync'));
  assert.equal(left.probe.exits.length, 0);
  const victim = await spawnProbe(b.kernel);
  left.ref.tell(new Do((self) => self.sendExit(seenFrom(a.kernel, victim.ref) as never, 'kill')));
  left.ref.tell(new Do((self) => self.watch(seenFrom(a.kernel, victim.ref) as never)));
  await until(() => left.probe.downs.length === 1, 'the end of the victim');
});

test('monitors on a node that is not there, or is lost, end with noconnection', async (t) => {
  const [a, b] = await pair(t);
  const { probe, ref } = await spawnProbe(a.kernel);
  ref.tell(new Do((self) => self.watch(a.kernel.remote<never>(b.kernel.node, 'x'))));
  await until(() => probe.downs.length === 1, 'noconnection');
  await spawnProbe(b.kernel, 'x');
  await a.distribution.connect('b@127.0.0.1');
  ref.tell(new Do((self) => self.watch(a.kernel.remote<never>(b.kernel.node, 'x'))));
  await ask(a.kernel, a.kernel.remote<unknown>(b.kernel.node, 'x'), 1);
  b.stop();
  await until(() => probe.downs.length === 2, 'the second noconnection');
  assert.deepEqual(
    probe.downs.map((down) => down.reason),
    ['noconnection', 'noconnection'],
  );
});

test('errors and planned ends keep their meaning as exit reasons', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  const { probe, ref } = await spawnProbe(a.kernel);
  const reasons = [new Shutdown({ why: 'drain' }), new HiveError('redis_error', 'gone'), new Error('bug')];
  for (const reason of reasons) {
    const { ref: target } = await spawnProbe(b.kernel);
    ref.tell(new Do((self) => self.watch(seenFrom(a.kernel, target) as never)));
    await ask(a.kernel, seenFrom(a.kernel, target), 'sync');
    target.tell(new Do((self) => self.end(reason as never)));
    await until(() => probe.downs.length === reasons.indexOf(reason) + 1, 'the down');
  }
  const [shutdown, expected, bug] = probe.downs.map((down) => down.reason);
  assert.ok(shutdown instanceof Shutdown);
  assert.deepEqual(shutdown.detail, { why: 'drain' });
  assert.ok(expected instanceof HiveError);
  assert.equal(expected.code, 'redis_error');
  assert.ok(bug instanceof Error);
  assert.equal(bug.message, 'bug');
});

test('a restarted node does not get what was meant for its former self', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const old = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  const { ref } = await spawnProbe(old.kernel);
  old.stop();
  const young = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  const { probe } = await spawnProbe(young.kernel);
  await a.distribution.connect('b@127.0.0.1');
  seenFrom(a.kernel, ref).tell('ghost');
  await assert.rejects(ask(a.kernel, seenFrom(a.kernel, ref), 'ghost'), { code: 'not_running' });
  assert.deepEqual(probe.messages, []);
});

test('a large message arrives whole, one that no queue can hold is refused', async (t) => {
  const [a, b] = await pair(t);
  await a.distribution.connect('b@127.0.0.1');
  await spawnProbe(b.kernel, 'size', (message, from) => from.reply((message as Buffer).length));
  const size = a.kernel.remote<unknown>(b.kernel.node, 'size');
  assert.equal(await ask<number>(a.kernel, size, Buffer.alloc(60 * 1024 * 1024)), 60 * 1024 * 1024);
  await assert.rejects(ask(a.kernel, size, Buffer.alloc(65 * 1024 * 1024)), { code: 'cluster_error' });
  await assert.rejects(ask(a.kernel, size, { list: [1, Symbol('none')] }), {
    code: 'cluster_error',
    message: 'The message for b@127.0.0.1 cannot be sent: a symbol is no term at list[1].',
  });
  assert.equal(await ask<number>(a.kernel, size, Buffer.from([255])), 1);
});
