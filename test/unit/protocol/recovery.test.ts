import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ackPacket,
  type ClientPacket,
  type Encoded,
  EventPacket,
  eventPacket,
  MessagePacket,
  reservedEvents,
  type ServerPacket,
} from '../../../src/protocol/packet.ts';
import { isPositioned, noPosition, RecoverableV5Codec, withTail } from '../../../src/protocol/recovery.ts';
import { decodeSocketPacket, SocketV5Codec } from '../../../src/protocol/socketio-v5.ts';
import { Positions } from '../../../src/sessions/positions.ts';
import { fc } from '../../support/properties.ts';

const root = new RecoverableV5Codec('/');
const chat = new RecoverableV5Codec('/chat');
const positions = new Positions('kD3fG7-_');
const tail = positions.tail(100);

/** What a client makes of it. */
function decoded(encoded: Encoded): ClientPacket {
  if (typeof encoded === 'string') {
    const packet = decodeSocketPacket(encoded, 1);
    assert(packet.type === 'packet');
    return packet.packet;
  }
  const packet = decodeSocketPacket(encoded.text, 1);
  assert(packet.type === 'incomplete');
  let complete: ClientPacket | undefined;
  for (const frame of encoded.frames) complete = packet.rest.add(frame);
  assert(complete);
  return complete;
}

const bytes = (text: string) => ({ _binary: Buffer.from(text).toString('base64') });

test('events and messages end with the position of where they are sent', () => {
  const list: [ServerPacket, RecoverableV5Codec, string][] = [
    [eventPacket('a', []), root, '42["a","kD3fG7-_2s"]'],
    [eventPacket('a', [1, 'b']), chat, '42/chat,["a",1,"b","kD3fG7-_2s"]'],
    // What back ends of 2014 send: the only argument.
    [new EventPacket('a', '{"b":1}'), root, '42["a",{"b":1},"kD3fG7-_2s"]'],
    [new EventPacket('a', '"text"'), root, '42["a","text","kD3fG7-_2s"]'],
    [new EventPacket('a', 'null'), root, '42["a",null,"kD3fG7-_2s"]'],
    [eventPacket(']', [']']), root, '42["]","]","kD3fG7-_2s"]'],
    [new MessagePacket('text', false), root, '42["message","text","kD3fG7-_2s"]'],
    [new MessagePacket([1], true), chat, '42/chat,["message",[1],"kD3fG7-_2s"]'],
    [new MessagePacket(undefined, true), root, '42["message",null,"kD3fG7-_2s"]'],
  ];
  for (const [packet, codec, text] of list) {
    assert(isPositioned(packet));
    assert.equal(withTail(codec.encode(packet), tail), text);
  }
});

test('without a position they are what every other client gets', () => {
  for (const packet of [eventPacket('a', []), eventPacket('a', [1]), new MessagePacket('b', false)]) {
    assert.equal(withTail(root.encode(packet), noPosition), new SocketV5Codec('/').encode(packet));
  }
});

test('acknowledgements, and events that want one, have no position', () => {
  const plain = new SocketV5Codec('/chat');
  for (const packet of [
    ackPacket(5, [1]),
    ackPacket(6, [bytes('b')]),
    eventPacket('a', [1], '7+'),
    eventPacket('a', [bytes('b')], '7'),
  ]) {
    assert(!isPositioned(packet));
    assert.deepEqual(withTail(chat.encode(packet), ''), plain.encode(packet));
  }
});

test('attachments stay behind the text with the position', () => {
  for (const [packet, codec] of [
    [eventPacket('a', [bytes('one'), 'x', bytes('two')]), root],
    [eventPacket('a', [{ deep: [bytes('one')] }]), chat],
    [new EventPacket('a', JSON.stringify(bytes('alone'))), root],
    [new MessagePacket(bytes('message'), true), chat],
  ] as const) {
    const head = codec.encode(packet);
    const all = withTail(head, tail);
    assert(typeof head !== 'string' && typeof all !== 'string');
    assert(all.text.endsWith(tail));
    assert.equal(all.length, head.length + tail.length);
    assert.equal(all.frames, head.frames);
    const event = decoded(all);
    assert(event.type === 'event');
    assert.equal(event.args.at(-1), 'kD3fG7-_2s');
  }
});

test('what is received is what was sent, and the position behind it', () => {
  const name = fc.string({ unit: 'grapheme' }).filter((text) => !reservedEvents.has(text));
  const value = fc.oneof(fc.jsonValue(), fc.string().map(bytes));
  fc.assert(
    fc.property(name, fc.array(value), fc.integer({ min: 1, max: 2 ** 50 }), (name, args, number) => {
      const packet = eventPacket(name, args);
      const event = decoded(withTail(packet.encodedBy(root), positions.tail(number)));
      const without = decoded(packet.encodedBy(new SocketV5Codec('/')));
      assert(event.type === 'event' && without.type === 'event');
      assert.equal(event.name, name);
      assert.equal(positions.parse(event.args.at(-1)), number);
      assert.deepEqual(event.args.slice(0, -1), without.args);
    }),
  );
});

test('both kinds of clients of a channel get their own text of one packet', () => {
  const packet = eventPacket('a', [1]);
  const plain = new SocketV5Codec('/');
  assert.notEqual(root.key, plain.key);
  assert.equal(packet.encodedBy(plain), '42["a",1]');
  assert.equal(withTail(packet.encodedBy(root), tail), '42["a",1,"kD3fG7-_2s"]');
  assert.equal(packet.encodedBy(plain), '42["a",1]');
});

test('the answer to a connect packet has the pid; that of others has none', () => {
  assert.equal(chat.connect('sid', 'sid.mac'), '40/chat,{"sid":"sid","pid":"sid.mac"}');
  assert.equal(new SocketV5Codec('/').connect('sid'), '40{"sid":"sid"}');
});

test('a position is read again; that of another boot is none of ours, and garbage is none at all', () => {
  const other = new Positions('XXXXXXXX');
  for (const number of [1, 35, 36, 2 ** 40]) {
    const position = positions.tail(number).slice(2, -2);
    assert.equal(positions.parse(position), number);
    assert.equal(other.parse(position), 0);
  }
  for (const garbage of [
    'kD3fG7-_',
    'kD3fG7-_0',
    'kD3fG7-_01',
    'kD3fG7-_A',
    'kD3fG7-_1 ',
    `kD3fG7-_${'z'.repeat(11)}`,
    '1',
    1,
    null,
    {},
  ]) {
    assert.equal(positions.parse(garbage), undefined, String(garbage));
  }
});
