/** Clients that come back to another node than that of their session. Old fault: they were recovered at their session's node only. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CutProxy } from '../support/cut-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, rawUpgrade, textFrame } from '../support/raw-client.ts';
import { ReturnCluster, remote } from '../support/return-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';

const owner = 'relay0@127.0.0.1';
const bytes = Buffer.from([0, 1, 127, 128, 255]);
const encoded = { _binary: bytes.toString('base64') };

describe('a client that comes back to another node', () => {
  let scene: ReturnCluster;

  before(async () => {
    scene = await ReturnCluster.start({ namespaces: ['/', '/side'] });
  });

  after(() => scene.stop());

  const port = (index: number) => scene.nodes[index]!.port;

  for (const [name, transports] of [
    ['a WebSocket', ['websocket']],
    ['polling', ['polling']],
    ['polling that is upgraded', ['polling', 'websocket']],
  ] as const) {
    test(`has missed nothing, and is served as ever: ${name}`, async (t) => {
      const one = await scene.client(t, undefined, { transports });
      const { client, sid } = one;
      await one.publish(0);
      await one.hasAll();

      await one.away(port(1), async () => {
        await one.publish(2, encoded);
        await one.send(1, encoded);
        await one.publish(0);
      });
      for (const at of [0, 1, 2]) {
        await one.publish(at);
        await one.send(at);
      }
      await one.hasAll();
      assert.deepEqual(
        client.heard.slice(1, 3).map(([, , data]) => data),
        [bytes, bytes],
      );
      assert.equal(await one.asks('words'), owner);
      assert.equal(await one.asks({ file: bytes }), owner);
      await remote(scene.nodes[0]!, 0, 1);
      await remote(scene.nodes[1]!, 1, 0);
      const isOver = async (transport: string) => {
        const answer = await fetch(`${scene.nodes[0]!.monitor}/clients/${sid}`);
        return ((await answer.json()) as { transport: string }).transport === transport;
      };
      await eventually(() => isOver(transports.at(-1)!), 'the owner to know the transport');
      const status = await scene.nodes[2]!.api('POST', `pubsub/subscribe/${sid}`, '["room.other"]');
      assert.equal(status.status, 200);
      await scene.nodes[1]!.api('POST', 'pubsub/publish/room.other', '{"name":"other","args":[]}');
      await eventually(() => client.heard.some(([heard]) => heard === 'other'), 'an event of a channel joined there');

      // From there to a third node, and back.
      await one.away(port(2), () => one.publish(1));
      await one.publish(0);
      await one.away(port(0), () => one.send(1));
      await one.publish(2);
      await one.hasAll();
      assert.equal(await one.asks('again'), owner);
      await remote(scene.nodes[0]!, 0, 0);
      const names = one.told.map((line) => line.split(' ')[0]);
      assert.deepEqual(names, ['on_connect', ...Array(3).fill(['on_suspend', 'on_recover']).flat()]);
      await one.leave();
    });
  }

  test('has missed nothing behind a proxy that leads every poll to another node', async (t) => {
    const spread = await RoundRobin.start(scene.nodes.map((node) => node.port));
    t.after(() => spread.stop());
    const one = await scene.client(t, Number(new URL(spread.url).port), { transports: ['polling'] });
    await one.publish(0);
    await one.hasAll();
    const owners = new Set<unknown>();
    for (const at of [0, 1, 2]) {
      await one.away(undefined, async () => {
        await one.publish(at, encoded);
        await one.send(at);
      });
      await one.publish(at);
      await one.hasAll();
      owners.add(await one.asks(at));
    }
    assert.equal(owners.size, 1);
    await one.leave();
  });

  test('has missed nothing in any namespace of its connection', async (t) => {
    const one = await scene.client(t);
    const side = one.client.socket.io.socket('/side');
    const heard: unknown[] = [];
    side.on('news', (number) => heard.push(number));
    await eventually(() => side.connected, 'the namespace');
    const { id } = side;
    const send = async (number: number) => {
      const actions = JSON.stringify([{ action: 'send', args: { name: 'news', args: [number] } }]);
      assert.equal((await scene.nodes[2]!.api('POST', `clients/action/${id}`, actions)).status, 200);
    };
    await send(1);
    await one.away(port(1), async () => {
      await send(2);
      await one.publish(0);
    });
    await send(3);
    await one.hasAll();
    await eventually(() => heard.length >= 3, 'three numbers');
    assert.deepEqual(heard, [1, 2, 3]);
    assert.deepEqual([side.recovered, side.id], [true, id]);
    await remote(scene.nodes[1]!, 2, 0);
    side.disconnect();
    await remote(scene.nodes[1]!, 1, 0);
    await one.leave();
  });

  test('finds one place only, if it comes back twice at once', async () => {
    const first = new RawSocket(scene.nodes[0]!.url + websocket);
    const { sid, pid } = await connected(first, {});
    first.close();
    const [one, other] = [1, 2].map((index) => new RawSocket(scene.nodes[index]!.url + websocket)) as [
      RawSocket,
      RawSocket,
    ];
    const answers = await Promise.all([one, other].map((socket) => connected(socket, { pid })));
    assert.deepEqual(answers, [
      { sid, pid },
      { sid, pid },
    ]);
    const lost = await eventually(() => [one, other].find(({ code }) => code !== undefined), 'the end of one');
    const kept = lost === one ? other : one;
    await scene.nodes[2]!.api('POST', `clients/action/${sid}`, '[{"action":"send","args":{"name":"news","args":[1]}}]');
    assert.match(await kept.next(), /^42\["news",1,"[^"]+"\]$/);
    await remote(scene.nodes[0]!, 0, 1);
    assert.deepEqual([kept.code, kept.messages], [undefined, []]);
    kept.close();
  });

  test('is a new one at once, if its pid is none of that node', async () => {
    const first = new RawSocket(scene.nodes[0]!.url + websocket);
    const { sid, pid } = await connected(first, {});
    const forged = pid.slice(0, -4) + (pid.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    const stranger = new RawSocket(scene.nodes[1]!.url + websocket);
    const answer = await connected(stranger, { pid: forged });
    assert.notEqual(answer.sid, sid);
    assert.equal(first.code, undefined);
    first.close();
    stranger.close();
  });

  test('and does not read is suspended by its node, and told when it comes once more', async (t) => {
    const first = new RawSocket(scene.nodes[0]!.url + websocket);
    const { sid, pid } = await connected(first, {});
    first.close();
    const slow = await rawUpgrade(port(1), websocket);
    t.after(() => slow.destroy());
    slow.pause();
    slow.write(textFrame(`40${JSON.stringify({ pid })}`));
    const much = JSON.stringify([{ action: 'send', args: { name: 'much', args: ['x'.repeat(500_000)] } }]);
    const isTold = () =>
      scene.backEnd.asked.some(
        ({ path, body }) => path === '/on_suspend' && body.includes(sid) && body.includes('too_slow'),
      );
    await eventually(async () => {
      await scene.nodes[0]!.api('POST', `clients/action/${sid}`, much);
      return isTold();
    }, 'the suspension');
    const last = new RawSocket(scene.nodes[2]!.url + websocket);
    assert.notEqual((await connected(last, { pid })).sid, sid);
    last.close();
  });

  test('comes back through a third node when the one that it has reached is stopped', async (t) => {
    const one = await scene.client(t);
    await one.away(port(1));
    await one.publish(0);
    const stopped = scene.nodes[1]!.process.stop();
    one.proxy.mend(port(2));
    await one.back();
    await one.publish(0);
    await one.hasAll();
    assert.equal(await one.asks('words'), owner);
    assert.equal((await stopped).code, 0);
    await one.leave();
  });
});

describe('a client of another node', () => {
  let link: CutProxy;
  let scene: ReturnCluster;

  before(async () => {
    // The second node reaches the first one by a way that can be cut.
    scene = await ReturnCluster.start({}, async (index, { nodes: [first] }) => {
      if (index === 0) return { cluster_nodes: [] };
      link ??= await CutProxy.start(first!.distribution);
      const { port } = new URL(link.url);
      return { cluster_nodes: index === 1 ? [`relay0@127.0.0.1:${port}`] : ['relay0@127.0.0.1', 'relay1@127.0.0.1'] };
    });
  });

  after(async () => {
    await scene.stop();
    await link.stop();
  });

  test('comes back when the link between the nodes was reset', async (t) => {
    const one = await scene.client(t);
    await one.away(scene.nodes[1]!.port);
    await one.publish(1);
    await one.hasAll();
    link.cut();
    link.mend();
    await one.publish(0);
    await one.back();
    await one.publish(0);
    await one.hasAll();
    assert.equal(await one.asks('words'), owner);
    await remote(scene.nodes[1]!, 1, 0);
    await remote(scene.nodes[0]!, 0, 1);
  });

  test('comes back through a third node when its own one has died, and is a new one when that of its session has', async (t) => {
    const one = await scene.client(t);
    await one.away(scene.nodes[1]!.port);
    await scene.nodes[1]!.process.stop('SIGKILL');
    await one.publish(2);
    one.proxy.mend(scene.nodes[2]!.port);
    await one.back();
    await one.publish(0);
    await one.hasAll();
    assert.equal(await one.asks('words'), owner);

    await scene.nodes[0]!.process.stop('SIGKILL');
    await one.client.connected(4);
    assert.deepEqual(one.client.connects, [false, true, true, false]);
    assert.notEqual(one.client.sids[3], one.sid);
  });
});

const websocket = '/socket.io/?EIO=4&transport=websocket';

/** Says so much in the connect packet. Returns what the answer says. */
async function connected(socket: RawSocket, auth: Record<string, unknown>): Promise<{ sid: string; pid: string }> {
  await socket.opened();
  await socket.next();
  socket.send(`40${JSON.stringify(auth)}`);
  return JSON.parse((await socket.next()).slice(2)) as { sid: string; pid: string };
}
