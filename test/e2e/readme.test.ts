/** What the README tells a newcomer to type, typed. Its fresh clone needs the registry. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DefaultNode } from '../support/default-node.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'hive-readme-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** The README's code blocks of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(/```(\w+)\n(.*?)```/gs)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
}

describe('push to a browser with curl', { skip: missing('curl') }, () => {
  let node: DefaultNode;

  before(async () => {
    node = await DefaultNode.start();
  });

  after(() => node?.stop());

  const atTestPorts = (text: string): string =>
    text
      .replaceAll('http://127.0.0.1:8080', node.address('client', ''))
      .replaceAll('http://127.0.0.1:1235', node.address('api', ''))
      .replaceAll('http://127.0.0.1:1234', node.address('monitor', ''));

  test('the client of the README prints what its curl command publishes', async () => {
    const [program] = blocks('js');
    const publish = blocks('sh').find((block) => block.includes('pubsub/publish'))!;
    const client = spawn(process.execPath, ['--input-type=module', '-e', atTestPorts(program!)], { cwd: root });
    try {
      let output = '';
      client.stdout.on('data', (data) => {
        output += data;
      });
      for (let tries = 0; !output.includes('hello') && tries < 100; tries += 1) {
        await promisify(execFile)('sh', ['-ec', atTestPorts(publish)]);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.match(output, /^hello$/m);
    } finally {
      client.kill();
    }
  });

  test('the tree and the metrics are one GET away', async () => {
    const look = blocks('sh').find((block) => block.includes('supervision'))!;
    const { stdout } = await promisify(execFile)('sh', ['-ec', atTestPorts(look)]);
    assert.match(stdout, /^hive_root_sup .*one_for_one/m);
    assert.match(stdout, /"clients":\{/);
  });
});

/** The demo's ports are fixed: on a machine where somebody uses them it cannot be tried. */
async function demoPortsTaken(): Promise<string | false> {
  for (const port of [8080, 8079, 8081, 1235, 1234, 2234, 2235]) {
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => socket.destroy());
    });
    if (taken) return `port ${port} is in use`;
  }
  return false;
}

const busy = process.env.CI === 'true' ? false : await demoPortsTaken();
const noClone = existsSync(join(root, '.git')) ? false : 'not a git checkout';

test('the first command, in a fresh clone: the demo runs, serves a chat, and ends on Ctrl-C', {
  skip: missing('git', 'make', 'python3') || noClone || busy,
}, async () => {
  const clone = join(directory, 'clone');
  await promisify(execFile)('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
  const command = blocks('sh')
    .find((block) => block.trim() === 'make demo')!
    .trim();
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const demo = spawn('sh', ['-c', `exec ${command}`], { cwd: clone, env, detached: true });
  let output = '';
  const note = (data: Buffer): void => {
    output += data;
  };
  demo.stdout.on('data', note);
  demo.stderr.on('data', note);
  const ended = new Promise<number | null>((resolve) => demo.once('close', resolve));
  let over = false;
  void ended.then(() => {
    over = true;
  });
  try {
    // Its last word, when everything is ready.
    while (!output.includes('Ctrl-C stops everything')) {
      if (over) assert.fail(output);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [page] = /http:\/\/127\.0\.0\.1:8081\S*/.exec(output) ?? assert.fail(output);
    assert.match(await (await fetch(page)).text(), /<title>Distributed chat/);
    const [dashboard] = /http:\S+\/dashboard/.exec(output) ?? assert.fail(output);
    assert.match(await (await fetch(dashboard)).text(), /<title>Hive/);
    assert.doesNotMatch(output, /warning/i);
    const [ann, bob] = await Promise.all([
      SocketClient.connect('4.8 websocket', 'http://127.0.0.1:8080'),
      SocketClient.connect('4.8 polling', 'http://127.0.0.1:8079'),
    ]);
    for (const [client, nick] of [
      [ann, 'ann'],
      [bob, 'bob'],
    ] as const) {
      client.emit('authorize', { nick });
      await client.event('authorized');
      client.emit('join_chat', { chat: 'lobby' });
      await client.event('entered');
    }
    ann.emit('publish_msg', { room: 'lobby', text: 'hello' });
    await bob.event<{ text: string }>('message', ({ text }) => text === 'hello');
    await Promise.all([ann.disconnect(), bob.disconnect()]);
  } finally {
    // As a terminal does: to the whole group.
    if (!over) process.kill(-demo.pid!, 'SIGINT');
  }
  await ended;
  for (const port of [8080, 8079, 8081]) {
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), `port ${port} is still served`);
  }
});
