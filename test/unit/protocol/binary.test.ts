import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HiveError } from '../../../src/observe/errors.ts';
import {
  type ClientPacket,
  type Encoded,
  EventPacket,
  eventPacket,
  MessagePacket,
} from '../../../src/protocol/packet.ts';
import { SocketV4Codec } from '../../../src/protocol/socketio-v4.ts';
import { decodeSocketPacket, SocketV5Codec } from '../../../src/protocol/socketio-v5.ts';
import { fc } from '../../support/properties.ts';

const codec = new SocketV5Codec('/');

/** What the other side decodes. */
function decode(packet: Encoded): ClientPacket {
  const text = typeof packet === 'string' ? packet : packet.text;
  const decoded = decodeSocketPacket(text, 1);
  if (decoded.type === 'packet') return decoded.packet;
  assert.ok(decoded.type === 'incomplete' && typeof packet !== 'string');
  const packets = packet.frames.map((frame) => decoded.rest.add(frame));
  assert.ok(packets.slice(0, -1).every((incomplete) => incomplete === undefined));
  return packets.at(-1)!;
}

test('bytes anywhere in an event survive encoding and decoding', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.uint8Array().map((data) => ({ _binary: Buffer.from(data).toString('base64') })),
      fc.jsonValue(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 3 }), (args) => {
      const decoded = decode(codec.encode(eventPacket('data', args)));
      assert.ok(decoded.type === 'event');
      assert.deepEqual(JSON.parse(decoded.argsJson), JSON.parse(JSON.stringify(args)));
      assert.deepEqual(decoded.args, JSON.parse(decoded.argsJson));
    }),
  );
});

test('encodes what clients expect', () => {
  const packet = new EventPacket('file', '[{"data":{"_binary":"AQID"}},{"_binary":""}]', 7);
  const text = '452-7["file",{"data":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]';
  assert.deepEqual(codec.encode(packet), { text, frames: [Buffer.of(1, 2, 3), Buffer.of()], length: text.length + 3 });
  assert.deepEqual(new SocketV4Codec('/x').encode(packet), {
    text: text.replace('-7', '-/x,7'),
    frames: [Buffer.of(4, 1, 2, 3), Buffer.of(4)],
    length: text.length + 8,
  });
  const message = codec.encode(new MessagePacket({ _binary: 'AQID' }, true));
  assert.deepEqual(decode(message).type, 'event');
  assert.equal(typeof message, 'object');
});

test('what only looks like bytes stays text', () => {
  for (const args of [['"_binary"'], [{ _binary: 'no base64' }], [{ _binary: 'AQID', more: 1 }], [{ _binary: 5 }]]) {
    assert.equal(codec.encode(eventPacket('x', args)), `42["x",${JSON.stringify(args).slice(1)}`);
  }
});

test('a forged placeholder never reaches a client next to real ones', () => {
  const args = [{ _binary: 'AQID' }, { _placeholder: true, num: 9 }];
  assert.equal(typeof codec.encode(eventPacket('x', args)), 'string');
});

test('each attachment has one placeholder, and each placeholder an attachment of its own', () => {
  const place = (num: unknown) => JSON.stringify({ _placeholder: true, num });
  for (const text of [
    '51-["x"]',
    '5-["x"]',
    '5["x"]',
    `51-["x",${place(1)}]`,
    `51-["x",${place(-1)}]`,
    `51-["x",${place(0.5)}]`,
    `51-["x",${place('0')}]`,
    `51-["x",${place(0)},${place(0)}]`,
    `52-["x",${place(0)},${place(0)}]`,
    `52-["x",${place(0)}]`,
    `51-["connect",${place(0)}]`,
    `61-[${place(0)}]`,
    `599999999999999999999-["x",${place(0)}]`,
  ]) {
    assert.throws(
      () => decodeSocketPacket(text),
      (error) => error instanceof HiveError && error.code === 'bad_packet',
      text,
    );
  }
  assert.equal(decodeSocketPacket('50-["x"]').type, 'packet');
});

test('an acknowledgement may carry bytes', () => {
  const decoded = decodeSocketPacket('61-/chat,5[{"_placeholder":true,"num":0}]');
  assert.ok(decoded.type === 'incomplete');
  assert.equal(decoded.namespace, '/chat');
  assert.deepEqual(decoded.rest.add(Buffer.from('hi')), { type: 'ack', id: 5, args: [{ _binary: 'aGk=' }] });
});
