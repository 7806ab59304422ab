import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import {
  ackPacket,
  type ClientAck,
  ClientEvent,
  type Encoded,
  eventPacket,
  MessagePacket,
  reservedEvents,
} from '../../../src/protocol/packet.ts';
import { decodeSocketPacket, encodeClientPacket, SocketV5Codec } from '../../../src/protocol/socketio-v5.ts';
import { fc } from '../../support/properties.ts';

const root = new SocketV5Codec('/');
const chat = new SocketV5Codec('/chat');
const namespace = fc.constantFrom('/', '/chat', '/a-b/c?d');

/** For packets without bytes, which are texts. */
function textOf(packet: Encoded): string {
  assert.ok(typeof packet === 'string');
  return packet;
}

function eventIn(text: string) {
  const decoded = decodeSocketPacket(text);
  assert.ok(decoded.type === 'packet' && decoded.packet.type === 'event');
  return { namespace: decoded.namespace, event: decoded.packet };
}

test('an event survives encoding and decoding in every namespace', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !reservedEvents.has(text));
  const id = fc.option(fc.nat(), { nil: undefined });
  fc.assert(
    fc.property(namespace, name, fc.array(fc.jsonValue()), id, (nsp, eventName, args, eventId) => {
      const packet = eventPacket(eventName, args, eventId === undefined ? '' : `${eventId}+`);
      const text = textOf(new SocketV5Codec(nsp).encode(packet));
      const { namespace: where, event } = eventIn(text.slice(1));
      assert.equal(where, nsp);
      assert.equal(event.name, eventName);
      assert.equal(event.id, eventId);
      assert.equal(event.argsJson, JSON.stringify(args));
      assert.deepEqual(event.args, JSON.parse(JSON.stringify(args)));
    }),
  );
});

test('an acknowledgement survives encoding and decoding', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.jsonValue()), (id, args) => {
      const decoded = decodeSocketPacket(textOf(chat.encode(ackPacket(id, args))), 1);
      const packet = { type: 'ack', id, args: JSON.parse(JSON.stringify(args)) };
      assert.deepEqual(decoded, { type: 'packet', namespace: '/chat', packet });
    }),
  );
});

test('any text decodes or fails with bad_packet', () => {
  const lookalike = fc
    .tuple(
      fc.constantFrom('0', '1', '2', '3', '4', '5', '6'),
      fc.constantFrom('', '/', '/x,', '7'),
      fc.json(),
      fc.string(),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), lookalike), (text) => {
      try {
        decodeSocketPacket(text);
      } catch (error) {
        assert.ok(error instanceof HiveError && error.code === 'bad_packet', String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('white space around the parts of an event is no part of them', () => {
  const { event } = eventIn('2 [ "say \\" \\\\" , 1 , [ ] ] ');
  assert.equal(event.name, 'say " \\');
  assert.equal(event.argsJson, '[ 1 , [ ] ]');
  assert.equal(eventIn('2["say" ]').event.argsJson, '[]');
});

test('connect carries an auth object or nothing', () => {
  assert.deepEqual(decodeSocketPacket('0'), { type: 'connect', namespace: '/', auth: undefined });
  assert.deepEqual(decodeSocketPacket('0/chat,{"t":1}'), { type: 'connect', namespace: '/chat', auth: { t: 1 } });
  assert.deepEqual(decodeSocketPacket('1/chat'), { type: 'disconnect', namespace: '/chat' });
  for (const text of ['0[]', '0null', '0"x"', '1{}'])
    assert.throws(() => decodeSocketPacket(text), { code: 'bad_packet' });
});

test('reserved names and endless nesting are refused', () => {
  const deep = `2["x",${'['.repeat(100_000)}${']'.repeat(100_000)}]`;
  for (const text of ['2["disconnect"]', '51-["x"]', '2[5]', '2{}', '3[1]', `2${'9'.repeat(20)}["x"]`, deep]) {
    assert.throws(() => decodeSocketPacket(text), { code: 'bad_packet' }, text.slice(0, 30));
  }
});

test('encodes what clients expect', () => {
  assert.equal(root.encode(eventPacket('say', ['hi'])), '42["say","hi"]');
  assert.equal(chat.encode(eventPacket('say', [], '3')), '42/chat,3["say"]');
  assert.equal(root.encode(eventPacket('say', { a: 1 })), '42["say",{"a":1}]');
  assert.equal(root.encode(new MessagePacket('hi', false)), '42["message","hi"]');
  assert.equal(root.connect('abc'), '40{"sid":"abc"}');
  assert.equal(chat.disconnect(), '41/chat,');
  assert.equal(
    chat.refusal(new HiveError('stopped', 'No.')),
    '44/chat,{"message":"No.","data":{"error":"stopped","description":"No."}}',
  );
});

test('what a client has sent can be written as it was, bytes in its JSON', () => {
  const args = fc.array(fc.oneof(fc.jsonValue(), fc.constant({ _binary: 'AAE=' })));
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !reservedEvents.has(text));
  fc.assert(
    fc.property(name, args, fc.option(fc.nat(), { nil: undefined }), fc.boolean(), (event, values, id, isAck) => {
      const json = JSON.stringify(values);
      const packet: ClientEvent | ClientAck =
        isAck && id !== undefined ? { type: 'ack', id, args: JSON.parse(json) } : new ClientEvent(event, json, id);
      const decoded = decodeSocketPacket(encodeClientPacket(packet));
      assert.ok(decoded.type === 'packet' && decoded.packet.type === packet.type);
      assert.deepEqual(decoded.packet.args, JSON.parse(json));
      assert.equal('id' in decoded.packet ? decoded.packet.id : undefined, id);
      if (packet.type === 'event' && decoded.packet.type === 'event') {
        assert.deepEqual([decoded.packet.name, decoded.packet.argsJson], [event, json]);
      }
    }),
  );
});
