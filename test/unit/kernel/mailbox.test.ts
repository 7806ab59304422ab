import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mailbox } from '../../../src/kernel/mailbox.ts';
import { fc } from '../../support/properties.ts';

test('messages leave in the order in which they came, whatever the interleaving', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -40, max: 60 })), (bursts) => {
      const mailbox = new Mailbox();
      const model: number[] = [];
      let sent = 0;
      let peak = 0;
      for (const burst of bursts) {
        for (let i = 0; i < burst; i += 1) {
          mailbox.push(sent);
          model.push(sent);
          sent += 1;
        }
        peak = Math.max(peak, model.length);
        for (let i = 0; i < -burst && model.length > 0; i += 1) assert.equal(mailbox.shift(), model.shift());
        assert.equal(mailbox.length, model.length);
      }
      while (model.length > 0) assert.equal(mailbox.shift(), model.shift());
      assert.equal(mailbox.peak, peak);
    }),
  );
});

test('a mailbox that held a burst takes messages again after it was emptied', () => {
  const mailbox = new Mailbox();
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 1000; i += 1) mailbox.push(i);
    for (let i = 0; i < 1000; i += 1) assert.equal(mailbox.shift(), i);
    assert.equal(mailbox.length, 0);
  }
  assert.equal(mailbox.peak, 1000);
});
