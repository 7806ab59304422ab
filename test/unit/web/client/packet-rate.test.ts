import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketRate } from '../../../../src/web/client/packet-rate.ts';

function rateOf(limit: number) {
  let now = 0;
  const rate = PacketRate.of(limit, () => now)!;
  const sender = { packets: 0, sinceMs: 0 };
  /** Sends so many at that time; gives how many passed. */
  const pass = (at: number, count: number): number => {
    now = at;
    return Array.from({ length: count }, () => rate.exceeded(sender)).filter((exceeded) => !exceeded).length;
  };
  return { pass };
}

test('ten seconds of packets may come at once, and no more in these ten seconds', () => {
  const { pass } = rateOf(3);
  assert.equal(pass(5000, 40), 30);
  assert.equal(pass(14_999, 1), 0);
  assert.equal(pass(15_000, 40), 30);
});

test('who sends as fast as is allowed is never refused', () => {
  const { pass } = rateOf(3);
  for (let second = 0; second < 100; second += 1) assert.equal(pass(1000 * second, 3), 3);
});

test('clients are counted apart', () => {
  const rate = PacketRate.of(1, () => 0)!;
  const senders = [
    { packets: 0, sinceMs: 0 },
    { packets: 0, sinceMs: 0 },
  ];
  for (const sender of senders) {
    for (let n = 0; n < 10; n += 1) assert.equal(rate.exceeded(sender), false);
    assert.equal(rate.exceeded(sender), true);
  }
});

test('without a limit nobody counts', () => {
  assert.equal(PacketRate.of(0), undefined);
});
