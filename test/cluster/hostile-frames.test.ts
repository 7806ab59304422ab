import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { encodeTerm } from '../../src/distribution/codec/encoder.ts';
import { atom, Pid, Reference, Tuple, tuple } from '../../src/distribution/codec/terms.ts';
import { initiate } from '../../src/distribution/negotiate.ts';
import { tcp } from '../../src/distribution/sockets.ts';
import { ask, cookie, spawnProbe, startEpmd, startTestNode, type TestNode, until } from '../support/cluster.ts';
import { fc } from '../support/properties.ts';
import { anyTerm } from '../support/terms.ts';

/** A peer that has passed the handshake and now sends these bytes as one frame. */
async function sendFrame(victim: TestNode, frame: Buffer): Promise<void> {
  const socket = await tcp.connect('127.0.0.1', victim.distribution.port, 1000);
  const self = { node: 'evil@127.0.0.1', creation: 666, cookie };
  await initiate(socket, { self, headerSize: 2, maxFrame: 1000 }, victim.kernel.node, () => true);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(frame.length);
  socket.end(Buffer.concat([head, frame]));
  socket.resume();
  const before = victim.downs.length;
  await until(() => victim.downs.length > before, 'nodedown');
}

async function survives(t: TestContext, frames: fc.Arbitrary<Buffer>, numRuns: number): Promise<void> {
  const epmdPort = await startEpmd(t);
  const victim = await startTestNode(t, 'victim@127.0.0.1', { epmdPort });
  const friend = await startTestNode(t, 'friend@127.0.0.1', { epmdPort });
  await friend.distribution.connect('victim@127.0.0.1');
  await spawnProbe(victim.kernel, 'echo');
  await fc.assert(
    fc.asyncProperty(frames, async (frame) => {
      await sendFrame(victim, frame);
      // Either it was a legal frame, or it was refused for what is wrong with it; never a bug of ours.
      const { reason } = victim.downs[victim.downs.length - 1]!;
      assert.match(reason, /^connection_(closed|reset)$|^bad_frame: .+ at (byte \d+|the control message|the start)/);
    }),
    { numRuns },
  );
  assert.equal(await ask(friend.kernel, friend.kernel.remote(victim.kernel.node, 'echo'), 'alive'), 'alive');
}

test('random frames end their own connection at most', async (t) => {
  const frames = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from([112, 131, ...bytes]));
  await survives(
    t,
    fc.oneof(
      frames,
      fc.uint8Array({ minLength: 1, maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    ),
    150,
  );
});

test('a small frame that unfolds to more than a frame may have ends its connection, and costs no memory', async (t) => {
  const epmdPort = await startEpmd(t);
  const victim = await startTestNode(t, 'victim@127.0.0.1', { epmdPort, maxFrameBytes: 70_000 });
  const { probe } = await spawnProbe(victim.kernel, 'sink');
  const to = encodeTerm(tuple(6, new Pid('evil@127.0.0.1', 1, 0, 666), atom(''), atom('sink')));
  for (const length of [60_000, 80_000]) {
    const plain = encodeTerm(Buffer.alloc(length)).subarray(1);
    const head = Buffer.from([131, 80, 0, 0, 0, 0]);
    head.writeUInt32BE(plain.length, 2);
    await sendFrame(victim, Buffer.concat([Buffer.of(112), to, head, deflateSync(plain)]));
  }
  assert.deepEqual(
    probe.messages.map((message) => (message as Buffer).length),
    [60_000],
  );
  assert.match(victim.downs[1]!.reason, /^bad_frame: a compressed term of 80\d{3} bytes is too large/);
});

test('control messages of wrong shape end their own connection at most', async (t) => {
  const evil = new Pid('evil@127.0.0.1', 1, 0, 666);
  const part = fc.oneof(
    anyTerm,
    fc.constant(evil),
    fc.constantFrom('echo', 'net_kernel', 'hive_members', 'nobody').map(atom),
    fc.constant(new Reference('victim@127.0.0.1', 1, [1, 2, 3])),
  );
  const call = anyTerm.map((message) => tuple(atom('$gen_call'), tuple(evil, atom('tag')), message));
  const frames = fc
    .tuple(fc.integer({ min: 0, max: 37 }), fc.array(part, { maxLength: 5 }), fc.oneof(call, anyTerm))
    .map(([op, parts, message]) =>
      Buffer.concat([Buffer.of(112), encodeTerm(new Tuple([op, ...parts])), encodeTerm(message)]),
    );
  await survives(t, frames, 200);
});

test('a small frame that unfolds to ten million empty lists ends its connection at once', async (t) => {
  // It was a hundred million of them in 0.1 MB, and the node was away for 40 seconds.
  const count = 10_000_000;
  const plain = Buffer.alloc(count + 6, 106);
  plain[0] = 108;
  plain.writeUInt32BE(count, 1);
  const head = Buffer.from([131, 80, 0, 0, 0, 0]);
  head.writeUInt32BE(plain.length, 2);
  const to = encodeTerm(tuple(6, new Pid('evil@127.0.0.1', 1, 0, 666), atom(''), atom('sink')));
  const frame = Buffer.concat([Buffer.of(112), to, head, deflateSync(plain)]);
  assert.ok(frame.length < 100_000);
  const epmdPort = await startEpmd(t);
  const victim = await startTestNode(t, 'victim@127.0.0.1', { epmdPort });
  const { probe } = await spawnProbe(victim.kernel, 'sink');
  await sendFrame(victim, frame);
  assert.match(victim.downs[0]!.reason, /^bad_frame: more than 4194304 elements at byte \d+$/);
  assert.deepEqual(probe.messages, []);
});
