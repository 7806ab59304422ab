/** What the READMEs of the smaller examples tell their readers to type. */
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

interface Pong {
  readonly from: string;
}

interface Figures {
  readonly pubsub: { readonly channels: { readonly ping: { readonly subscribed_clients: number } } };
}

describe("the commands of the examples' READMEs", { skip: missing('python3', 'make', 'curl') }, () => {
  let example: Example;
  const people: SocketClient[] = [];

  afterEach(() => Promise.all(people.splice(0).map((client) => client.disconnect())));
  afterEach(() => example.stop());

  async function client(): Promise<SocketClient> {
    const connected = await SocketClient.connect('4.8 websocket', example.clients);
    people.push(connected);
    return connected;
  }

  /** Two commands start an example, and Ctrl-C ends both. */
  async function startWithTwo(title: RegExp): Promise<() => Promise<void>> {
    const [first, second] = example.commands;
    const node = await example.start(first!, ' is ready: ');
    const page = await example.start(second!, ' is ready: ');
    assert.match(await (await fetch(example.page)).text(), title);
    return async () => {
      await page.interrupt();
      await node.interrupt();
      await assert.rejects(fetch(example.page));
      await assert.rejects(fetch(example.clients));
    };
  }

  test('run the ping: windows and the shell ping everybody, and the monitor counts', async () => {
    example = await Example.prepare('ping');
    const stop = await startWithTwo(/<title>Ping/);
    const [one, other] = [await client(), await client()];
    for (const each of [one, other]) each.emit('subscribe', 'ping.all');
    const pong = { name: 'pong', args: [{ id: '1', from: 'One' }] };
    // Both have subscribed once a ping of each has come back to it.
    for (const each of [one, other]) {
      each.emit('ping', { action: 'send_event', args: pong });
      await each.event<Pong>('pong');
    }
    const [fromShell, figures] = example.commands.slice(2);
    await example.run(fromShell!);
    for (const each of [one, other]) await each.event<Pong>('pong', ({ from }) => from === 'Shell');
    const { pubsub } = JSON.parse(await example.run(`${figures!} --silent`)) as Figures;
    assert.equal(pubsub.channels.ping.subscribed_clients, 2);
    await stop();
  });

  test('run the simple chat: a nick, a room, a message', async () => {
    example = await Example.prepare('simple-chat');
    const stop = await startWithTwo(/<title>Simple chat/);
    const [ann, ben] = [await client(), await client()];
    for (const [who, nick] of [
      [ann, 'Ann'],
      [ben, 'Ben'],
    ] as const) {
      who.emit('authorize', { nick });
      await who.event('authorized');
      who.emit('join_chat', { chat: 'lobby' });
      await who.event('entered');
    }
    ben.emit('publish_msg', { room: 'lobby', text: 'Hello' });
    const { nick, text } = await ann.event<{ nick: string; text: string }>('message');
    assert.deepEqual([nick, text], ['Ben', 'Hello']);
    await stop();
  });

  for (const name of ['ping', 'simple-chat']) {
    test(`run the ${name} example with make ${name}, and say which port is taken when it runs already`, async () => {
      example = await Example.prepare(name);
      const demo = await example.start(`make ${name}`, 'Ctrl-C stops everything');
      assert.ok((await fetch(example.page)).ok);
      await assert.rejects(
        example.run(`make ${name}`),
        /a node called \w+ runs on this machine already[\s\S]*is wanted by/,
      );
      await demo.interrupt();
      await eventually(
        () =>
          fetch(example.page).then(
            () => false,
            () => true,
          ),
        'the end of the page',
      );
      await assert.rejects(fetch(example.clients));
    });
  }
});
