/** A cluster that falls apart and heals, while its clients talk: afterwards it is as if nothing had been. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Namespaces, withoutNamespaces } from '../support/namespaces.ts';
import { freePorts } from '../support/ports.ts';
import { type Place, type Talker, Trio } from '../support/trio.ts';

async function started(t: TestContext, places: readonly Place[], net?: Namespaces): Promise<Trio> {
  const trio = new Trio();
  t.after(async () => {
    await trio.stop();
    net?.remove();
  });
  await trio.start(places);
  await trio.hearEachOther();
  return trio;
}

/** From now on every client gets every message once, in order; tables and counters say what is. */
async function assertWhole(trio: Trio): Promise<void> {
  const { members, talkers } = trio;
  const since = new Map<Talker, number>(talkers.map((talker) => [talker, talker.said]));
  await trio.hearEachOther();
  for (const listener of talkers) {
    for (const who of talkers) {
      const later = listener.heard.get(who.name)!.filter((n) => n > since.get(who)!);
      const expected = later.map((_, i) => since.get(who)! + 1 + i);
      assert.deepEqual(later, expected, `what ${listener.name} hears of ${who.name}`);
    }
  }
  for (const member of members) {
    const answer = await member.api('GET', 'pubsub/subscribe/ping.all?cluster=true');
    const { subscribed_clients, missing } = (await answer.json()) as { subscribed_clients: number; missing: string[] };
    assert.deepEqual([subscribed_clients, missing], [talkers.length, []]);
    assert.equal(await member.metric('hive.router.current_clients'), 2);
    assert.equal(await member.metric('pubsub.channels.ping.subscribed_clients'), 2);
  }
  // Sessions are found again, from every node on every node.
  for (const member of members) {
    for (const { socket } of talkers) {
      const told = new Promise((resolve) => socket.once('found', resolve));
      const order = { action: 'send', args: { name: 'found', args: [true] } };
      assert.equal((await member.api('POST', `clients/action/${socket.id}`, order)).status, 200);
      assert.equal(await told, true);
    }
  }
}

test('three nodes, of which one is cut off from the network, heal under load', {
  skip: withoutNamespaces(),
}, async (t) => {
  const net = new Namespaces(3);
  const seed = `node0@${net.address(0)}:9100`;
  const trio = await started(
    t,
    [0, 1, 2].map((i) => {
      const name = `node${i}@${net.address(i)}`;
      const ports = { cluster_port_min: 9100, cluster_port_max: 9100 };
      return {
        host: net.address(i),
        through: net.through(i),
        hive: { name, ...ports, cluster_nodes: i === 0 ? [] : [seed] },
      };
    }),
    net,
  );
  net.cut(0, 1);
  net.cut(0, 2);
  await trio.sees(1, 2, 2);
  await trio.hearEachOther(trio.talkersAt(0));
  await trio.hearEachOther(trio.talkersAt(1, 2));
  net.heal(0, 1);
  net.heal(0, 2);
  await trio.sees(3, 3, 3);
  await assertWhole(trio);

  // Two of three cannot see each other, and the third sees both: no side is wrong, and nothing is lost on the way to it.
  net.cut(1, 2);
  await trio.sees(3, 2, 2);
  await trio.hearEachOther(trio.talkersAt(0, 1));
  await trio.hearEachOther(trio.talkersAt(0, 2));
  net.heal(1, 2);
  await trio.sees(3, 3, 3);
  await assertWhole(trio);
});

test('a node that stood still for longer than the tick time is taken back under load', async (t) => {
  const [epmd_port] = await freePorts(1);
  const trio = await started(
    t,
    [0, 1, 2].map((i) => {
      const seeds = i === 0 ? [] : ['node0@127.0.0.1'];
      return {
        host: '127.0.0.1',
        through: [],
        hive: { name: `node${i}@127.0.0.1`, epmd_port, cluster_nodes: seeds },
      };
    }),
  );
  trio.members[2]!.process.signal('SIGSTOP');
  await trio.sees(2, 2);
  await trio.hearEachOther(trio.talkersAt(0, 1));
  trio.members[2]!.process.signal('SIGCONT');
  await trio.sees(3, 3, 3);
  await assertWhole(trio);
});
