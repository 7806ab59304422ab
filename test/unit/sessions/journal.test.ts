/** The ring of the journal against a plain list: what is kept, what is read, and what is said to be forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventPacket, MessagePacket, type ServerPacket } from '../../../src/protocol/packet.ts';
import { type Entry, Journal, Scope } from '../../../src/sessions/journal.ts';
import { fc } from '../../support/properties.ts';

const texts = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.toWellFormed());
const packets = fc.oneof(
  fc.tuple(texts, fc.array(texts, { maxLength: 3 })).map(([name, args]) => new EventPacket(name, JSON.stringify(args))),
  texts.map((text) => new MessagePacket(text, false)),
  fc.jsonValue().map((value) => new MessagePacket(value, true)),
);
const step = fc.record({
  scope: fc.nat(3),
  packet: packets,
  waits: fc.nat(20),
  id: fc.constantFrom('', 'a@b#4/7', 'c@d#5/1'),
});

/** What tells packets apart. */
function brief(packet: ServerPacket): unknown {
  if (packet.type === 'event') return [packet.name, packet.argsJson];
  return packet.type === 'message' ? { data: packet.data, json: packet.json } : packet;
}

test('what is kept is read as it was written, and whatever is missing is said to be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 3000 }), fc.array(step, { maxLength: 120 }), (maxBytes, steps) => {
      let now = 0;
      const windowMs = 300;
      const journal = new Journal({ windowMs, maxBytes }, () => now);
      const scopes = Array.from({ length: 4 }, () => new Scope());
      const written: { number: number; scope: number; packet: ServerPacket; id: string; at: number }[] = [];
      for (const { scope, packet, waits, id } of steps) {
        now += waits;
        const number = journal.append(scopes[scope]!, packet, id);
        assert.equal(number, written.length + 1);
        written.push({ number, scope, packet, id, at: now });
        assert.ok(journal.bytes <= maxBytes);
        const kept = written.slice(written.length - journal.count);
        for (const { at } of kept) assert.ok(now - at <= windowMs);
        for (const [index, one] of scopes.entries()) {
          const all = written.filter((entry) => entry.scope === index);
          for (const from of [0, number - journal.count, Math.floor(number / 2), number - 1]) {
            const entries: Entry[] = [];
            const wanted = all.filter((entry) => entry.number > from);
            const isThere = wanted.every((entry) => kept.includes(entry));
            assert.equal(journal.collect(one, from, number, entries), isThere);
            if (!isThere) continue;
            assert.deepEqual(
              entries.reverse().map((entry) => [entry.number, brief(entry.packet)]),
              wanted.map((entry) => [entry.number, brief(entry.packet)]),
            );
            for (const to of [number, number - 1]) {
              const ids = new Set<string>();
              journal.publications(one, from, to, ids);
              const published = wanted.filter((entry) => entry.number <= to && entry.id);
              assert.deepEqual(ids, new Set(published.map((entry) => entry.id)));
            }
          }
        }
      }
      now += windowMs + 1;
      journal.trim();
      assert.deepEqual([journal.count, journal.bytes, journal.ageMs], [0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('a record that fits exactly, to the end of the ring and over it', () => {
  const journal = new Journal({ windowMs: 1000, maxBytes: 3 * 56 }, () => 0);
  const scope = new Scope();
  for (let number = 1; number <= 20; number += 1) {
    journal.append(scope, new EventPacket('n', JSON.stringify([number % 10])));
    assert.equal(journal.count, Math.min(number, 3));
    const entries: Entry[] = [];
    assert.equal(journal.collect(scope, Math.max(0, number - 3), number, entries), true);
    assert.deepEqual(
      entries.map(({ packet }) => (packet as EventPacket).argsJson),
      [number, number - 1, number - 2].filter((n) => n > 0).map((n) => `[${n % 10}]`),
    );
    if (number > 3) assert.equal(journal.collect(scope, number - 4, number, []), false);
  }
});
