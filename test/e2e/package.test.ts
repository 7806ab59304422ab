/** The package that is released: what is in it, and that it works where there is nothing else. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/installation.ts';
import { freePorts, freePortsInARow } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const lacking = missing('npm', 'curl');
const made = lacking ? undefined : await Installation.make();
const skip = lacking || (made ? false : 'needs the npm registry, which cannot be reached');

describe('the package', { skip }, () => {
  const installed = made!;
  const untouched = made?.snapshot();

  after(() => installed.remove());

  test('holds the program, its documentation and the examples, and nothing that a run or a developer leaves', () => {
    const tops = new Set(installed.files.map((path) => path.split('/')[0]));
    const expected = 'CHANGELOG.md LICENSE README.md clients config deploy dist docs examples package.json';
    assert.equal([...tops].sort().join(' '), expected);
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

  describe('hive init', () => {
    test('writes what checks without a word, runs, and has keys of its own', async (t) => {
      const { code, output } = await installed.run('hive init first');
      t.after(() => rmSync(join(installed.folder, 'first'), { recursive: true }));
      assert.equal(code, 0, output);
      assert.match(output, /^first\/hive\.json is written/);
      const file = join(installed.folder, 'first/hive.json');
      assert.equal(statSync(file).mode & 0o077, 0);
      assert.deepEqual(await installed.run('hive check first/hive.json'), {
        code: 0,
        output: 'first/hive.json can be used.\n',
      });
      await installed.run('hive init first/other.json');
      const keys = [file, join(installed.folder, 'first/other.json')].flatMap((path) => {
        const { api, monitor } = JSON.parse(readFileSync(path, 'utf8')) as Record<'api' | 'monitor', { hash: string }>;
        return [api.hash, monitor.hash];
      });
      assert.equal(new Set(keys).size, 4);
      assert.ok(keys.every((key) => key.length >= 32));

      const [epmd, cluster] = await freePorts(2);
      const moved = { 'hive.epmd_port': epmd, 'hive.cluster_port_min': cluster, 'hive.cluster_port_max': cluster };
      const free = { ...moved, 'hive.port': 0, 'api.port': 0, 'monitor.port': 0, 'log.dir': 'null' };
      const options = Object.entries(free).map(([key, value]) => `--set ${key}=${value}`);
      const node = installed.start(`hive run first/hive.json ${options.join(' ')}`);
      await node.printed(' is ready: ');
      const address = (server: string) => new RegExp(`${server} (http:\\S+?),?\\s`).exec(node.output)?.[1] ?? '';
      const client = await SocketClient.connect('4.8 websocket', address('clients').replace('0.0.0.0', '127.0.0.1'));
      client.emit('subscribe', { news: 'all' });
      const [, push] = /(curl .*)\n/.exec(output) ?? assert.fail(output);
      const published = push!.replace('http://127.0.0.1:1235', address('api'));
      // Whoever has subscribed by then gets it.
      await eventually(async () => {
        await installed.run(published);
        return client.received.some(({ name, args }) => name === 'hello' && args[0] === 'world');
      }, 'the event that curl publishes');
      const [dashboard] = /http:\S+dashboard/.exec(output) ?? assert.fail(output);
      const answer = await fetch(dashboard.replace('http://127.0.0.1:1234', address('monitor')));
      assert.equal(answer.status, 200);
      await client.disconnect();
      await node.interrupt();
      assert.equal(await node.ended, 0, node.output);
      assert.doesNotMatch(node.output, /WARNING|ERROR|warning:/);
    });

    test('leaves a file that is there as it is', async (t) => {
      const file = join(installed.folder, 'hive.json');
      writeFileSync(file, 'mine');
      t.after(() => rmSync(file));
      for (const place of ['', '.', 'hive.json']) {
        const { code, output } = await installed.run(`hive init ${place}`);
        assert.deepEqual([code, output], [1, 'file_error: hive.json is there already; it stays as it is.\n']);
      }
      assert.equal(readFileSync(file, 'utf8'), 'mine');
      const nowhere = await installed.run('hive init hive.json/below');
      assert.match(nowhere.output, /^file_error: .*\n$/);
      assert.equal(nowhere.code, 1);
    });
  });

  describe('hive demo', () => {
    test('runs the chat over two nodes, stops on Ctrl-C and leaves nothing', async () => {
      const first = await freePortsInARow(9);
      const demo = installed.start(`env HIVE__HIVE__PORT=1 hive demo --port ${first}`);
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
