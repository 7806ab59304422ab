/**
 * What clients send to a node that does not own their sessions. Bodies went out before the owner knew the session, without
 * credit, so that a stranger filled the queue between two nodes and the link was dropped, and with it all relayed clients:
 * seven times in eight seconds.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';
import { RelayCluster, type RelayNode } from '../support/relay-cluster.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const websocket = '/socket.io/?EIO=4&transport=websocket';
const attackMs = 4000;

/** The sid of a new session whose connect packet was sent. */
async function session(owner: RelayNode): Promise<string> {
  const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
  await request(`${owner.url + polling}&sid=${sid}`, { method: 'POST', body: '40' });
  await request(`${owner.url + polling}&sid=${sid}`);
  return sid;
}

/** A client of `owner` whose WebSocket is at `entry`. */
async function relayed(owner: RelayNode, entry: RelayNode): Promise<RawSocket> {
  const socket = await new RawSocket(`${entry.url + websocket}&sid=${await session(owner)}`).opened();
  socket.send('2probe');
  assert.equal(await socket.next(), '3probe');
  socket.send('5');
  socket.answerPings();
  return socket;
}

/** Sends requests of these bytes over `connections` of them until told to stop, each when the last one is answered or refused. */
function flood(port: number, bytes: Buffer, connections: number): () => Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  let stopped = false;
  const open = (): void => {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    socket.write(bytes);
    socket.once('data', (data) => {
      const status = data.toString('latin1', 9, 12);
      answers[status] = (answers[status] ?? 0) + 1;
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.once('close', () => {
      sockets.delete(socket);
      if (!stopped) open();
    });
  };
  const sockets = new Set<Socket>();
  for (let n = 0; n < connections; n += 1) open();
  return async () => {
    stopped = true;
    for (const socket of sockets) socket.destroy();
    return answers;
  };
}

function post(path: string, body: Buffer, headers = ''): Buffer {
  return Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n`),
    body,
  ]);
}

describe('a flood at a node that does not own the sessions', () => {
  let cluster: RelayCluster;
  let entry: RelayNode;
  let owner: RelayNode;
  let client: RawSocket;

  before(async () => {
    cluster = await RelayCluster.start(2);
    [entry, owner] = cluster.nodes as [RelayNode, RelayNode];
    client = await relayed(owner, entry);
  });

  after(() => cluster.stop());

  /** How many echoes came back, one after the other, while it lasted. */
  const echoesDuring = async (attack: () => () => Promise<Record<string, number>>) => {
    const stop = attack();
    let echoes = 0;
    for (const end = performance.now() + attackMs; performance.now() < end; echoes += 1) {
      client.send(`42["echo",${echoes}]`);
      assert.equal(await client.next(), `42["echo",${echoes}]`);
    }
    const answers = await stop();
    assert.equal(client.code, undefined, 'the relayed client is connected');
    for (const node of [entry, owner]) {
      assert.equal(await node.metric('hive.cluster.size'), 2);
      assert.equal(await node.metric('hive.relay.lost'), 0, 'no link was dropped');
    }
    return { echoes, answers };
  };

  test('costs a relayed client no echo and the cluster no link, whatever is sent for sessions that are made up', async () => {
    const control = await echoesDuring(() => async () => ({}));
    const sid = await session(owner);
    const madeUp = sid.slice(0, -4) + (sid.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    const path = `${polling}&sid=${madeUp}`;
    for (const [size, headers] of [
      [1_000_000, ''],
      [16_000, ''],
      [0, `x: ${'y'.repeat(3500)}\r\n`],
    ] as const) {
      const bytes = post(path, Buffer.alloc(size, 'x'), headers);
      const { echoes, answers } = await echoesDuring(() => flood(entry.port, bytes, 100));
      assert.ok((answers['400'] ?? 0) > 0, `answers: ${JSON.stringify(answers)}`);
      assert.ok(echoes > 10, `${echoes} echoes, ${control.echoes} without the flood`);
    }
  });
});

describe('a node that stands still for a moment, in a cluster with small queues', () => {
  const queue = 8 * 1024 * 1024;
  const large = 'x'.repeat(50_000);
  let cluster: RelayCluster;
  let entry: RelayNode;
  let owner: RelayNode;
  let bystander: RawSocket;

  before(async () => {
    cluster = await RelayCluster.start(2, {}, { cluster_max_queue: queue });
    [entry, owner] = cluster.nodes as [RelayNode, RelayNode];
    bystander = await relayed(owner, entry);
  });

  after(async () => {
    for (const { process } of cluster.nodes) process.signal('SIGCONT');
    await cluster.stop();
  });

  const assertWhole = async () => {
    bystander.send('42["echo","still here"]');
    await eventually(() => bystander.messages.includes('42["echo","still here"]'), 'the echo of the bystander');
    bystander.messages.length = 0;
    for (const node of [entry, owner]) {
      assert.equal(await node.metric('hive.cluster.size'), 2);
      assert.equal(await node.metric('hive.relay.lost'), 0, 'no link was dropped');
    }
    assert.equal(await entry.metric('hive.relay.waiting_bytes'), 0);
  };

  test('is not cut off by what relayed WebSockets send it together: those who send too much are closed', async () => {
    const crowd = await Promise.all(Array.from({ length: 20 }, () => relayed(owner, entry)));
    owner.process.signal('SIGSTOP');
    for (let n = 0; n < 20; n += 1) for (const socket of crowd) socket.send(`42["echo","${large}"]`);
    await eventually(() => crowd.some(({ code }) => code !== undefined), 'a socket to be closed');
    assert.ok((await entry.metric('hive.relay.waiting_bytes')) < queue / 2);
    assert.ok((await entry.metric('hive.distribution.queued_bytes')) < queue / 2);
    owner.process.signal('SIGCONT');
    await assertWhole();
    const codes = new Set(crowd.map(({ code }) => code));
    codes.delete(undefined);
    assert.deepEqual([...codes], [1013]);
    assert.ok((await entry.metric('clients.transports.overruns')) > 0);
    for (const socket of crowd) socket.close();
    await eventually(async () => (await owner.metric('hive.relay.owned')) === 1, 'the end of the others');
  });

  test('gets bodies when it goes on, and until then no more of them is read', async () => {
    const sids = await Promise.all(Array.from({ length: 20 }, () => session(owner)));
    owner.process.signal('SIGSTOP');
    const body = `42["echo","${'x'.repeat(900_000)}"]`;
    const posts = sids.map((sid) => request(`${entry.url + polling}&sid=${sid}`, { method: 'POST', body }));
    await eventually(async () => {
      const refused = await entry.metric('clients.transports.http.5XX');
      return (await entry.metric('hive.relay.entries')) + refused === 21;
    }, 'the posts at the entry');
    assert.ok((await entry.metric('hive.distribution.queued_bytes')) < queue / 2);
    owner.process.signal('SIGCONT');
    const statuses = (await Promise.all(posts)).map(({ status }) => status);
    assert.ok(statuses.includes(200) && statuses.every((status) => status === 200 || status === 503), String(statuses));
    await assertWhole();
  });

  test('is not cut off by what relayed clients are sent together', async () => {
    const crowd = await Promise.all(Array.from({ length: 40 }, () => relayed(owner, entry)));
    const speaker = await new RawSocket(owner.url + websocket).opened();
    await speaker.next();
    speaker.send('40');
    await speaker.next();
    for (const socket of [speaker, ...crowd]) {
      socket.answerPings();
      socket.send('42["join","room"]');
      await eventually(() => socket.messages.includes('42["joined"]'), 'the room');
    }
    entry.process.signal('SIGSTOP');
    for (let n = 0; n < 20; n += 1) speaker.send(`42["say",{"name":"said","args":["${large}"]}]`);
    await eventually(() => speaker.messages.filter((text) => text.startsWith('42["said"')).length === 20, 'all of it');
    assert.ok((await owner.metric('hive.distribution.queued_bytes')) < queue / 2);
    entry.process.signal('SIGCONT');
    await assertWhole();
    await eventually(
      () => crowd.every(({ code, messages }) => code !== undefined || messages.length >= 21),
      'everything at all who can keep up',
    );
    for (const socket of [speaker, ...crowd]) socket.close();
  });
});
