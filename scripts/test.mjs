/**
 * Runs the tests: `node scripts/test.mjs [--shared] [folder or file under test/ ...]`; without places, all. Every file has a process of
 * its own, of node's own runner.
 *
 * `--shared` runs the files in two processes that share them out (shared-process.mjs), which takes a third of the time. A file whose head
 * says "needs its own process" has one all the same. Such runs are for files that neither want fixed ports nor change what others see.
 *
 * `TEST_LANES=2` runs two files at a time. Files take fixed ports (EPMD, the default configuration), so every lane but the first has
 * a network namespace of its own, which Linux gives to root. A file whose head says "needs the registry" is run by the first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf, refuse } from './arguments.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const timeoutMs = 180_000;
const registryMark = /needs the registry/;
const processMark = /needs its own process/;
const runnerArgs = ['--import', 'tsx', '--test', `--test-timeout=${timeoutMs}`, '--test-reporter=spec'];
const sharedArgs = ['--import', 'tsx', '--test-reporter=spec', join(root, 'scripts/shared-process.mjs')];
/** What all files of a shared process may take together. */
const sharedTimeoutMs = 600_000;

function testsUnder(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      if (entry.isDirectory()) return testsUnder(join(path, entry.name));
      return entry.name.endsWith('.test.ts') ? [join(path, entry.name)] : [];
    });
}

/** What a lane puts before its commands. */
function openLane(index) {
  if (index === 0) return [];
  const name = `hive-test-${process.pid}-${index}`;
  const ip = (...args) => spawnSync('ip', args).status === 0;
  if (!ip('netns', 'add', name)) return undefined;
  if (!ip('-n', name, 'link', 'set', 'lo', 'up')) {
    ip('netns', 'delete', name);
    return undefined;
  }
  process.once('exit', () => ip('netns', 'delete', name));
  return ['ip', 'netns', 'exec', name];
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** Whether a file says something about itself before its imports. */
function says(file, mark) {
  return mark.test(readFileSync(file, 'utf8').split(/^import /m, 1)[0]);
}

function runFile(lane, file) {
  return run([...lane, process.execPath, ...runnerArgs, file], relative(root, file), {});
}

function runShared(some, index) {
  const name = `${some.length} files in shared process ${index + 1}`;
  return run([process.execPath, ...sharedArgs, ...some], name, { timeout: sharedTimeoutMs, killSignal: 'SIGKILL' });
}

/** Groups of processes of tests. */
const running = new Set();

function endGroup(pid) {
  running.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing was left.
  }
}
process.once('exit', () => {
  for (const pid of running) endGroup(pid);
});

function run([command, ...args], name, options) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    // In a group of its own, so that what a test has left running ends with it: it would keep its output open.
    const child = spawn(command, args, { ...options, cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child.pid);
    child.once('exit', () => endGroup(child.pid));
    let output = '';
    const add = (data) => {
      output += data;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    child.once('error', reject);
    child.once('close', (code) => resolve({ name, code, output, ms: performance.now() - started }));
  });
}

const counted = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];
const totals = Object.fromEntries(counted.map((name) => [name, 0]));
const results = [];

/** The files that a shared process has run, each a suite; a process of one file has none. */
function suitesOf(tests) {
  return [...tests.matchAll(/^([✔✖]) (test\S+\.test\.ts) \(([\d.]+)ms\)$/gm)].map(([, mark, name, ms]) => {
    return { name, failed: mark === '✖', ms: Number(ms) };
  });
}

/** Shows what a runner said, without its own summary, which is added to that of all. */
function report({ name, code, output, ms }) {
  const [tests, summary = ''] = output.split(/^(?=ℹ tests \d+$)/m);
  const suites = suitesOf(tests);
  // A test that ends the process leaves no summary.
  const ok = code === 0 && summary !== '';
  const blamed = ok || suites.some((suite) => suite.failed);
  results.push(...suites);
  if (suites.length === 0 || !blamed) results.push({ name, failed: !ok, ms });
  for (const [, name, count] of summary.matchAll(/^ℹ (\w+) (\d+)$/gm)) totals[name] += Number(count);
  console.log(`▶ ${name} (${(ms / 1000).toFixed(1)} s)`);
  if (ok) console.log(tests.trimEnd());
  else console.log(output.trimEnd());
  if (!ok && !/^ℹ (fail|cancelled) [1-9]/m.test(summary)) totals.fail += 1;
}

const { values, positionals: wanted } = argumentsOf({ shared: { type: 'boolean' } }, { allowPositionals: true });
const { shared } = values;
for (const place of wanted) if (!existsSync(join(root, 'test', place))) refuse(`there is no test/${place}`);
const all = (wanted.length > 0 ? wanted : ['.']).flatMap((place) => testsUnder(join(root, 'test', place)));
const together = shared ? all.filter((file) => !says(file, processMark)) : [];
const files = all.filter((file) => !together.includes(file));
const lanes = [];
for (let index = 0; index < Number(process.env.TEST_LANES ?? 1); index += 1) {
  const lane = openLane(index);
  if (lane) lanes.push(lane);
  else
    console.log(
      `Lane ${index + 1} has no network namespace: root on Linux has, with ip (iproute2). Its files run in the others.`,
    );
}
const begun = performance.now();
const forFirst = lanes.length > 1 ? files.filter((file) => says(file, registryMark)) : [];
const forAny = files.filter((file) => !forFirst.includes(file));
if (together.length > 0) {
  const parts = [0, 1].map((part) => together.filter((_, index) => index % 2 === part));
  const busy = parts.filter((part) => part.length > 0);
  await Promise.all(busy.map(async (part, index) => report(await runShared(part, index))));
}
await Promise.all(
  lanes.map(async (lane, index) => {
    const next = () => (index === 0 ? forFirst.shift() : undefined) ?? forAny.shift();
    for (let file = next(); file; file = next()) report(await runFile(lane, file));
  }),
);

const failed = results.filter((result) => result.failed);
console.log('\nSlowest files:');
for (const { name, ms } of results.sort((a, b) => b.ms - a.ms).slice(0, 10)) {
  console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} s  ${name}`);
}
if (failed.length > 0) {
  console.log('\nFailed files:');
  for (const { name } of failed) console.log(`  ${name}`);
}
console.log('');
for (const name of counted) console.log(`# ${name} ${totals[name]}`);
console.log(`# duration_ms ${Math.round(performance.now() - begun)}`);
process.exit(failed.length > 0 ? 1 : 0);
