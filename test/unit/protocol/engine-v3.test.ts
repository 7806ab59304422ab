import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HiveError } from '../../../src/observe/errors.ts';
import { engineV3 } from '../../../src/protocol/engine-v3.ts';

const text = { binary: false, base64: false };
const binary = { binary: true, base64: false };
const decode = (body: string, form = text) => engineV3.decodePayload(Buffer.from(body), form);

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

test('what a 1.x client writes as bytes is read as text, where it can come from one', () => {
  const asBytes = Buffer.from('42["é😀"]').toString('latin1');
  const body = `${asBytes.length}:${asBytes}`;
  assert.deepEqual(decode(body, { binary: false, base64: true }), ['42["é😀"]']);
  assert.deepEqual(decode(body), [asBytes]);
  for (const packet of ['4é', '4日本', '4plain']) {
    assert.deepEqual(decode(`${packet.length}:${packet}`, { binary: false, base64: true }), [packet]);
  }
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
        engineV3.decodePayload(data, { binary: isBinary, base64 });
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
