import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import type { BodyForm } from '../../../src/protocol/engine.ts';
import { engineV3 } from '../../../src/protocol/engine-v3.ts';
import { fc } from '../../support/properties.ts';

const text = { binary: false, base64: false, writesBytes: undefined };
const binary = { binary: true, base64: false, writesBytes: undefined };
const decode = (body: string, form: BodyForm = text) => engineV3.decodePayload(Buffer.from(body), form);

/** What a 2.x client makes of a packet, which is what it was: the JSON in it may be written otherwise. */
const meaning = (packet: string | Buffer): unknown =>
  typeof packet === 'string' && packet.startsWith('42[') ? JSON.parse(packet.slice(2)) : packet;

test('a payload gives back its packets, binary messages as well', () => {
  const event = fc.array(fc.jsonValue(), { minLength: 1 }).map((values) => `42${JSON.stringify(values)}`);
  const message = fc.uint8Array().map((data) => Buffer.from(data));
  fc.assert(
    fc.property(fc.array(fc.oneof(event, message), { minLength: 1 }), (packets) => {
      const frames = packets.map((data) => (typeof data === 'string' ? data : Buffer.concat([Buffer.of(4), data])));
      const body = engineV3.encodePayload(frames);
      assert.match(body, /^[\0-\x7f]*$/);
      assert.deepEqual(decode(body).map(meaning), packets.map(meaning));
    }),
  );
});

test('a payload for a client that takes bytes is binary where something in it is', () => {
  assert.equal(engineV3.encodeBinaryPayload?.(['42["a"]']), undefined);
  const body = engineV3.encodeBinaryPayload?.(['4hello', Buffer.of(4, 1, 2, 3, 4)]);
  assert.deepEqual([...body!], [0, 6, 255, 52, 104, 101, 108, 108, 111, 1, 5, 255, 4, 1, 2, 3, 4]);
  const long = engineV3.encodeBinaryPayload?.(['4é'.repeat(60), Buffer.of(4)]);
  assert.deepEqual(engineV3.decodePayload(long!, binary), ['4é'.repeat(60), Buffer.of()]);
});

test('the binary form of a payload gives back its packets', () => {
  const packet = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array().map((data) => Buffer.from(data)),
  );
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1 }), (packets) => {
      const body = packets.map((data) => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : Buffer.concat([Buffer.of(4), data]);
        const digits = [...String(bytes.length)].map(Number);
        return Buffer.concat([Buffer.from([typeof data === 'string' ? 0 : 1, ...digits, 255]), bytes]);
      });
      assert.deepEqual(engineV3.decodePayload(Buffer.concat(body), binary), packets);
    }),
  );
});

test('lengths count UTF-16 units', () => {
  assert.deepEqual(decode('4:4é😀5:4b4QQ'), ['4é😀', '4b4QQ']);
});

// `Ã©` of a 2.x client in Node arrived as `é`.
test('what a 1.x client writes as bytes is read as text once it is certain that it is one', () => {
  const asBytes = (packet: string): string => Buffer.from(packet).toString('latin1');
  const session = () => {
    const form: BodyForm = { binary: false, base64: true, writesBytes: undefined };
    return (...packets: string[]) => decode(packets.map((packet) => `${packet.length}:${packet}`).join(''), form);
  };
  const old = session();
  const ambiguous = asBytes('42["é"]');
  assert.deepEqual(old(ambiguous, '4plain'), [ambiguous, '4plain']);
  assert.deepEqual(old(asBytes('42["é😀"]')), ['42["é😀"]']);
  assert.deepEqual(old(ambiguous), ['42["é"]']);
  for (const packet of ['4é', '4日本', '4é\x80']) {
    const later = session();
    assert.deepEqual(later(packet), [packet]);
    assert.deepEqual(later(ambiguous, asBytes('42["😀"]')), [ambiguous, asBytes('42["😀"]')]);
  }
  const body = asBytes('42["😀"]');
  assert.deepEqual(decode(`${body.length}:${body}`), [body]);
});

test('a namespace keeps its letters', () => {
  assert.equal(engineV3.encodePayload(['42/café,["né"]']), '19:42/café,["n\\u00e9"]');
});

test('any body decodes or fails with bad_packet', () => {
  const framed = fc.tuple(fc.nat(12), fc.string({ unit: 'binary' })).map(([length, data]) => `${length}:${data}`);
  const bytes = fc.array(fc.constantFrom(0, 1, 2, 3, 4, 9, 255, 65, 200), { maxLength: 12 });
  const body = fc.oneof(
    framed.map((data) => Buffer.from(data)),
    fc.uint8Array().map((data) => Buffer.from(data)),
    bytes.map((data) => Buffer.from(data)),
  );
  fc.assert(
    fc.property(body, fc.boolean(), fc.boolean(), (data, isBinary, base64) => {
      try {
        engineV3.decodePayload(data, { binary: isBinary, base64, writesBytes: undefined });
      } catch (error) {
        assert.ok(error instanceof HiveError && error.code === 'bad_packet', String(error));
      }
    }),
    { numRuns: 2000 },
  );
  for (const bad of ['', '4', ':4', 'x:4', '5:4', '1e1:4', `${'9'.repeat(30)}:4`]) {
    assert.throws(() => decode(bad), { code: 'bad_packet' }, bad);
  }
});
