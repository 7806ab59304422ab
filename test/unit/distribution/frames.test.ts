import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader, FrameTooLarge } from '../../../src/distribution/frames.ts';
import { fc } from '../../support/properties.ts';

function framed(payloads: readonly Uint8Array[], header: 2 | 4): Buffer {
  return Buffer.concat(
    payloads.flatMap((payload) => {
      const head = Buffer.alloc(header);
      if (header === 4) head.writeUInt32BE(payload.length);
      else head.writeUInt16BE(payload.length);
      return [head, Buffer.from(payload)];
    }),
  );
}

function readAll(reader: FrameReader, chunks: readonly Buffer[]): string[] {
  const frames: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame.toString('hex'));
  }
  return frames;
}

test('frames come out whole, however the stream is cut', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 });
  fc.assert(
    fc.property(
      payloads,
      fc.constantFrom(2 as const, 4 as const),
      fc.array(fc.nat({ max: 30 })),
      (sent, header, cuts) => {
        const stream = framed(sent, header);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          if (cut > 0 && at < stream.length) chunks.push(stream.subarray(at, at + cut));
          at += cut;
        }
        if (at < stream.length) chunks.push(stream.subarray(at));
        const expected = sent.map((payload) => Buffer.from(payload).toString('hex'));
        assert.deepEqual(readAll(new FrameReader(header, 100), chunks), expected);
      },
    ),
    { numRuns: 500 },
  );
});

test('lengths can change from two to four bytes between two frames', () => {
  const reader = new FrameReader(2, 10);
  reader.push(Buffer.concat([framed([Buffer.from('ab')], 2), framed([Buffer.from('c'.repeat(20))], 4)]));
  assert.equal(String(reader.next()), 'ab');
  reader.expect(4, 100);
  assert.equal(String(reader.next()), 'c'.repeat(20));
  assert.equal(reader.next(), undefined);
});

test('a frame beyond the limit is refused when it is announced', () => {
  const reader = new FrameReader(4, 100);
  reader.push(Buffer.from([0, 0, 0, 101]));
  assert.throws(() => reader.next(), FrameTooLarge);
});
