/** The distributed chat while its parts die and come back. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ChatCluster, until } from '../support/chat-cluster.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

interface Message {
  readonly text: string;
}

describe('the distributed chat survives', { skip: missing('redis-server', 'python3') }, () => {
  let cluster: ChatCluster;
  let ann: SocketClient;
  let bob: SocketClient;
  let count = 0;

  before(async () => {
    cluster = await ChatCluster.start();
    ann = await enter('ann', 0);
    bob = await enter('bob', 0);
  });

  after(async () => {
    await Promise.all([ann, bob].map((client) => client.disconnect()));
    await cluster.stop();
  });

  async function enter(nick: string, node: number): Promise<SocketClient> {
    const client = await SocketClient.connect('4.8 websocket', cluster.url(node));
    client.emit('authorize', { nick });
    await client.event('authorized');
    client.emit('join_chat', { chat: 'lobby' });
    await client.event('entered');
    return client;
  }

  /** Repeats a message until the other one has it: while something is down, some are refused with a clear error. */
  async function chat(from: SocketClient, to: SocketClient): Promise<void> {
    await until(async () => {
      count += 1;
      const text = `message ${count}`;
      from.emit('publish_msg', { room: 'lobby', text });
      await new Promise((resolve) => setTimeout(resolve, 150));
      return to.received.some(({ name, args }) => name === 'message' && (args[0] as Message).text === text);
    }, 'a message to arrive');
  }

  function errorsOf(client: SocketClient): { error: string; description: string }[] {
    return client.received.filter(({ name }) => name === 'hive_error').map(({ args }) => args[0] as never);
  }

  test('a killed node: the others chat on, the back end falls over, and it rejoins', async () => {
    const cid = await enter('cid', 1);
    await chat(cid, ann);
    await cluster.nodes[1]!.stop('SIGKILL');
    await cid.until(() => !cid.connected, 'the loss of its node');
    await chat(ann, bob);
    await until(async () => {
      const { hive } = await cluster.monitor<{ hive: { cluster: { size: number } } }>(0, 'hive.cluster.size');
      return hive.cluster.size === 1;
    }, 'the loss to be noticed');
    await cluster.startNode(1);
    await cluster.connected();
    const dan = await enter('dan', 1);
    await chat(dan, ann);
    await chat(bob, dan);
    await dan.disconnect();
  });

  for (const seconds of [3, 15]) {
    test(`Redis down for ${seconds} s: nobody is disconnected, errors are clear, all works after`, async () => {
      const before = errorsOf(ann).length;
      await cluster.redis.stop();
      const back = Date.now() + seconds * 1000;
      while (Date.now() < back) {
        // The state is cached: a client that has it can chat on.
        await chat(ann, bob);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      assert.ok(cluster.nodes.every((node) => node.running));
      assert.ok(ann.connected && bob.connected);
      await cluster.redis.start();
      await until(
        async () => {
          const eve = await SocketClient.connect('4.8 websocket', cluster.url(1)).catch(() => undefined);
          if (!eve) return false;
          eve.emit('authorize', { nick: `eve${seconds}` });
          const welcome = await eve.event('authorized').catch(() => undefined);
          await eve.disconnect();
          return welcome !== undefined;
        },
        'new clients to be accepted',
        30_000,
      );
      await chat(bob, ann);
      for (const { error, description } of errorsOf(ann).slice(before)) assert.ok(error && description);
    });
  }

  test('the back end stopped and restarted: clients are told, nobody is disconnected, all works after', async () => {
    const before = errorsOf(ann).length;
    await cluster.stopBackend();
    ann.emit('publish_msg', { room: 'lobby', text: 'to nobody' });
    await ann.until(() => errorsOf(ann).length > before, 'an error');
    assert.ok(ann.connected && bob.connected);
    await cluster.startBackend();
    await chat(ann, bob);
    await chat(bob, ann);
  });
});
