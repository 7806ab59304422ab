import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerInterest } from '../../../../src/actors/pubsub/interest.ts';
import { Kernel } from '../../../../src/kernel/kernel.ts';
import type { NodeName } from '../../../../src/kernel/types.ts';
import { silent } from '../../../../src/observe/logger.ts';
import { fc } from '../../../support/properties.ts';

const kernel = new Kernel({ node: 'a@127.0.0.1', log: silent });
const b = 'b@127.0.0.1' as NodeName;
const newPeer = () => new PeerInterest(b, kernel.remote(b, 'hive_pubsub'));

test('a node that has not told its channels yet wants everything', () => {
  const peer = newPeer();
  assert.equal(peer.wants(['anything']), true);
  peer.learn(false, ['news.eu'], []);
  assert.equal(peer.wants(['anything']), true);
  peer.learn(true, ['news.eu'], []);
  assert.equal(peer.wants(['anything']), false);
  assert.equal(peer.wants(['anything', 'news']), true);
  peer.forget();
  assert.equal(peer.wants(['anything']), true);
});

const id = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join('.'));
const change = fc.record({ all: fc.boolean(), add: fc.array(id), remove: fc.array(id) });

test('interest is that of a set of ids, whatever is told how often', () => {
  fc.assert(
    fc.property(fc.array(change), fc.array(id, { minLength: 1 }), (changes, prefixes) => {
      const peer = newPeer();
      let model = new Set<string>();
      peer.learn(true, [], []);
      for (const { all, add, remove } of changes) {
        peer.learn(all, add, remove);
        if (all) model = new Set();
        for (const gone of remove) model.delete(gone);
        for (const come of add) model.add(come);
      }
      const wanted = prefixes.some((prefix) => [...model].some((one) => `${one}.`.startsWith(`${prefix}.`)));
      assert.equal(peer.wants(prefixes), wanted);
      assert.equal(peer.size, model.size);
    }),
  );
});
