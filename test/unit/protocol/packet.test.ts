import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ackPacket,
  ClientEvent,
  eventFromCompact,
  eventFromValue,
  eventPacket,
  MessagePacket,
  parseTrigger,
  type ServerPacket,
} from '../../../src/protocol/packet.ts';

test('a client event names its trigger as back ends know it', () => {
  assert.equal(new ClientEvent('say', '[]').triggerId, '');
  assert.equal(new ClientEvent('say', '[]', 5).triggerId, '5+');
  assert.equal(new ClientEvent('say', '[]', 5, false).triggerId, '5');
});

test('a client event shows back ends exactly what was sent', () => {
  assert.deepEqual(new ClientEvent('say', '["a",1]').toJSON(), { name: 'say', args: ['a', 1] });
  const odd = new ClientEvent('ping', '"text"');
  assert.deepEqual(odd.toJSON(), { name: 'ping', args: 'text' });
  assert.deepEqual(odd.args, ['text']);
});

test('a trigger id makes an event ask for an acknowledgement', () => {
  assert.deepEqual(parseTrigger('7+'), { id: 7, ackWithData: true });
  assert.equal(eventPacket('say', [1], '7').id, 7);
  for (const id of ['x', '+', '7++', '-7', '1234567890123456']) {
    assert.throws(() => eventPacket('say', [], id), { code: 'bad_internal_event' }, id);
  }
});

test('an event from back ends needs a name and nothing else', () => {
  assert.equal(eventFromValue({ name: 'say' }).argsJson, '[]');
  assert.equal(eventFromValue({ name: 'say', args: [1, {}] }).json, '{"name":"say","args":[1,{}]}');
  for (const value of [[], 5, null, {}, { name: 5 }, { name: 'connect' }]) {
    assert.throws(() => eventFromValue(value), { code: 'bad_external_event' }, JSON.stringify(value));
  }
});

test('a compact event is taken over as it is; any other has to be parsed', () => {
  const compact = eventFromCompact('{"name":"say","args":[1.0,{"a":"\\n"}]}');
  assert.deepEqual([compact?.name, compact?.argsJson], ['say', '[1.0,{"a":"\\n"}]']);
  assert.equal(eventFromCompact('{"name":"","args":null}')?.argsJson, 'null');
  const long = JSON.stringify({ name: 'say', args: ['x'.repeat(500)] });
  for (const text of [
    long,
    '{"name":"say"}',
    '{"args":[],"name":"say"}',
    '{"name": "say","args":[]}',
    '{"name":"say","args":[1, 2]}',
    '{"name":"say","args":["\\u00e9"]}',
    '{"name":"s\\u0061y","args":[]}',
    '{"name":"say","args":[],"args":[1]}',
    '{"name":"say","args":[]} ',
    '{"name":"say","args":[]',
    '{"name":"say","args":[]}}',
    '{"name":"connect","args":[]}',
    '{"name":5,"args":[]}',
    '{"name":"say","args":}',
  ]) {
    assert.equal(eventFromCompact(text), undefined, text);
  }
});

test('a packet is encoded once for all clients of one format, whatever their order', () => {
  let calls = 0;
  const encode = (packet: ServerPacket) => {
    calls += 1;
    return `${packet.type}${calls}`;
  };
  const encoder = { isRecoverable: false, key: 'a', encode };
  for (const packet of [eventPacket('say', []), new MessagePacket('x', false), ackPacket(1, [])]) {
    calls = 0;
    assert.equal(packet.encodedBy(encoder), packet.encodedBy(encoder));
    assert.equal(calls, 1);
    packet.encodedBy({ isRecoverable: false, key: 'b', encode: () => 'other' });
    assert.equal(packet.encodedBy({ isRecoverable: false, key: 'b', encode: () => 'never asked' }), 'other');
    packet.encodedBy(encoder);
    assert.equal(calls, 1);
  }
});
