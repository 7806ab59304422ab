import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePayload, encodePayload, openPacket, packetType } from '../../../src/protocol/engine-v4.ts';

test('a payload gives back its packets', () => {
  const packet = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\x1e'));
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1 }), (packets) => {
      assert.deepEqual(decodePayload(encodePayload(packets)), packets);
    }),
  );
});

test('only the seven packet types pass', () => {
  assert.equal(packetType('2probe'), 'ping');
  assert.equal(packetType('6'), 'noop');
  for (const text of ['', '7', 'b1234', ' 2', '/']) assert.throws(() => packetType(text), { code: 'bad_packet' });
  assert.throws(() => decodePayload(''), { code: 'bad_packet' });
});

test('the open packet carries what the client must know', () => {
  const data = { sid: 'x', upgrades: ['websocket'], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1e6 };
  assert.deepEqual(JSON.parse(openPacket(data).slice(1)), data);
});
