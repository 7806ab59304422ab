import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTerm } from '../../../../../src/distribution/codec/decoder.ts';
import { encodeTerm } from '../../../../../src/distribution/codec/encoder.ts';
import type { NodeName } from '../../../../../src/kernel/types.ts';
import { chunkMessage, isChunk, isRelayMessage, signalIn } from '../../../../../src/web/client/relay/messages.ts';
import type { Chunk } from '../../../../../src/web/client/relay/relay.ts';
import { fc } from '../../../../support/properties.ts';

const node = 'entry@127.0.0.1' as NodeName;

test('a chunk is the same signal at the other node', () => {
  // No bytes come as no text; a chunk says itself which of them it is.
  const data = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array({ minLength: 1 }).map(Buffer.from));
  const chunk = fc
    .tuple(data, fc.boolean(), fc.boolean())
    .map(([data, isText, more]): Chunk => ({ type: 'chunk', data, isText, more }));
  const side = fc.constantFrom('owner' as const, 'entry' as const);
  fc.assert(
    fc.property(fc.nat(), side, chunk, fc.boolean(), (stream, to, signal, last) => {
      const message = decodeTerm(encodeTerm(chunkMessage(node, stream, to, signal, last)));
      assert.ok(isRelayMessage(message) && isChunk(message));
      assert.deepEqual(signalIn(message), { type: 'signal', node, stream, to, signal, last });
    }),
  );
});

test('lists that are no chunks are no messages', () => {
  const good: unknown[] = [node, 1, 5, 'text'];
  assert.ok(isRelayMessage(good));
  for (const [at, wrong] of [
    [0, 7],
    [1, 'x'],
    [2, 16],
    [2, -1],
    [2, 0.5],
    [2, '5'],
    [3, 7],
    [3, true],
  ] as const) {
    assert.ok(!isRelayMessage(good.with(at, wrong)), `${wrong} at ${at}`);
  }
  assert.ok(!isRelayMessage([]));
});
