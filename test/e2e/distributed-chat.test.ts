/** The walk that this project began with: two nodes, Redis, a Python back end, every kind of client. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { ChatCluster, type Keeping, until } from '../support/chat-cluster.ts';
import { missing } from '../support/programs.ts';
import { clientKinds, SocketClient } from '../support/socket-clients.ts';

interface Message {
  readonly room: string;
  readonly nick: string;
  readonly text: string;
}

function talks(keeping: Keeping): void {
  let cluster: ChatCluster;
  let redis: Redis;
  /** One client of each kind on each node. */
  const people: { nick: string; client: SocketClient }[] = [];

  before(async () => {
    cluster = await ChatCluster.start(keeping);
    redis = new Redis({ port: cluster.redis.port });
  });

  after(async () => {
    await Promise.all(people.map(({ client }) => client.disconnect()));
    redis.disconnect();
    await cluster.stop();
  });

  /** The nicks in the states of all sessions, as JSON. */
  const states = async () => {
    const keys = await redis.keys(keeping === 'durable' ? '*:sessions' : '*:state:*');
    const all = await Promise.all(keys.map((key) => redis.hgetall(key)));
    if (keeping !== 'durable') return all.map((state) => state.nick).sort();
    // `owner|epoch|contents`; see src/sessions/durable/keys.ts.
    const records = all
      .flatMap((sessions) => Object.values(sessions))
      .map((text) => text.split('|').slice(2).join('|'));
    return records.map((text) => JSON.stringify((JSON.parse(text) as { s: { nick: string } }).s.nick)).sort();
  };

  test('authorises clients of every kind on both nodes', async () => {
    for (const node of [0, 1]) {
      for (const kind of clientKinds) {
        const client = await SocketClient.connect(kind, cluster.url(node));
        const nick = `${kind} on ${node + 1}`.replaceAll(/[^a-z0-9]+/gi, '-');
        people.push({ nick, client });
        client.emit('authorize', { nick });
        assert.deepEqual(await client.event('authorized'), { nick });
      }
    }
  });

  test('keeps their state in Redis while they are connected', async () => {
    await until(async () => (await states()).length === people.length, 'all states');
    assert.deepEqual(await states(), people.map(({ nick }) => JSON.stringify(nick)).sort());
  });

  test('refuses a nick that is taken, whichever node its owner is on', async () => {
    const late = await SocketClient.connect('4.8 websocket', cluster.url(1));
    late.emit('authorize', { nick: people[0]!.nick });
    const refused = await late.event<{ code: string }>('refused');
    assert.equal(refused.code, 'nick_taken');
    await late.disconnect();
  });

  test('lets everybody join a room and tells those who are in it', async () => {
    for (const { client, nick } of people) {
      client.emit('join_chat', { chat: 'lobby' });
      await client.event('entered');
      await people[0]!.client.event<{ nick: string }>('joined', (joined) => joined.nick === nick);
    }
  });

  test('brings every message to every member on both nodes, once', async () => {
    for (const { client, nick } of people) client.emit('publish_msg', { room: 'lobby', text: `hello from ${nick}` });
    for (const { client } of people) {
      for (const { nick } of people) {
        const message = await client.event<Message>('message', ({ nick: from }) => from === nick);
        assert.equal(message.text, `hello from ${nick}`);
      }
    }
    for (const { client } of people) {
      assert.equal(client.received.filter(({ name }) => name === 'message').length, people.length);
    }
  });

  test('stops sending to those who have left', async () => {
    const [leaver, other] = [people[0]!, people[7]!];
    leaver.client.emit('leave_chat', { chat: 'lobby' });
    await leaver.client.event('exited');
    await other.client.event<{ nick: string }>('left', ({ nick }) => nick === leaver.nick);
    const heard = () => leaver.client.received.filter(({ name }) => name === 'message').length;
    const before = heard();
    other.client.emit('publish_msg', { room: 'lobby', text: 'are you still there?' });
    for (const { client, nick } of people.slice(1)) {
      await client.event<Message>('message', ({ text }) => text === 'are you still there?');
      assert.ok(client.connected, nick);
    }
    assert.equal(heard(), before);
  });

  test('tells the room when somebody disconnects, and forgets the state', async () => {
    const gone = people.splice(4, 1)[0]!;
    await gone.client.disconnect();
    for (const { client } of people.slice(1))
      await client.event<{ nick: string }>('left', ({ nick }) => nick === gone.nick);
    await until(async () => (await states()).length === people.length, 'the state to go');
    const reborn = await SocketClient.connect('4.8 polling', cluster.url(0));
    reborn.emit('authorize', { nick: gone.nick });
    assert.deepEqual(await reborn.event('authorized'), { nick: gone.nick });
    people.push({ nick: gone.nick, client: reborn });
  });

  test('leaves nothing in Redis when all are gone', async () => {
    await Promise.all(people.splice(0).map(({ client }) => client.disconnect()));
    await until(async () => (await states()).length === 0, 'the end of all sessions');
    await Promise.all(cluster.nodes.map((node) => node.stop()));
    // The old fault: what the nodes had sent to clients that may return stayed there for ever.
    const secret = 'hive:distributed_chat_example:secret';
    assert.deepEqual(await redis.keys('*'), keeping === 'durable' ? [secret] : []);
  });
}

const skip = missing('redis-server', 'python3');

describe('the distributed chat', { skip }, () => talks('durable'));
describe('the distributed chat, with state alone in Redis', { skip }, () => talks('sm.redis'));
