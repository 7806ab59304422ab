import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timer, TimingWheel } from '../../../src/kernel/timers.ts';
import { Gate, Puppet, TestKernel, within } from '../../support/actors.ts';
import { eventually } from '../../support/eventually.ts';

test('a time-out never fires early', async () => {
  const wheel = new TimingWheel(10);
  const lateness = await Promise.all(
    [1, 9, 10, 11, 35, 120].map(async (ms) => {
      const startedAt = performance.now();
      await new Promise<void>((resolve) => wheel.schedule(ms, resolve));
      return performance.now() - startedAt - ms;
    }),
  );
  for (const late of lateness) assert.ok(late >= 0, `${-late} ms early`);
});

test('time-outs fire in the order of their times, also those beyond one turn of the wheel', async () => {
  const wheel = new TimingWheel(0.1);
  const fired: number[] = [];
  const last = new Gate();
  for (const ms of [130, 5, 60, 51, 1]) {
    wheel.schedule(ms, () => {
      fired.push(ms);
      if (ms === 130) last.open();
    });
  }
  await last.promise;
  assert.deepEqual(fired, [1, 5, 51, 60, 130]);
});

test('a cancelled time-out does not fire, and nothing is left of it', async () => {
  const wheel = new TimingWheel(1);
  let fired = false;
  const timer = wheel.schedule(2, () => {
    fired = true;
  });
  assert.equal(timer.pending, true);
  timer.cancel();
  assert.equal(timer.pending, false);
  assert.equal(wheel.pending, 0);
  await new Promise<void>((resolve) => wheel.schedule(10, resolve));
  assert.equal(fired, false);
});

test('a time-out may cancel its neighbour in the same slot', async () => {
  const wheel = new TimingWheel(5);
  const fired: string[] = [];
  const first: Timer = wheel.schedule(5, () => {
    fired.push('first');
    second.cancel();
  });
  const second: Timer = wheel.schedule(5, () => {
    fired.push('second');
    first.cancel();
  });
  await new Promise<void>((resolve) => wheel.schedule(20, resolve));
  assert.equal(fired.length, 1);
});

test('a started timer that is started again fires once, at its new time', async () => {
  const wheel = new TimingWheel(1);
  let fired = 0;
  const timer = new Timer({
    expire: () => {
      fired += 1;
    },
  });
  const startedAt = performance.now();
  let firedAt = 0;
  wheel.start(timer, 2);
  wheel.start(timer, 15);
  await eventually(() => {
    if (fired > 0 && firedAt === 0) firedAt = performance.now();
    return fired > 0;
  }, 'the timer');
  assert.ok(firedAt - startedAt >= 15);
  assert.equal(fired, 1);
});

test('a blocked event loop delays time-outs but loses none', async () => {
  const wheel = new TimingWheel(1);
  let fired = 0;
  for (let ms = 1; ms <= 40; ms += 1) {
    wheel.schedule(ms, () => {
      fired += 1;
    });
  }
  for (const until = performance.now() + 30; performance.now() < until; );
  await eventually(() => fired === 40, 'all time-outs');
});

test('an idle wheel keeps no timer of Node', async () => {
  const wheel = new TimingWheel(1);
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  await new Promise<void>((resolve) => wheel.schedule(1, resolve));
  await eventually(
    () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length <= before + 1,
    'the end of the interval',
  );
  assert.equal(wheel.pending, 0);
});

test("an actor's timer sends it the message, unless it is cancelled", async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  await kernel.run(puppet);
  await within(puppet, (self) => {
    self.after(1, 'kept');
    self.after(1, 'dropped').cancel();
  });
  await eventually(() => puppet.seen.length > 0, 'the message');
  assert.deepEqual(puppet.seen, ['kept']);
});

test("an actor's timers die with it", async () => {
  const kernel = new TestKernel();
  const puppet = new Puppet();
  const ref = await kernel.run(puppet);
  await within(puppet, (self) => {
    self.after(60_000, 'late');
  });
  await kernel.stop(ref);
  assert.equal(kernel.wheel.pending, 0);
});

test('time-outs of one tick fire in the order of their deadlines, those of one deadline in the order of their start', async () => {
  // They fired in the reverse order of their start.
  const wheel = new TimingWheel(50);
  const fired: string[] = [];
  const done = new Gate();
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['d', 30],
    ['b', 20],
  ] as const) {
    wheel.schedule(ms, () => {
      fired.push(name);
      if (fired.length === 4) done.open();
    });
  }
  await done.promise;
  assert.equal(fired.join(''), 'abcd');
});

test('a time-out that its neighbour starts again does not fire at once', async () => {
  // It fired with its neighbour, because it was pending on the same wheel as before.
  const wheel = new TimingWheel(5);
  const fired: string[] = [];
  const done = new Gate();
  const second = new Timer({
    expire: () => {
      fired.push('second');
      done.open();
    },
  });
  let restartedAt = 0;
  wheel.schedule(5, () => {
    fired.push('first');
    restartedAt = performance.now();
    wheel.start(second, 40);
  });
  wheel.start(second, 5);
  await done.promise;
  assert.ok(performance.now() - restartedAt >= 40);
  assert.deepEqual(fired, ['first', 'second']);
  assert.equal(wheel.pending, 0);
});

test('whatever is started, started again and cancelled in one slot: the rest fires once, in order', async () => {
  const wheel = new TimingWheel(20);
  const fired: number[] = [];
  const done = new Gate();
  const timers = Array.from({ length: 9 }, (_, i) => new Timer({ expire: () => void fired.push(i) }));
  for (const timer of timers) wheel.start(timer, 20);
  for (const i of [0, 4, 8]) timers[i]!.cancel();
  for (const i of [1, 7]) wheel.start(timers[i]!, 20);
  wheel.start(timers[0]!, 20);
  assert.equal(wheel.pending, 7);
  wheel.schedule(40, () => done.open());
  await done.promise;
  assert.deepEqual(fired, [2, 3, 5, 6, 1, 7, 0]);
});

// Each of two periods in a row was rounded up to the tick, and the wheel turns some ms after it: a client was given up more than a tick late.
test('a prolonged time-out counts from when it was due, but for what the event loop was late', (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const wheel = new TimingWheel(10);
  const seen: number[] = [];
  const timer = new Timer({
    expire: () => {
      seen.push(now);
      wheel.prolong(timer, 30);
    },
  });
  const turnAt = (ms: number): void => {
    now = ms;
    t.mock.timers.tick(10);
  };
  wheel.start(timer, 15);
  turnAt(19);
  assert.deepEqual(seen, []);
  assert.equal(wheel.isOverdue(timer), true);
  turnAt(23);
  assert.deepEqual([seen, timer.dueMs, wheel.isOverdue(timer)], [[23], 45, false]);
  turnAt(100);
  assert.deepEqual([seen, timer.dueMs], [[23, 100], 110]);
  wheel.stop();
  assert.equal(wheel.isOverdue(timer), false);
});
