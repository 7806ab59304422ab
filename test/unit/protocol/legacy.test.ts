import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import { decodeBatch, decodeLegacyPacket, encodeBatch, LegacyCodec } from '../../../src/protocol/legacy.ts';
import { ackPacket, eventPacket, MessagePacket, reservedEvents } from '../../../src/protocol/packet.ts';
import { fc } from '../../support/properties.ts';

const codec = new LegacyCodec();

function eventIn(text: string) {
  const decoded = decodeLegacyPacket(text);
  assert.ok(decoded.type === 'packet' && decoded.packet.type === 'event', JSON.stringify(decoded));
  return decoded.packet;
}

test('an event survives encoding and decoding', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !reservedEvents.has(text));
  const trigger = fc.oneof(
    fc.constant(''),
    fc.nat().map(String),
    fc.nat().map((id) => `${id}+`),
  );
  fc.assert(
    fc.property(name, fc.jsonValue(), trigger, (eventName, args, triggerId) => {
      const event = eventIn(codec.encode(eventPacket(eventName, args ?? [], triggerId)));
      assert.equal(event.name, eventName);
      assert.equal(event.triggerId, triggerId);
      assert.equal(event.argsJson, JSON.stringify(args ?? []));
    }),
  );
});

test('messages and acknowledgements survive encoding and decoding', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), fc.nat(), (text, value, id) => {
      const json = JSON.parse(JSON.stringify(value));
      const decode = (packet: string) => {
        const decoded = decodeLegacyPacket(packet);
        return decoded.type === 'packet' ? decoded.packet : undefined;
      };
      const message = codec.encode(new MessagePacket(text, false));
      assert.deepEqual(decode(message), { type: 'message', data: text, json: false });
      const jsonMessage = codec.encode(new MessagePacket(value, true));
      assert.deepEqual(decode(jsonMessage), { type: 'message', data: json, json: true });
      assert.deepEqual(decode(codec.encode(ackPacket(id, [value]))), { type: 'ack', id, args: [json] });
    }),
  );
});

test('a batch gives back its packets, whatever characters they hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (packets) => {
      assert.deepEqual(decodeBatch(encodeBatch(packets)), packets);
    }),
  );
  assert.equal(encodeBatch(['3:::ä😀']), '\ufffd7\ufffd3:::ä😀');
});

test('a batch with rests or wrong lengths is refused', () => {
  for (const text of ['\ufffd3\ufffdabcd', '\ufffd9\ufffdabc', '\ufffdx\ufffdabc', '\ufffd3', '\ufffd']) {
    assert.throws(() => decodeBatch(text), { code: 'bad_packet' }, text);
  }
});

test('any text decodes or fails with bad_packet', () => {
  const lookalike = fc
    .tuple(fc.nat(9), fc.constantFrom(':', '::', ':1:', ':1+:', ':x:'), fc.constantFrom('', ':', '/x:'), fc.json())
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), lookalike), (text) => {
      try {
        for (const packet of decodeBatch(text)) decodeLegacyPacket(packet);
      } catch (error) {
        assert.ok(error instanceof HiveError && error.code === 'bad_packet', String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('every packet type of a client is understood', () => {
  assert.deepEqual(decodeLegacyPacket('0::'), { type: 'disconnect', endpoint: '' });
  assert.deepEqual(decodeLegacyPacket('1::/chat'), { type: 'connect', endpoint: '/chat' });
  assert.deepEqual(decodeLegacyPacket('2::'), { type: 'heartbeat' });
  assert.deepEqual(decodeLegacyPacket('7:::1+0'), { type: 'error' });
  assert.deepEqual(decodeLegacyPacket('8::'), { type: 'noop' });
  assert.deepEqual(decodeLegacyPacket('6:::4'), { type: 'packet', packet: { type: 'ack', id: 4, args: [] } });
  assert.deepEqual(eventIn('5::/chat:{"name":"x"}').args, []);
});

test('an event with unusable data is reported, not fatal', () => {
  for (const data of ['', '{', '[]', '5', '{}', '{"name":5}', 'null']) {
    const decoded = decodeLegacyPacket(`5:::${data}`);
    assert.ok(decoded.type === 'unusable' && decoded.error.code === 'bad_external_event', data);
  }
});

test('a malformed packet is refused', () => {
  for (const text of ['', 'garbage', '9:::', '55:::', '5', '5:', '5:1', '5:abc+::{}', '5:-1::{}', '6:::', '6:::x']) {
    assert.throws(() => decodeLegacyPacket(text), { code: 'bad_packet' }, text);
  }
});

test('half surrogate pairs do not reach the wire', () => {
  assert.equal(codec.encode(new MessagePacket('a\ud800b😀', false)), '3:::a\ufffdb😀');
  assert.equal(codec.encode(eventPacket('x', ['\ud800'])), '5:::{"name":"x","args":["\\ud800"]}');
});
