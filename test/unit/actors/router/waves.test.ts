/** Connections are closed no faster than at the rate, however late the event loop is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Waves } from '../../../../src/actors/router/waves.ts';
import { TimingWheel } from '../../../../src/kernel/timers.ts';

const ratePerMs = 0.4;

test('everything is done once, never more than the rate allows', async () => {
  const waves = new Waves(new TimingWheel(), () => 1000 * ratePerMs);
  const began = performance.now();
  let done = 0;
  await waves.run(() => {
    if (done === 100) return false;
    done += 1;
    assert.ok(done <= 1 + (performance.now() - began) * ratePerMs, `${done} after ${performance.now() - began} ms`);
    return true;
  });
  assert.equal(done, 100);
});

test('what was not done while the event loop stood still is not made up for at once', async () => {
  const waves = new Waves(new TimingWheel(), () => 1000 * ratePerMs);
  let done = 0;
  let inTurn = 0;
  await waves.run(() => {
    if (done === 200) return false;
    if (done === 0) for (const until = performance.now() + 300; performance.now() < until; );
    if (inTurn === 0) setImmediate(() => (inTurn = 0));
    done += 1;
    inTurn += 1;
    assert.ok(inTurn <= 2 * 50 * ratePerMs + 1, `${inTurn} in one turn`);
    return true;
  });
  assert.equal(done, 200);
});

test('a low rate does one thing at a time', async () => {
  const waves = new Waves(new TimingWheel(), () => 5);
  let done = 0;
  await waves.run(() => {
    done += 1;
    return done <= 2;
  });
  assert.equal(done, 3);
});

test('cancelled, it does nothing more', async () => {
  const waves = new Waves(new TimingWheel(), () => 5);
  let done = 0;
  const run = waves.run(() => {
    done += 1;
    return true;
  });
  waves.cancel();
  await run;
  assert.equal(done, 1);
});

test('where nobody could be asked for too much, everything is done at once', async () => {
  let rate = 0.01;
  const waves = new Waves(new TimingWheel(), () => rate);
  let done = 0;
  const run = waves.run(() => {
    done += 1;
    return done <= 10_000;
  });
  assert.equal(done, 1);
  rate = Number.POSITIVE_INFINITY;
  await run;
  assert.equal(done, 10_001);
});
