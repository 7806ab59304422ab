/**
 * The image of the Dockerfile: built without a container engine (scripts/image.mjs), and run like a container: a root of its
 * own that cannot be written to, as process 1, without root's rights, in a network of its own. `npm run test:image`; needs
 * root, debootstrap and a network.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { command, init } from '../../scripts/debian-root.mjs';
import { buildImage } from '../../scripts/image.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'hive-image-'));
const root = join(scratch, 'root');
const netns = `hive-image-${process.pid}`;
const keys = { HIVE_API_KEY: 'the-api-key-of-this-test', HIVE_MONITOR_KEY: 'the-monitor-key-of-this-test' };
/** The name would be completed with that of the machine, which the root does not know; a container knows its own. */
const surroundings = { ...keys, HIVE__HIVE__NAME: 'hive@127.0.0.1', HIVE_SOCKETS: 'native' };
let image;

before(() => {
  image = buildImage(root);
  execFileSync('ip', ['netns', 'add', netns]);
  execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
});

after(() => {
  spawnSync('ip', ['netns', 'del', netns]);
  rmSync(scratch, { recursive: true, force: true });
});

/** What the engine would run with these words in the container. */
function inContainer(argv, env = {}) {
  const { user, cwd } = image;
  return command(root, argv, { user, cwd, env: { ...image.env, ...env }, netns, readOnly: true });
}

/** Runs it to its end. */
function run(argv, env) {
  const [program, args] = inContainer(argv, env);
  return spawnSync(program, args, { encoding: 'utf8' });
}

/** Asks from inside; the body of the answer. */
function get(url) {
  const ask = `fetch('${url}').then(async (answer) => console.log(answer.status, await answer.text()))`;
  const { stdout, stderr } = run(['node', '-e', ask]);
  return stdout + stderr;
}

function filesUnder(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
}

test('has Node and one binary of one socket library, no npm, and nothing to compile with', () => {
  const binaries = filesUnder(join(root, 'opt/hive/node_modules')).filter(({ name }) => /^uws_.*\.node$/.test(name));
  assert.equal(binaries.length, 1, binaries.map(({ name }) => name).join());
  for (const absent of ['npm', 'npx', 'gcc', 'python3', 'tsc']) {
    assert.notEqual(run(['sh', '-c', `command -v ${absent}`]).status, 0, absent);
  }
  assert.notEqual(image.user.split(':')[0], '0');
});

test('without keys it says what is missing, and does not start', () => {
  const { status, stderr } = run([...image.entryPoint, ...image.command]);
  assert.equal(status, 1);
  assert.match(stderr, /HIVE_API_KEY is not set/);
});

test('serves its ports as process 1, with native sockets, is found healthy, and stops when told to', async (t) => {
  const [program, args] = inContainer([...image.entryPoint, ...image.command], surroundings);
  const node = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => node.kill('SIGKILL'));
  const ended = once(node, 'close');
  let stdout = '';
  let stderr = '';
  node.stdout.on('data', (data) => {
    stdout += data;
  });
  node.stderr.on('data', (data) => {
    stderr += data;
  });
  while (!stdout.includes('is ready')) {
    assert.equal(node.exitCode, null, stderr);
    await Promise.race([once(node.stdout, 'data'), ended]);
  }

  assert.match(get('http://127.0.0.1:8080/socket.io/?EIO=4&transport=polling'), /^200 0\{"sid":/);
  assert.match(get(`http://127.0.0.1:1235/api/${keys.HIVE_API_KEY}/hive/version`), /^200 \d/);
  assert.match(get(`http://127.0.0.1:1234/monitor/${keys.HIVE_MONITOR_KEY}/health`), /^200 .*"ready"/);
  assert.match(get('http://127.0.0.1:1236/ready'), /^200/);
  assert.equal(run(image.healthCheck).status, 0);
  const status = run(['hive', 'status'], surroundings);
  assert.equal(status.status, 0, status.stderr);
  assert.match(status.stdout, /ready/);

  assert.equal(image.stopSignal, 'SIGTERM');
  process.kill(init(node.pid), image.stopSignal);
  assert.deepEqual(await ended, [0, null]);
  // What is said of the configuration comes before the log: that API and monitor are open to other containers.
  const lines = stderr.trim().split('\n');
  const log = lines.filter((line) => !/^warning: .* without tls/.test(line)).map((line) => JSON.parse(line));
  assert.equal(log.at(-1).msg, 'Stopped');
  assert.notEqual(run(image.healthCheck).status, 0, 'what is not there is not healthy');
});
