import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkJoiner, costOf, sendChunks, toArrayBuffer } from '../../../../../src/web/client/relay/chunks.ts';
import type { Chunk } from '../../../../../src/web/client/relay/relay.ts';
import { fc } from '../../../../support/properties.ts';

/** Cuts and joins; the bytes of the result. */
function travel(data: string | Uint8Array): { chunks: Chunk[]; bytes: Buffer; cost: number; last: boolean[] } {
  const chunks: Chunk[] = [];
  const last: boolean[] = [];
  const stream = {
    send(chunk: Chunk, isLast = false) {
      chunks.push(chunk);
      last.push(isLast);
    },
  };
  const cost = sendChunks(stream, data, typeof data === 'string', false, true);
  const joiner = new ChunkJoiner();
  const whole = chunks.map((chunk) => joiner.add(chunk));
  assert.ok(whole.slice(0, -1).every((part) => part === undefined));
  return { chunks, bytes: Buffer.from(toArrayBuffer(whole.at(-1)!)), cost, last };
}

test('what was cut into chunks and joined is what it was', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 });
  const times = fc.integer({ min: 1, max: 2000 });
  const data = fc.oneof(
    fc.tuple(text, times).map(([part, count]) => part.repeat(count)),
    fc.tuple(fc.uint8Array({ maxLength: 200 }), times).map(([part, count]) => Buffer.alloc(part.length * count, part)),
  );
  fc.assert(
    fc.property(data, (value) => {
      assert.deepEqual(travel(value).bytes, Buffer.from(value as string));
    }),
  );
});

test('chunks are small, only the last one ends the stream, and both ends count them alike', () => {
  const { chunks, last, cost } = travel('ü'.repeat(100_000));
  assert.deepEqual(last, [false, false, false, true]);
  assert.ok(chunks.every(({ data }) => data.length <= 64 * 1024));
  assert.equal(
    cost,
    chunks.reduce((sum, chunk) => sum + costOf(chunk), 0),
  );
});

test('bytes of a text become a string, unless they are many', () => {
  const sent = (bytes: Buffer, isText: boolean) => {
    const chunks: Chunk[] = [];
    sendChunks({ send: (chunk) => chunks.push(chunk) }, bytes, isText);
    return chunks.map(({ data }) => typeof data);
  };
  assert.deepEqual(sent(Buffer.from('zażółć'), true), ['string']);
  assert.deepEqual(sent(Buffer.from('abc'), false), ['object']);
  assert.deepEqual(sent(Buffer.alloc(64 * 1024 + 1, 'a'), true), ['object', 'object']);
});

test('nothing is a chunk, too', () => {
  const { chunks, bytes } = travel('');
  assert.equal(chunks.length, 1);
  assert.equal(bytes.length, 0);
});
