import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignore } from '../../../src/kernel/actor.ts';
import { describeReason, Shutdown } from '../../../src/kernel/types.ts';
import { HiveError } from '../../../src/observe/errors.ts';
import { Gate, never, Puppet, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

test('spawn resolves after an asynchronous init, and messages wait for it', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const puppet = new Puppet({ init: () => gate.promise });
  const starting = kernel.spawn(puppet);
  puppet.self.tell('early');
  assert.equal(puppet.cell.status, 'starting');
  gate.open();
  assert.equal(await starting, puppet.self);
  await eventually(() => puppet.seen.length > 0, 'the message');
});

test('an init that throws makes the start fail with what it threw, and leaves nothing', async () => {
  const kernel = new TestKernel();
  const failure = new Error('no');
  for (const init of [() => Promise.reject(failure), () => assert.fail(failure)]) {
    await assert.rejects(kernel.spawn(new Puppet({ init }), { name: 'somebody' }), failure);
    assert.equal(kernel.whereis('somebody'), undefined);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(kernel.metrics.tree('hive.actors.running'))), {
    hive: { actors: { running: 0 } },
  });
});

test('an init that throws something odd still counts as failed for the links', async () => {
  const kernel = new TestKernel();
  const parent = new Puppet({ traps: true });
  const ref = await kernel.run(parent);
  const thrower = (): void => {
    throw 'a string';
  };
  await assert.rejects(kernel.spawn(new Puppet({ init: thrower }), { parent: ref }), new Error('a string'));
  await eventually(() => parent.exits.length > 0, 'the exit');
  assert.match(String(parent.exits[0]?.reason), /a string/);
});

test('an init that ignores makes spawn resolve to undefined', async () => {
  const kernel = new TestKernel();
  const parent = new Puppet({ traps: true });
  const ref = await kernel.run(parent);
  const init = (): void => {
    throw ignore;
  };
  assert.equal(await kernel.spawn(new Puppet({ init }), { parent: ref }), undefined);
  await eventually(() => parent.exits.length > 0, 'the exit');
  assert.equal(parent.exits[0]?.reason, 'normal');
});

test('an actor that is killed while init waits fails its start at once', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet({ init: never });
  const starting = kernel.spawn(puppet);
  kernel.exit(puppet.self, puppet.self, 'kill');
  await assert.rejects(starting, (error) => error instanceof HiveError && error.code === 'crashed');
  assert.deepEqual(
    kernel.abandoned().map(({ label }) => label),
    ['Puppet'],
  );
});

test('an abandoned init is forgotten when it returns, however it ends', async () => {
  const kernel = new TestKernel();
  for (const end of ['open', 'fail'] as const) {
    const gate = new Gate();
    const puppet = new Puppet({ init: () => gate.promise });
    const starting = kernel.spawn(puppet);
    kernel.exit(puppet.self, puppet.self, 'kill');
    await assert.rejects(starting);
    gate[end](new Error('too late') as never);
    await eventually(() => kernel.abandoned().length === 0, 'the return');
  }
});

test('a handler that takes its signal after its actor was told to stop finds it aborted; that of terminate is new', async () => {
  const kernel = new TestKernel();
  const gate = new Gate();
  const aborted: boolean[] = [];
  class Late extends Puppet {
    override terminate(): void {
      aborted.push(this.signal.aborted);
    }
  }
  const ref = await kernel.run(new Late());
  const handler = async (self: Puppet) => {
    await gate.promise;
    aborted.push(self.signal.aborted);
  };
  ref.tell({ type: 'do', task: handler });
  await eventually(() => kernel.inspect(ref)?.status === 'waiting', 'the handler');
  const stopped = kernel.stop(ref);
  gate.open();
  await stopped;
  assert.deepEqual(aborted, [true, false]);
});

