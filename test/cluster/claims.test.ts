/**
 * Strangers who claim to be a node and do not know the cookie. Such a claim ended the live connection of a node that did not
 * answer for a second, took the place of a connection that was being made, and kept this node from dialling the real one.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { Initiator } from '../../src/distribution/handshake.ts';
import { initiate } from '../../src/distribution/negotiate.ts';
import {
  ask,
  spawnProbe,
  startEpmd,
  startMemberProcess,
  startTestNode,
  type TestNode,
  until,
} from '../support/cluster.ts';

/** Goes through the handshake under that name as far as it gets without the cookie. */
async function claim(name: string, at: TestNode, creation = 7): Promise<Error | undefined> {
  const socket = connect(at.distribution.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const self = { node: name, creation, cookie: 'a guess' };
  const outcome = initiate(socket, { self, headerSize: 2, maxFrame: 1000 }, at.kernel.node, () => true);
  return outcome.then(
    () => undefined,
    (error: Error) => error,
  );
}

/** Says only the name: the first packet of that handshake. */
async function stall(name: string, at: TestNode): Promise<Socket> {
  const socket = connect(at.distribution.port, '127.0.0.1');
  socket.on('error', () => {});
  const packet = new Initiator({ node: name, creation: 7, cookie: 'a guess' }, at.kernel.node, () => true).start();
  socket.write(Buffer.concat([Buffer.of(0, packet.length), packet]));
  // The status: it was let in as far as that.
  await once(socket, 'data');
  return socket;
}

test('a claim without the cookie does not touch the connection of a node that stands still', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startMemberProcess(t, 'b@127.0.0.1', epmdPort, []);
  await a.distribution.connect('b@127.0.0.1');
  b.kill('SIGSTOP');
  const [first, second] = await Promise.all([claim('b@127.0.0.1', a), claim('b@127.0.0.1', a, a.ups[0]!.creation)]);
  assert.match(`${first} ${second}`, /cookie.*cookie/);
  assert.deepEqual(a.downs, []);
  b.kill('SIGCONT');
  await spawnProbe(a.kernel);
  await a.distribution.connect('b@127.0.0.1');
  assert.equal((await a.distribution.nodes()).length, 1);
  assert.deepEqual([a.ups.length, a.downs.length], [1, 0]);
});

test('a node is dialled though somebody else claims its name and says no more', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const c = await startTestNode(t, 'c@127.0.0.1', { epmdPort });
  for (const [one, other] of [
    [a, c],
    [c, a],
  ] as const) {
    const socket = await stall(other.kernel.node, one);
    t.after(() => socket.destroy());
    await one.distribution.connect(other.kernel.node);
    await until(() => other.ups.length === one.ups.length, 'nodeup');
    one.distribution.disconnect(other.kernel.node);
    await until(() => other.downs.length === other.ups.length, 'nodedown');
  }
});

test('nodes connect, simultaneously or not, in spite of a crowd that claims their names', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await spawnProbe(b.kernel, 'echo');
  let over = false;
  const crowd = [a, b].flatMap((victim) =>
    Array.from({ length: 5 }, async () => {
      const name = victim === a ? 'b@127.0.0.1' : 'a@127.0.0.1';
      for (let n = 0; !over; n += 1) await claim(name, victim, n % 2 === 0 ? n : undefined);
    }),
  );
  for (let round = 1; round <= 20; round += 1) {
    const dials = [a.distribution.connect('b@127.0.0.1', b.distribution.port)];
    if (round % 2 === 0) dials.push(b.distribution.connect('a@127.0.0.1', a.distribution.port));
    await Promise.all(dials);
    assert.equal(await ask(a.kernel, a.kernel.remote(b.kernel.node, 'echo'), round), round);
    a.distribution.disconnect('b@127.0.0.1');
    await until(() => a.downs.length === round && b.downs.length === round, `nodedown of round ${round}`);
  }
  over = true;
  await Promise.all(crowd);
  assert.deepEqual([a.ups.length, b.ups.length], [20, 20]);
});
