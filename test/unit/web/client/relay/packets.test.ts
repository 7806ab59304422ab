import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventPacket } from '../../../../../src/protocol/packet.ts';
import { RecoverableV5Codec, withTail } from '../../../../../src/protocol/recovery.ts';
import { costOf } from '../../../../../src/web/client/relay/chunks.ts';
import { PacketJoiner, sendEncoded } from '../../../../../src/web/client/relay/packets.ts';
import type { Chunk } from '../../../../../src/web/client/relay/relay.ts';
import { fc } from '../../../../support/properties.ts';

test('packets arrive whole and as they were, whatever is in them', () => {
  const bytes = fc.uint8Array({ maxLength: 50 }).map((data) => ({ _binary: Buffer.from(data).toString('base64') }));
  const large = fc.integer({ min: 0, max: 100_000 }).map((length) => 'ü'.repeat(length));
  const argument = fc.oneof({ weight: 4, arbitrary: fc.jsonValue() }, { weight: 3, arbitrary: bytes }, large);
  const name = fc.string({ unit: 'grapheme' });
  const namespace = fc.constantFrom('/', '/5-chat', '/45');
  fc.assert(
    fc.property(namespace, fc.array(fc.tuple(name, fc.array(argument, { maxLength: 4 }))), (nsp, events) => {
      const codec = new RecoverableV5Codec(nsp);
      const packets = events.map(([event, args]) =>
        withTail(codec.encode(new EventPacket(event, JSON.stringify(args))), ',"position"]'),
      );
      const joiner = new PacketJoiner();
      const arrived: unknown[] = [];
      for (const packet of packets) {
        let cost = 0;
        const send = (chunk: Chunk) => {
          cost += costOf(chunk);
          const whole = joiner.add(chunk);
          if (whole !== undefined) arrived.push(whole);
        };
        assert.equal(sendEncoded({ send }, packet), cost);
      }
      assert.deepEqual(arrived, packets);
    }),
    { numRuns: 50 },
  );
});
