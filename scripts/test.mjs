/**
 * Runs the tests: `node scripts/test.mjs [folder or file under test/ ...]`; without arguments, all. Every file has a process of its
 * own, of node's own runner.
 *
 * `TEST_LANES=2` runs two files at a time. Files take fixed ports (EPMD, the default configuration), so every lane but the first has
 * a network namespace of its own, which Linux gives to root. A file whose head says "needs the registry" is run by the first.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const timeoutMs = 180_000;
const registryMark = /needs the registry/;
const runnerArgs = ['--import', 'tsx', '--test', `--test-timeout=${timeoutMs}`, '--test-reporter=spec'];

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

function runFile(lane, file) {
  const [command, ...args] = [...lane, process.execPath, ...runnerArgs, file];
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const add = (data) => {
      output += data;
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
    child.once('error', reject);
    child.once('close', (code) => resolve({ file, code, output, ms: performance.now() - started }));
  });
}

const counted = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'];
const totals = Object.fromEntries(counted.map((name) => [name, 0]));
const results = [];

/** Shows what a file's runner said, without its own summary, which is added to that of all. */
function report(result) {
  const { file, code, output, ms } = result;
  results.push(result);
  const [tests, summary = ''] = output.split(/^(?=ℹ tests \d+$)/m);
  for (const [, name, count] of summary.matchAll(/^ℹ (\w+) (\d+)$/gm)) totals[name] += Number(count);
  console.log(`▶ ${relative(root, file)} (${(ms / 1000).toFixed(1)} s)`);
  if (code === 0) console.log(tests.trimEnd());
  else console.log(output.trimEnd());
  if (code !== 0 && !/^ℹ (fail|cancelled) [1-9]/m.test(summary)) totals.fail += 1;
}

const wanted = process.argv.slice(2);
const files = (wanted.length > 0 ? wanted : ['.']).flatMap((place) => testsUnder(join(root, 'test', place)));
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
const forFirst =
  lanes.length > 1 ? files.filter((file) => registryMark.test(readFileSync(file, 'utf8').slice(0, 1500))) : [];
const forAny = files.filter((file) => !forFirst.includes(file));
await Promise.all(
  lanes.map(async (lane, index) => {
    const next = () => (index === 0 ? forFirst.shift() : undefined) ?? forAny.shift();
    for (let file = next(); file; file = next()) report(await runFile(lane, file));
  }),
);

const failed = results.filter(({ code }) => code !== 0);
console.log('\nSlowest files:');
for (const { file, ms } of results.sort((a, b) => b.ms - a.ms).slice(0, 10)) {
  console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} s  ${relative(root, file)}`);
}
if (failed.length > 0) {
  console.log('\nFailed files:');
  for (const { file } of failed) console.log(`  ${relative(root, file)}`);
}
console.log('');
for (const name of counted) console.log(`# ${name} ${totals[name]}`);
console.log(`# duration_ms ${Math.round(performance.now() - begun)}`);
process.exit(failed.length > 0 ? 1 : 0);