test('an actor that is told to stop during init stops right after it, its signal aborted', async () => {
  const kernel = new TestKernel();
  const aborted = new Gate();
  const init = (self: Puppet): Promise<void> => {
    self.signal.addEventListener('abort', () => aborted.open());
    return aborted.promise;
  };
  const puppet = new Puppet({ traps: true, init });
  const starting = kernel.spawn(puppet);
  const stopped = kernel.stop(puppet.self, 'shutdown');
  await starting;
  assert.equal(await stopped, 'shutdown');
  assert.deepEqual(puppet.ends, ['shutdown']);
});

test('an actor that stops itself terminates and gives its reason', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet);
  const end = kernel.ended(ref);
  const reason = new Shutdown('done');
  await within(puppet, (self) => self.stop(reason));
  assert.equal(await end, reason);
  assert.deepEqual(puppet.ends, [reason]);
  assert.equal(kernel.inspect(ref), undefined);
});

test('the messages before a stop are handled, those after it are not', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet);
  ref.tell('before');
  ref.tell({ type: 'do', task: (self) => self.stop() });
  ref.tell('after');
  assert.equal(await kernel.ended(ref), 'normal');
  assert.deepEqual(puppet.seen, ['before']);
});

test('a crash ends the actor with the error as reason, after terminate, and is reported', async () => {
  const kernel = new TestKernel();
  for (const asynchronous of [false, true]) {
    const puppet = new Puppet();
    const ref = await kernel.run(puppet, { label: 'poor' });
    const end = kernel.ended(ref);
    const failure = new Error('boom');
    ref.tell({
      type: 'do',
      task: () => {
        if (!asynchronous) throw failure;
        return Promise.reject(failure);
      },
    });
    assert.equal(await end, failure);
    assert.deepEqual(puppet.ends, [failure]);
  }
  assert.equal(kernel.count('crashes'), 2);
  const report = kernel.lines.find(({ level }) => level === 'crash');
  assert.equal(report?.fields?.label, 'poor');
  assert.equal(report?.fields?.lastMessage, 'do');
  assert.match(String(report?.fields?.stack), /boom/);
});

test('a terminate that throws gives its own error as reason', async () => {
  const kernel = new TestKernel();
  const failure = new Error('cannot end');
  for (const terminate of [() => assert.fail(failure), () => Promise.reject(failure)]) {
    const ref = await kernel.run(new Puppet({ terminate }));
    assert.equal(await kernel.stop(ref), failure);
  }
  assert.equal(kernel.count('crashes'), 2);
});

test('a terminate that never returns can be killed, and is then abandoned', async () => {
  const kernel = new TestKernel();
  const ref = await kernel.run(new Puppet({ terminate: never }), { label: 'stubborn' });
  const stopped = kernel.stop(ref);
  await eventually(() => kernel.inspect(ref)?.status === 'stopping', 'terminate');
  kernel.exit(ref, ref, 'kill');
  assert.equal(await stopped, 'killed');
  assert.equal(kernel.abandoned()[0]?.label, 'stubborn');
});

test('a handler that kills its own actor and then throws, or waits, harms nobody', async () => {
  const kernel = new TestKernel();
  const late = new Gate();
  const tasks: ((self: Puppet) => unknown)[] = [
    () => assert.fail('too late'),
    () => late.promise.then(() => assert.fail('too late')),
  ];
  for (const task of tasks) {
    const puppet = new Puppet();
    const ref = await kernel.run(puppet);
    const end = kernel.ended(ref);
    ref.tell({
      type: 'do',
      task: (self) => {
        kernel.exit(self.self, self.self, 'kill');
        return task(self);
      },
    });
    assert.equal(await end, 'killed');
    assert.equal(puppet.cell.status, 'dead');
    assert.deepEqual(puppet.ends, []);
  }
  assert.equal(kernel.abandoned().length, 1);
  late.open();
  await eventually(() => kernel.abandoned().length === 0, 'the return');
  assert.equal(kernel.count('crashes'), 0);
});

