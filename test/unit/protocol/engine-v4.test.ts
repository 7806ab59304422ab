import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPackets, packetType } from '../../../src/protocol/engine.ts';
import { engineV4 } from '../../../src/protocol/engine-v4.ts';
import { fc } from '../../support/properties.ts';

const form = { binary: false, base64: false, writesBytes: undefined };
const decode = (text: string) => engineV4.decodePayload(Buffer.from(text), form);

test('a payload gives back its packets, binary messages as well', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((data) => `4${data.replaceAll('\x1e', '')}`);
  const bytes = fc.uint8Array().map((data) => Buffer.from(data));
  fc.assert(
    fc.property(fc.array(fc.oneof(text, bytes), { minLength: 1 }), (packets) => {
      assert.deepEqual(decode(engineV4.encodePayload(packets)), packets);
    }),
  );
});

test('a payload that is no text, or holds no base64 where it should, is refused', () => {
  for (const bytes of ['', '\xff', '4\x1ebA', 'b?', 'bQQ', 'bQR==']) {
    assert.throws(() => engineV4.decodePayload(Buffer.from(bytes, 'latin1'), form), { code: 'bad_packet' }, bytes);
  }
});

test('only the seven packet types pass', () => {
  assert.equal(packetType('2probe'), 'ping');
  assert.equal(packetType('6'), 'noop');
  for (const text of ['', '7', 'b1234', ' 2', '/']) assert.throws(() => packetType(text), { code: 'bad_packet' });
});

test('the open packet carries what the client must know', () => {
  const data = { upgrades: ['websocket'], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1e6 };
  assert.deepEqual(JSON.parse(openPackets(data)('x').slice(1)), { sid: 'x', ...data });
});
