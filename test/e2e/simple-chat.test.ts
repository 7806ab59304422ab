/** The simple chat with its real node and back end: what is refused, and what outlives an end of either. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Command, Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';
import { type ClientKind, SocketClient } from '../support/socket-clients.ts';

interface Refusal {
  readonly event: string;
  readonly code: string;
}

interface Talk {
  readonly room: string;
  readonly nick: string;
  readonly text: string;
  readonly members: readonly string[];
}

describe('the simple chat', { skip: missing('python3', 'make') }, () => {
  let example: Example;
  let node: Command;
  let backend: Command;
  let people: SocketClient[] = [];

  const startNode = async () => {
    node = await example.start(example.commands[0]!, ' is ready: ');
  };
  const startBackend = async () => {
    backend = await example.start(example.commands[1]!, ' is ready: ');
  };

  before(async () => {
    example = await Example.prepare('simple-chat');
    await startNode();
    await startBackend();
  });

  afterEach(async () => {
    await Promise.all(people.map((client) => client.disconnect()));
    people = [];
  });

  after(() => example.stop());

  async function connect(kind: ClientKind = '4.8 websocket'): Promise<SocketClient> {
    const client = await SocketClient.connect(kind, example.clients);
    people.push(client);
    return client;
  }

  async function enter(nick: string, room: string, kind?: ClientKind): Promise<SocketClient> {
    const client = await connect(kind);
    client.emit('authorize', { nick });
    await client.event('authorized');
    client.emit('join_chat', { chat: room });
    await client.event('entered');
    return client;
  }

  const refusal = (client: SocketClient, code: string) =>
    client.nextEvent<Refusal>('refused', (value) => value.code === code);
  const hears = (client: SocketClient, text: string) => client.event<Talk>('message', (value) => value.text === text);

  test('clients of both generations see each other come, talk and go', async () => {
    const ann = await enter('Ann', 'lobby');
    const old = await enter('Old', 'lobby', '0.9 websocket');
    assert.deepEqual((await ann.event<Talk>('joined', ({ nick }) => nick === 'Old')).members, ['Ann', 'Old']);
    old.emit('publish_msg', { room: 'lobby', text: 'Hello' });
    assert.equal((await hears(ann, 'Hello')).nick, 'Old');
    await old.disconnect();
    assert.deepEqual((await ann.event<Talk>('left', ({ nick }) => nick === 'Old')).members, ['Ann']);
  });

  test('who has no nick gets into no room, and hears nothing of it', async () => {
    // A room of its own: the lobby may still be told of those who have just left.
    const stranger = await connect();
    stranger.emit('join_chat', { chat: 'cellar' });
    await refusal(stranger, 'not_authorized');
    stranger.emit('publish_msg', { room: 'cellar', text: 'Let me in' });
    await refusal(stranger, 'not_authorized');
    const ann = await enter('Ann', 'cellar');
    ann.emit('publish_msg', { room: 'cellar', text: 'For members' });
    await hears(ann, 'For members');
    stranger.emit('authorize', { nick: '' });
    await refusal(stranger, 'bad_nick');
    assert.deepEqual(
      stranger.received.filter(({ name }) => name !== 'refused'),
      [],
    );
  });

  test('a refused change of rooms leaves the member where it was', async () => {
    const ann = await enter('Ann', 'lobby');
    for (const event of ['join_chat', 'leave_chat']) {
      ann.emit(event, { chat: ['lobby', { not: 'a room' }] });
      assert.equal((await refusal(ann, 'bad_room')).event, event);
      ann.emit('publish_msg', { room: 'lobby', text: `after ${event}` });
      await hears(ann, `after ${event}`);
    }
    ann.emit('publish_msg', { room: 'garden', text: 'Hello' });
    await refusal(ann, 'not_in_room');
  });

  test('a nick is taken until its owner has left', async () => {
    const [ann, other] = [await enter('Ann', 'lobby'), await connect()];
    other.emit('authorize', { nick: 'aNN' });
    await refusal(other, 'nick_taken');
    ann.emit('authorize', { nick: 'Anna' });
    await refusal(ann, 'already_authorized');
    const ben = await enter('Ben', 'lobby');
    await ann.disconnect();
    await ben.event<Talk>('left', ({ nick }) => nick === 'Ann');
    await enter('Ann', 'lobby');
  });

  test('the back end may be restarted while people talk', async () => {
    const [ann, ben] = [await enter('Ann', 'lobby'), await enter('Ben', 'lobby')];
    await backend.interrupt();
    ann.emit('publish_msg', { room: 'lobby', text: 'to nobody' });
    await ann.event('hive_error');
    await startBackend();
    ann.emit('publish_msg', { room: 'lobby', text: 'Hello again' });
    await hears(ben, 'Hello again');
  });

  test('nicks of a node that was killed are free again', async () => {
    await enter('Ann', 'lobby');
    await node.interrupt('SIGKILL');
    await startNode();
    const ben = await enter('Ben', 'lobby');
    assert.deepEqual((await ben.event<Talk>('joined')).members, ['Ann', 'Ben'], 'nobody has missed Ann yet');
    const ann = await enter('Ann', 'lobby');
    assert.deepEqual((await ann.event<Talk>('joined')).members, ['Ann', 'Ben']);
  });
});
