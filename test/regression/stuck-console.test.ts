/**
 * The console was written to at once, and so a reader of it that stood still (a stopped pager, a terminal after Ctrl-S)
 * stopped the node; lines that a log could not take were dropped without a word, and those of a console that is gone not even
 * counted.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { program } from '../support/hive-process.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const module = fileURLToPath(new URL('../../src/observe/log-files.ts', import.meta.url));
/** More than a pipe and the node's own queue take together. */
const lines = 40_000;

const prelude = `
  import { openLogFiles } from ${JSON.stringify(module)};
  const lost = { value: 0 };
  const settings = { dir: null, format: 'json', file_level: 'none', console_level: 'info' };
  const files = openLogFiles(settings, { node: 'n@h' }, { lost, counted: { value: 0 } });
  const line = (number) => files.log.info('line ' + number + ' ' + 'x'.repeat(40));
`;

/** Runs a module in a process whose stderr nobody reads until the test does. */
function start(t: TestContext, source: string, stderr: 'pipe' | number = 'pipe'): ChildProcess {
  const args = ['--import', 'tsx', '--input-type=module', '-e', prelude + source];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', stderr] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** How many lines there are, and how many are said to be missing. */
function countOf(text: string): { written: number; missing: number } {
  let written = 0;
  let missing = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const { msg, node } = JSON.parse(line) as { msg: string; node: string };
    assert.equal(node, 'n@h');
    const [, count] = /^(\d+) lines of the log are missing here/.exec(msg) ?? [];
    if (count === undefined) written += 1;
    else missing += Number(count);
  }
  return { written, missing };
}

test('a node goes on while nobody reads its console, and tells there what is missing', async (t) => {
  const child = start(
    t,
    `
    for (let number = 0; number < ${lines}; number += 1) {
      line(number);
      if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    console.log('still here, lost ' + lost.value);
    process.stdin.once('data', async () => {
      await files.close();
      console.log('closed, lost ' + lost.value);
      process.exit();
    });
  `,
  );
  const said = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const first = String((await said.next()).value);
  const lost = Number(/^still here, lost (\d+)$/.exec(first)?.[1]);
  assert.ok(lost > 0, first);
  const text = read(child.stderr!);
  child.stdin!.write('end\n');
  assert.equal((await said.next()).value, `closed, lost ${lost}`);
  assert.deepEqual(countOf(await text), { written: lines - lost, missing: lost });
});

test('a process that ends by an exception writes all that waits, if somebody reads', async (t) => {
  const child = start(
    t,
    `
    process.on('uncaughtException', (error) => {
      files.log.crash('An exception that nobody has caught', { stack: error.stack });
      files.flush('last words\\n');
      process.exit(1);
    });
    for (let number = 0; number < 5000; number += 1) line(number);
    for (let number = 0; number < 60; number += 1) {
      if (!files.log.excess('a fault', 'a')) files.log.warning('a fault');
    }
    process.stdin.resume();
    setImmediate(() => { throw new Error('boom'); });
  `,
  );
  const text = await read(child.stderr!);
  const [, head, last] = /^(.*\n)(.*\n)$/s.exec(text) ?? [];
  assert.equal(last, 'last words\n');
  assert.equal(countOf(head!).written, 5000 + 50 + 1 + 1);
  assert.match(head!, /"msg":"a fault: 10 more until the node stopped"/);
  assert.match(head!, /"msg":"An exception that nobody has caught"\}\n$|Error: boom/);
});

test('a process that ends while nobody reads does end', async (t) => {
  const child = start(t, `for (let number = 0; number < 5000; number += 1) line(number); process.exit(7);`);
  // Node reads a little ahead; the rest stays in the pipe.
  child.stderr!.pause();
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 7);
});

test('lines for a console whose reader has gone are counted', async (t) => {
  const child = start(
    t,
    `
    process.stdin.once('data', () => {
      for (let number = 0; number < 5; number += 1) line(number);
      setImmediate(() => setImmediate(() => {
        console.log('lost ' + lost.value);
        process.exit();
      }));
    });
  `,
  );
  child.stderr!.destroy();
  await once(child.stderr!, 'close');
  child.stdin!.write('now\n');
  assert.equal(await read(child.stdout!), 'lost 5\n');
});

test('a console that is a file has every line', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hive-log-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'stderr');
  const child = start(
    t,
    `for (let number = 0; number < 5000; number += 1) line(number); process.exit(7);`,
    openSync(file, 'a'),
  );
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 7);
  assert.deepEqual(countOf(readFileSync(file, 'utf8')), { written: 5000, missing: 0 });
});

test('clients of a node are served while nobody reads its console', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'hive-log-'));
  let monitor = '';
  let url = '';
  const config = await writeDefaultConfig(dir, 'hive.json', ({ hive, clients, log, monitor: { port, hash } = {} }) => {
    Object.assign(log!, { dir: null, console_level: 'debug' });
    const echo = { hook: 'utils.echo', args: null };
    Object.assign(clients!.hooks as object, { echo: [{ hook: 'utils.console_dump', args: '' }, echo] });
    monitor = `http://127.0.0.1:${port}/monitor/${hash}/hive.log`;
    url = `http://127.0.0.1:${hive!.port}`;
  });
  const child = spawn(process.execPath, [program, 'run', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const [ready] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  assert.match(ready, / is ready: /);
  const client = await SocketClient.connect('4.8 websocket', url);
  // Each is a line of that size.
  const text = 'x'.repeat(100_000);
  for (let at = 0; at < 40; at += 1) {
    client.emit('echo', { at, text });
    await client.event<{ at: number }>('echo', (value) => value.at === at);
    client.received.length = 0;
  }
  const { hive } = (await (await fetch(monitor)).json()) as { hive: { log: { lost: number } } };
  assert.ok(hive.log.lost > 0);
  await client.disconnect();
  const said = read(child.stderr);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const notes = [...(await said).matchAll(/(\d+) lines of the log are missing here/g)];
  assert.ok(notes.reduce((sum, [, count]) => sum + Number(count), 0) >= hive.log.lost);
  assert.equal((await ended)[0], 0);
});

/** Runs a command on a terminal of its own that takes 4 KiB and shows nothing, and tells what its stdout says first. */
const stuckTerminal = `
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs)
print(child.stdout.readline().decode().strip(), flush=True)
child.kill()
`;

test('nor does a terminal that was stopped stop the node', { skip: missing('python3') }, async (t) => {
  const source = `for (let number = 0; number < ${lines}; number += 1) line(number); setImmediate(() => console.log('still here'));`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', prelude + source];
  const child = spawn('python3', ['-c', stuckTerminal, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  await eventually(() => said.includes('\n'), 'a word of the process', 30_000);
  assert.equal(said, 'still here\n');
});
