import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketRate } from '../../../src/web/packet-rate.ts';

test('so many packets pass in a second, and as many in the next', () => {
  const rate = PacketRate.of(3)!;
  const exceeded = [5000, 5100, 5200, 5300, 5999, 6000, 6001, 6002, 6003].map((now) => rate.exceeded(now));
  assert.deepEqual(exceeded, [false, false, false, true, true, false, false, false, true]);
});

test('without a limit nobody counts', () => {
  assert.equal(PacketRate.of(0), undefined);
});
