/** Two hundred clients of every kind chat behind a round-robin proxy; then the owner of some is killed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import { eventually, next } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';
import { RelayCluster } from '../support/relay-cluster.ts';
import { RoundRobin } from '../support/round-robin.ts';
import { type ClientKind, SocketClient } from '../support/socket-clients.ts';

/** How long they chat; long where nobody waits. */
const chatMs = process.env.CI ? 30_000 : 5000;
const crowd: readonly (readonly [ClientKind, number])[] = [
  ['4.8 polling', 70],
  ['0.9 xhr-polling', 30],
  ['4.8 websocket', 50],
  ['0.9 websocket', 25],
  ['4.8 upgrade', 25],
];
const unknownSessions = ['Session ID unknown', '7:::1+0'];

interface Said {
  readonly from: number;
  readonly n: number;
}

describe('a crowd behind a round-robin proxy', () => {
  let cluster: RelayCluster;
  let proxy: RoundRobin;

  before(async () => {
    cluster = await RelayCluster.start(3, { reconnect_timeout: 60_000 });
    proxy = await RoundRobin.start(cluster.nodes.map(({ port }) => port));
    for (const text of unknownSessions) proxy.watchFor(text);
  });

  after(async () => {
    await proxy.stop();
    await cluster.stop();
  });

  test('every message reaches everybody exactly once and in order', async (t) => {
    const kinds = crowd.flatMap(([kind, count]) => Array.from({ length: count }, () => kind));
    const clients: SocketClient[] = [];
    t.after(() => Promise.all(clients.map((client) => client.disconnect())));
    for (let at = 0; at < kinds.length; at += 20) {
      const some = kinds.slice(at, at + 20).map((kind) => SocketClient.connect(kind, proxy.url));
      clients.push(...(await Promise.all(some)));
    }
    for (const client of clients) client.emit('join', 'room');
    for (const client of clients) await client.event('joined');
    const heard = clients.map((client) => client.received.length);
    const counts = clients.map(() => 0);
    let total = 0;
    for (const deadline = Date.now() + chatMs; Date.now() < deadline; ) {
      for (let speaker = 0; speaker < 4; speaker += 1) {
        const from = (total * 37) % clients.length;
        for (let line = 0; line < 2; line += 1) {
          clients[from]!.emit('say', { name: 'said', args: [{ from, n: counts[from]! }] });
          counts[from]! += 1;
          total += 1;
        }
      }
      for (const [index, client] of clients.entries()) {
        await client.until(() => client.received.length - heard[index]! >= total, `message ${total}`);
      }
    }
    for (const [index, client] of clients.entries()) {
      const said = client.received.slice(heard[index]);
      assert.equal(said.length, total, `${client.kind} got as much as was said`);
      const nextOf = clients.map(() => 0);
      for (const { from, n } of said.map(({ args }) => args[0] as Said)) {
        assert.equal(n, nextOf[from], `${client.kind} hears ${from} in order`);
        nextOf[from]! += 1;
      }
    }
    assert.ok(total > 0);
    for (const text of unknownSessions) assert.equal(proxy.seen(text), 0, text);
  });

  test('an owner that does not listen costs the clients that send to it, and nobody else', async () => {
    const [owner, entry] = [cluster.nodes[0]!, cluster.nodes[1]!];
    const { sid } = JSON.parse((await request(`${owner.url}/socket.io/?EIO=4&transport=polling`)).body.slice(1)) as {
      sid: string;
    };
    const path = `/socket.io/?EIO=4&transport=websocket&sid=${sid}`;
    const sender = await new RawSocket(entry.url + path).opened();
    sender.send('2probe');
    assert.equal(await sender.next(), '3probe');
    owner.process.signal('SIGSTOP');
    try {
      const message = `4${'x'.repeat(500_000)}`;
      await eventually(() => {
        sender.send(message);
        return sender.code !== undefined;
      }, 'the end of the sender');
      assert.equal(sender.code, 1008);
      assert.equal(await entry.metric('clients.transports.overruns'), 1);
      const other = await SocketClient.connect('4.8 websocket', entry.url);
      other.emit('echo', 1);
      assert.equal(await other.event('echo'), 1);
      await other.disconnect();
    } finally {
      owner.process.signal('SIGCONT');
    }
    await eventually(async () => (await owner.metric('hive.relay.owned')) === 0, 'the end of the stream');
  });

  test('the owner is killed: a waiting poll is answered at once, and clients start anew', async (t) => {
    const [owner, entry] = [cluster.nodes[0]!, cluster.nodes[1]!];
    const polling = '/socket.io/?EIO=4&transport=polling';
    const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
    const poll = request(`${entry.url + polling}&sid=${sid}`);
    const clients = [['polling'], ['websocket']].map((transports) =>
      io(proxy.url, { transports, forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 50 }),
    );
    t.after(() => {
      for (const client of clients) client.disconnect();
    });
    await Promise.all(clients.map((client) => next(client as never, 'connect')));
    await eventually(async () => (await entry.metric('hive.relay.entries')) > 0, 'the poll');
    await owner.process.stop('SIGKILL');
    proxy.remove(owner.port);
    const { status, body } = await poll;
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(body), { code: 1, message: 'Session ID unknown' });
    assert.equal((await request(`${entry.url + polling}&sid=${sid}`)).status, 400);
    for (const client of clients) {
      const echo = () => client.timeout(2000).emitWithAck('echo', 7);
      await eventually(() => client.connected && echo().catch(() => undefined), 'the reconnection');
      client.disconnect();
    }
  });
});
