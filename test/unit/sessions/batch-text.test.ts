import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventPacket, MessagePacket, type ServerPacket } from '../../../src/protocol/packet.ts';
import { batchHead, batchOf, entryText, type ScopeField } from '../../../src/sessions/durable/batch-text.ts';
import { fc } from '../../support/properties.ts';

const text = fc.string({ unit: 'grapheme' });
const packets = fc.oneof(
  fc.tuple(text, fc.jsonValue()).map(([name, value]): ServerPacket => new EventPacket(name, JSON.stringify([value]))),
  fc.jsonValue().map((data) => new MessagePacket(data, true)),
  text.map((data) => new MessagePacket(data, false)),
);
const entries = fc.array(
  fc.record({
    scope: fc.tuple(fc.constantFrom('c:', 's:'), text).map((parts) => parts.join('') as ScopeField),
    packet: packets,
    id: text,
  }),
);

/** As Redis gives it back. */
const stored = (value: string) => Buffer.from(value).toString();

test('a batch is read as it was written', () => {
  fc.assert(
    fc.property(fc.nat(), entries, (previous, given) => {
      let value = batchHead(previous);
      for (const [at, { scope, packet, id }] of given.entries())
        value += entryText(previous + at + 1, scope, packet, id);
      const batch = batchOf(stored(value));
      assert.equal(batch.previous, previous);
      assert.deepEqual(
        batch.entries,
        given.map((entry, at) => ({ ...entry, number: previous + at + 1 })),
      );
    }),
  );
});

test('a message without data stays one', () => {
  const value = batchHead(0) + entryText(1, 's:a', new MessagePacket(undefined, false), '');
  assert.deepEqual(batchOf(value).entries[0]!.packet, new MessagePacket(undefined, false));
});

test('a batch that is cut off is refused', () => {
  const value = batchHead(3) + entryText(4, 'c:news', new EventPacket('news', '[1]'), 'id');
  for (let length = value.length - 1; length > 2; length -= 1)
    assert.throws(() => batchOf(value.slice(0, length)), /cut off/);
});
