/** The package that is released: what is in it, and that it works where there is nothing else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, describe, test } from 'node:test';
import { Installation } from '../support/installation.ts';
import { freePortsInARow } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const lacking = missing('npm');
const made = lacking ? undefined : await Installation.make();
const skip = lacking || (made ? false : 'needs the npm registry, which cannot be reached');

describe('the package', { skip }, () => {
  const installed = made!;
  const untouched = made?.snapshot();

  after(() => installed.remove());

  test('holds the program, its documentation and the examples, and nothing that a run or a developer leaves', () => {
    const tops = new Set(installed.files.map((path) => path.split('/')[0]));
    const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'config', 'dist', 'docs', 'examples', 'package.json'];
    assert.deepEqual([...tops].sort(), expected);
    const strays = installed.files.filter((path) => /(?:^|\/)(?:log|local|__pycache__)\/|\.log$|\.ts$/.test(path));
    assert.deepEqual(
      strays.filter((path) => !path.endsWith('.d.ts')),
      [],
    );
  });

  test('puts the command on the path', async () => {
    assert.deepEqual(await installed.run('hive --version'), { code: 0, output: `${manifest.version}\n` });
    assert.equal((await installed.run('hive check')).code, 0);
  });

  describe('hive demo', () => {
    test('runs the chat over two nodes, stops on Ctrl-C and leaves nothing', async () => {
      const first = await freePortsInARow(9);
      const demo = installed.start(`hive demo --port ${first}`);
      await demo.printed('Ctrl-C stops everything');
      const [page] = /http:\S+/.exec(demo.output.slice(demo.output.indexOf('The chat:'))) ?? assert.fail(demo.output);
      assert.match(await (await fetch(page)).text(), /<title>Distributed chat/);
      assert.match(await (await fetch(`${page}socket.io.min.js`)).text(), /Socket\.IO/);
      const [dashboard] = /http:\S+\/dashboard/.exec(demo.output) ?? assert.fail(demo.output);
      assert.equal((await fetch(dashboard)).status, 200);

      const nodes = (await (await fetch(`${page}nodes`)).json()) as { url: string }[];
      const [ann, bob] = (await Promise.all(
        nodes.map(({ url }, index) => SocketClient.connect(index === 0 ? '4.8 websocket' : '4.8 polling', url)),
      )) as [SocketClient, SocketClient];
      for (const [client, nick] of [[ann, 'Ann'] as const, [bob, 'Bob'] as const]) {
        client.emit('authorize', { nick });
        await client.event('authorized');
        client.emit('join_chat', { chat: 'lobby' });
        await client.event('entered');
      }
      ann.emit('publish_msg', { room: 'lobby', text: 'hello' });
      await bob.event<{ text: string }>('message', ({ text }) => text === 'hello');
      bob.emit('publish_msg', { room: 'lobby', text: 'and back' });
      await ann.event<{ text: string }>('message', ({ text }) => text === 'and back');
      await Promise.all([ann.disconnect(), bob.disconnect()]);

      await demo.interrupt();
      assert.equal(await demo.ended, 0, demo.output);
      await assert.rejects(fetch(page));
      for (const { url } of nodes) await assert.rejects(fetch(url));
      assert.deepEqual(readdirSync(installed.temporary), []);
      assert.deepEqual(readdirSync(installed.folder), []);
      assert.deepEqual(installed.snapshot(), untouched);
    });

    test('says in one line which ports are taken and how to use others, and leaves nothing', async () => {
      const first = await freePortsInARow(9);
      const server = createServer().listen(first + 5, '127.0.0.1');
      try {
        const { code, output } = await installed.run(`hive demo --port ${first}`);
        assert.equal(code, 1);
        assert.equal(
          output,
          `The demo cannot start: port ${first + 5} cannot be listened on; hive demo --port <first> uses 9 others in a row.\n`,
        );
      } finally {
        server.close();
      }
      assert.deepEqual(readdirSync(installed.temporary), []);
    });
  });
});
