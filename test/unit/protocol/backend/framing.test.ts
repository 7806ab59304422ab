import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, type Frame, FrameReader } from '../../../../src/protocol/backend/framing.ts';
import { fc } from '../../../support/properties.ts';

/** Reads the bytes in pieces that end at these places. */
function read(bytes: Buffer, cuts: readonly number[] = [], frames: Frame[] = []): Frame[] {
  const reader = new FrameReader(1000, (frame) => frames.push(frame));
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    reader.read(bytes.subarray(from, to));
    from = to;
  }
  return frames;
}

test('a frame has its length in bytes between two marks', () => {
  assert.deepEqual(encodeFrame('quote', '{"q":1}'), Buffer.from('\uFFFD16\uFFFD3::quote:{"q":1}'));
  assert.deepEqual(encodeFrame('q', '€'), Buffer.from('\uFFFD8\uFFFD3::q:€'));
  assert.deepEqual(encodeFrame('', ''), Buffer.from('\uFFFD4\uFFFD3:::'));
});

test('an endpoint with a colon cannot be framed', () => {
  assert.throws(() => encodeFrame('a:b', ''), { code: 'tcp_error', message: 'The endpoint a:b contains a colon.' });
});

test('frames that are split at any byte are read whole', () => {
  const frames = [
    { endpoint: 'quote', payload: '{"q":"ü€\u{1F600}\uFFFD"}' },
    { endpoint: '', payload: '' },
    { endpoint: '/a', payload: 'x:y' },
  ];
  const bytes = Buffer.concat(frames.map(({ endpoint, payload }) => encodeFrame(endpoint, payload)));
  for (let cut = 0; cut <= bytes.length; cut += 1) assert.deepEqual(read(bytes, [cut]), frames);
  const everywhere = Array.from(bytes.keys());
  assert.deepEqual(read(bytes, everywhere), frames);
});

test('whatever is framed is read again, however it is cut', () => {
  const text = fc.string({ unit: 'binary' }).map((raw) => raw.toWellFormed());
  const frame = fc.record(
    { endpoint: text.map((name) => name.replaceAll(':', '')), payload: text },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(frame), fc.array(fc.nat(500)), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(({ endpoint, payload }) => encodeFrame(endpoint, payload)));
      const places = cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b);
      assert.deepEqual(read(bytes, places), frames);
    }),
  );
});

test('type and id of the packet do not matter', () => {
  assert.deepEqual(read(Buffer.from('\uFFFD7\uFFFD5:7:a:b')), [{ endpoint: 'a', payload: 'b' }]);
});

test('the reader knows whether it is between frames', () => {
  const reader = new FrameReader(1000, () => {});
  const bytes = encodeFrame('a', 'b');
  assert.ok(reader.idle);
  for (const byte of bytes.subarray(0, -1)) {
    reader.read(Buffer.of(byte));
    assert.ok(!reader.idle);
  }
  reader.read(bytes.subarray(-1));
  assert.ok(reader.idle);
});

const malformed = [
  ['GET / HTTP/1.1\r\n', 'first mark: unexpected byte 0x47'],
  ['\uFFFD\uFFFD3::a:', 'its length is missing'],
  ['\uFFFD-4\uFFFD', 'its length is missing'],
  ['\uFFFD4x', 'second mark: unexpected byte 0x78'],
  ['\uFFFD1001\uFFFD', 'it is longer than 1000 bytes'],
  ['\uFFFD00000000001', 'it is longer than 1000 bytes'],
  ['\uFFFD3\uFFFD3::a:', 'its packet has no endpoint'],
  ['\uFFFD0\uFFFD', 'its packet has no endpoint'],
  ['\uFFFD4\uFFFD3:::\uFFFE', 'first mark: unexpected byte 0xbe'],
] as const;

test('malformed bytes are refused with the reason', () => {
  for (const [text, reason] of malformed) {
    const message = `The frame is malformed: ${reason}.`;
    assert.throws(() => read(Buffer.from(text)), { code: 'tcp_error', message }, text);
  }
  const notText = Buffer.concat([Buffer.from('\uFFFD5\uFFFD3::a:').subarray(0, -1), Buffer.of(0xff)]);
  assert.throws(() => read(notText), { message: 'The frame is malformed: it is not UTF-8.' });
});

test('frames before malformed bytes are taken', () => {
  const frames: Frame[] = [];
  assert.throws(() => read(Buffer.concat([encodeFrame('a', 'b'), Buffer.from('?')]), [], frames), {
    code: 'tcp_error',
  });
  assert.deepEqual(frames, [{ endpoint: 'a', payload: 'b' }]);
});
