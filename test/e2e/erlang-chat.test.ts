/** The chat with the Erlang back end: a real node, a real escript, clients of both generations. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Command, Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';
import { type ClientKind, SocketClient } from '../support/socket-clients.ts';

interface Talk {
  readonly room: string;
  readonly nick: string;
  readonly text: string;
  readonly members: readonly string[];
}

describe('the chat with an Erlang back end', { skip: missing('escript', 'make') }, () => {
  let example: Example;
  let node: Command;
  let people: SocketClient[] = [];

  const startNode = async () => {
    node = await example.start(example.commands[0]!, ' is ready: ');
  };

  before(async () => {
    example = await Example.prepare('erlang-backend');
    await startNode();
    const config = readFileSync(join(example.folder, 'examples/erlang-backend/config.json'), 'utf8');
    const { hive } = JSON.parse(config) as { hive: { epmd_port: number } };
    await example.start(`env ERL_EPMD_PORT=${hive.epmd_port} ${example.commands[1]}`, ' is ready: ');
  });

  afterEach(async () => {
    await Promise.all(people.map((client) => client.disconnect()));
    people = [];
  });

  after(() => example.stop());

  async function enter(nick: string, kind: ClientKind = '4.8 websocket'): Promise<SocketClient> {
    const client = await SocketClient.connect(kind, example.clients);
    people.push(client);
    client.emit('authorize', { nick });
    await client.event('authorized');
    client.emit('join_chat', { chat: 'lobby' });
    await client.event('entered');
    return client;
  }

  test('people come, talk and go, and the page is served', async () => {
    const ann = await enter('Ann');
    const old = await enter('Öld', '0.9 websocket');
    assert.deepEqual((await ann.event<Talk>('joined', ({ nick }) => nick === 'Öld')).members, ['Ann', 'Öld']);
    old.emit('publish_msg', { room: 'lobby', text: ' Hello "\\ \n 😀' });
    assert.equal((await ann.event<Talk>('message')).text, 'Hello "\\ \n 😀');
    await old.disconnect();
    assert.deepEqual((await ann.event<Talk>('left')).members, ['Ann']);
    assert.match(await (await fetch(example.page)).text(), /<html/);
    assert.equal((await fetch(`${example.page}shared/dom.js`)).status, 200);
  });

  test('what the chat does not allow is refused', async () => {
    const ann = await enter('Ann');
    const stranger = await SocketClient.connect('4.8 polling', example.clients);
    people.push(stranger);
    const refused = (code: string) => stranger.nextEvent('refused', (value: { code: string }) => value.code === code);
    stranger.emit('join_chat', { chat: 'lobby' });
    await refused('not_authorized');
    stranger.emit('authorize', { nick: 'aNN' });
    await refused('nick_taken');
    stranger.emit('authorize', 'Bob');
    await refused('bad_nick');
    stranger.emit('authorize', { nick: 'Bob' });
    await stranger.event('authorized');
    stranger.emit('publish_msg', { room: 'lobby', text: 'Let me in' });
    await refused('not_in_room');
    ann.emit('leave_chat', { chat: 'lobby' });
    await ann.event('exited');
    ann.emit('join_chat', { chat: 'lobby' });
    await ann.nextEvent('entered');
  });

  test('who was on a node that was killed has left', async () => {
    await enter('Ann');
    await node.interrupt('SIGKILL');
    people = [];
    await startNode();
    const ann = await enter('Ann');
    assert.deepEqual((await ann.event<Talk>('joined')).members, ['Ann']);
  });
});
