import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Acceptor,
  digest,
  HandshakeError,
  Initiator,
  type Peer,
  type Self,
  type Status,
} from '../../../src/distribution/handshake.ts';
import { fc } from '../../support/properties.ts';

const a: Self = { node: 'a@127.0.0.1', creation: 11, cookie: 'secret' };
const b: Self = { node: 'b@127.0.0.1', creation: 22, cookie: 'secret' };

interface Outcome {
  initiator?: Peer;
  acceptor?: Peer;
  failure?: HandshakeError;
}

/** Lets both sides talk until one is done or fails. */
function run(
  left: Self,
  right: Self,
  options: {
    status?: Status;
    replacesOld?: boolean;
    expected?: string;
    spoil?: (packet: Buffer, n: number) => Buffer;
  } = {},
): Outcome {
  const initiator = new Initiator(left, options.expected ?? right.node, () => options.replacesOld ?? true);
  const acceptor = new Acceptor(right);
  const outcome: Outcome = {};
  const wire: { to: 'initiator' | 'acceptor'; packet: Buffer }[] = [{ to: 'acceptor', packet: initiator.start() }];
  try {
    for (let n = 0; wire.length > 0; n += 1) {
      const { to, packet } = wire.shift()!;
      const heard = options.spoil?.(packet, n) ?? packet;
      const other = to === 'initiator' ? 'acceptor' : 'initiator';
      const step = to === 'initiator' ? initiator.receive(heard) : acceptor.receive(heard);
      const packets = step.type === 'decide' ? acceptor.decide(options.status ?? 'ok') : step.packets;
      for (const next of packets) wire.push({ to: other, packet: next });
      if (step.type === 'connected') outcome[to] = step.peer;
    }
  } catch (error) {
    assert.ok(error instanceof HandshakeError, String(error));
    outcome.failure = error;
  }
  return outcome;
}

test('two nodes with the same cookie get to know each other', () => {
  const { initiator, acceptor, failure } = run(a, b);
  assert.equal(failure, undefined);
  assert.deepEqual([initiator?.node, initiator?.creation, initiator?.hive], ['b@127.0.0.1', 22, true]);
  assert.deepEqual([acceptor?.node, acceptor?.creation, acceptor?.hive], ['a@127.0.0.1', 11, true]);
});

test('the digest is the one of the protocol', () => {
  // erlang:md5(["cookie", "12345"])
  assert.equal(digest('cookie', 12345).toString('hex'), '5563360ee47f359fc1cb107e01052d08');
  assert.equal(digest('cookie', 2 ** 32 - 1).length, 16);
});

test('the acceptor finds out first that the cookies differ', () => {
  const { initiator, acceptor, failure } = run(a, { ...b, cookie: 'other' });
  assert.deepEqual([initiator, acceptor], [undefined, undefined]);
  assert.equal(failure?.kind, 'cookie');
  assert.match(failure!.message, /a@127.0.0.1 has another cookie/);
});

test('an acceptor that does not know the cookie cannot pretend', () => {
  const { initiator, failure } = run(a, b, {
    spoil: (packet) => (packet[0] === 0x61 ? Buffer.concat([Buffer.from('a'), digest('guess', 1)]) : packet),
  });
  assert.equal(initiator, undefined);
  assert.equal(failure?.kind, 'cookie');
});

test('a refusal, a simultaneous connect and a living connection have their own failures', () => {
  assert.equal(run(a, b, { status: 'not_allowed' }).failure?.kind, 'refused');
  assert.equal(run(a, b, { status: 'nok' }).failure?.kind, 'simultaneous');
  assert.equal(run(a, b, { status: 'alive', replacesOld: false }).failure?.kind, 'alive');
  assert.equal(run(a, b, { status: 'alive' }).initiator?.node, 'b@127.0.0.1');
  assert.equal(run(a, b, { status: 'ok_simultaneous' }).acceptor?.node, 'a@127.0.0.1');
});

test('somebody else behind the address is not taken for the node', () => {
  assert.equal(run(a, b, { expected: 'c@127.0.0.1' }).failure?.kind, 'wrong_node');
});

test('a node without the mandatory capabilities is refused', () => {
  const weaken = (packet: Buffer) => {
    const weak = Buffer.from(packet);
    weak.writeBigUInt64BE(0x4n, 1);
    return weak;
  };
  const { failure } = run(a, b, { spoil: (packet, n) => (n === 0 ? weaken(packet) : packet) });
  assert.match(failure!.message, /lacks mandatory capabilities/);
});

test('what follows the name is ignored unless it is our mark', () => {
  const strip = (packet: Buffer, n: number) =>
    n === 0 ? Buffer.concat([packet.subarray(0, -4), Buffer.from('whatever')]) : packet;
  const { acceptor } = run(a, b, { spoil: strip });
  assert.deepEqual([acceptor?.node, acceptor?.hive], ['a@127.0.0.1', false]);
});

test('damaged packets end the handshake and nothing else', () => {
  fc.assert(
    fc.property(fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 60 }), (at, bytes) => {
      const { failure } = run(a, b, { spoil: (packet, n) => (n === at ? Buffer.from(bytes) : packet) });
      assert.ok(failure === undefined || failure instanceof HandshakeError);
    }),
    { numRuns: 1000 },
  );
});