test('an actor under another that traps exits is terminated when its parent ends', async () => {
  const kernel = new TestKernel();
  const parent = new Puppet();
  const ref = await kernel.run(parent);
  const trapping = new Puppet({ traps: true });
  const plain = new Puppet();
  await within(parent, async (self) => {
    await self.spawn(trapping);
    await self.spawn(plain);
  });
  const ends = Promise.all([kernel.ended(trapping.self), kernel.ended(plain.self)]);
  kernel.exit(ref, ref, 'kill');
  assert.deepEqual(await ends, ['killed', 'killed']);
  assert.deepEqual([trapping.ends, plain.ends], [['killed'], []]);
});

test('an inspection shows the state, the mailbox and the type of the last message', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet, { label: 'seen', name: 'known' });
  await within(puppet, () => undefined);
  const { pid, label, name, status, lastMessage, mailbox, state } = kernel.inspect(ref)!;
  assert.deepEqual(
    { pid, label, name, status, lastMessage, mailbox, state },
    {
      pid: ref.toString(),
      label: 'seen',
      name: 'known',
      status: 'running',
      lastMessage: 'do',
      mailbox: { length: 0, peak: 1 },
      state: { seen: 0 },
    },
  );
});

test('an actor whose state cannot be read can still be inspected', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet);
  puppet.inspect = () => assert.fail('not yet');
  assert.deepEqual(kernel.inspect(ref)?.state, { unreadable: 'not yet' });
});

test('halt kills whoever still runs', async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet({ traps: true });
  const ref = await kernel.run(puppet);
  const end = kernel.ended(ref);
  kernel.halt();
  assert.equal(await end, 'killed');
  await assert.rejects(kernel.spawn(new Puppet(), { name: 'late' }));
  assert.equal(kernel.whereis('late'), undefined);
});

test('the last 64 crash reports are kept, newest first', async () => {
  const kernel = new TestKernel();
  for (let i = 0; i < 70; i += 1) {
    const ref = await kernel.run(new Puppet(), { label: `actor ${i}` });
    const ended = kernel.ended(ref);
    ref.tell({
      type: 'do',
      task: () => {
        throw new Error('a bug');
      },
    });
    await ended;
  }
  const labels = Array.from({ length: 64 }, (_, i) => `actor ${69 - i}`);
  assert.deepEqual(
    kernel.crashReports().map(({ label }) => label),
    labels,
  );
});

test('an actor that stops itself in init does not start', async () => {
  // It started, and ended afterwards.
  const kernel = new TestKernel();
  const failure = new Error('no');
  for (const [reason, expected] of [
    [failure, failure],
    ['shutdown', { code: 'not_running', message: 'The actor somebody ended in its init: shutdown' }],
    [
      new Shutdown('no room'),
      { code: 'not_running', message: 'The actor somebody ended in its init: shutdown: no room' },
    ],
  ] as const) {
    for (const later of [false, true]) {
      const puppet = new Puppet({
        init: (self) => {
          self.stop(reason);
          return later ? Promise.resolve() : undefined;
        },
      });
      const starting = kernel.spawn(puppet, { name: 'somebody' });
      await assert.rejects(starting, expected);
      assert.deepEqual([puppet.alive, puppet.ends, kernel.whereis('somebody')], [false, [], undefined]);
    }
  }
});

test('an actor that throws a Shutdown shuts down: no crash, and its detail is the reason', async () => {
  // It was the crash of an Error with the text [object Object].
  const kernel = new TestKernel();
  const detail = new Shutdown({ why: 'enough' });
  const fail = (): never => {
    throw detail;
  };
  for (const task of [fail, () => Promise.reject(detail)]) {
    const puppet = new Puppet();
    const ref = await kernel.run(puppet);
    const end = kernel.ended(ref);
    ref.tell({ type: 'do', task });
    assert.equal(await end, detail);
    assert.deepEqual(puppet.ends, [detail]);
  }
  const farewell = await kernel.run(new Puppet({ terminate: fail }));
  assert.equal(await kernel.stop(farewell), detail);
  await assert.rejects(kernel.spawn(new Puppet({ init: fail })), (error) => error === detail);
  assert.equal(kernel.count('crashes'), 0);
  assert.match(describeReason(detail), /^shutdown: \{ why: 'enough' \}$/);
});
