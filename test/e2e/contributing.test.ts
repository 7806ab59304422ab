/** What CONTRIBUTING.md and docs/releasing.md tell to type, typed; but for what CI runs anyway, and what publishes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { Command } from '../support/example.ts';
import { missing } from '../support/programs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'hive-contributing-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function commandsOf(page: string): string[] {
  return Array.from(read(page).matchAll(/^ *```sh\n(.*?)^ *```/gms), ([, block]) => block!)
    .join('')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

const commands = commandsOf('CONTRIBUTING.md');
const profiles = join(folder, 'log');

async function run(line: string, cwd = root): Promise<string> {
  // A test runner below this one would report to it instead of printing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = await promisify(execFile)('sh', ['-ec', line], { cwd, env });
  return stdout + stderr;
}

/** With ports of its own, and profiles where they are thrown away. */
async function start(line: string, name: string): Promise<Command> {
  const config = await writeDefaultConfig(folder, `${name}.json`);
  const command = new Command(
    line
      .replace('config/hive.json', config)
      .replace('--inspect ', '--inspect=127.0.0.1:0 ')
      .replace('-dir=log', `-dir=${profiles}`),
    root,
  );
  await command.printed(' is ready: ');
  return command;
}

test('every command of the page is run by CI or below', () => {
  const byCi = commands.filter((line) => ['npm ci', 'make check'].includes(line));
  const below = commands.filter((line) => /test|explore|src\/bin\/hive\.ts|dist\/bin\/hive\.js|top\.mjs/.test(line));
  assert.deepEqual([...byCi, ...below].sort(), [...commands].sort());
});

test('parts of the tests are run, and pass', async () => {
  const some = commands.filter((line) => /scripts\/test\.mjs|--test /.test(line));
  assert.equal(some.length, 4);
  for (const line of some) assert.match(await run(line), /^[#ℹ] fail 0$/m, line);
});

test('properties are tried with other seeds', async () => {
  const output = await run(commands.find((line) => line.includes('npm run explore'))!);
  assert.equal(output.match(/^round \d: SEED=\d+ passed$/gm)?.length, 2, output);
});

test('a node runs from its sources, with a debugger', async () => {
  const node = await start(commands.find((line) => line.includes('--inspect'))!, 'inspected');
  assert.match(node.output, /Debugger listening on ws:/);
  await node.interrupt();
});

for (const [option, file] of [
  ['--cpu-prof', /\.cpuprofile$/],
  ['--heap-prof', /\.heapprofile$/],
] as const) {
  test(`${option} writes a profile when the node ends, of which the top is printed`, async () => {
    const node = await start(commands.find((line) => line.includes(option))!, option);
    await node.interrupt();
    const profile = readdirSync(profiles).find((name) => file.test(name));
    assert.ok(profile, `no ${file} in ${profiles}`);
    const top = commands.find((line) => line.includes('top.mjs'))!;
    assert.match(await run(top.replace(/log\/\S+$/, join(profiles, profile))), /\.[jt]s/);
  });
}

test('a heap snapshot is written on SIGUSR2', async () => {
  const node = await start(commands.find((line) => line.includes('SIGUSR2'))!, 'snapshot');
  mkdirSync(profiles, { recursive: true });
  node.signal('SIGUSR2');
  await eventually(() => readdirSync(profiles).some((name) => name.endsWith('.heapsnapshot')), 'a snapshot', 60_000);
  await node.interrupt();
});

describe('a release', { skip: missing('git', 'npm') }, () => {
  const version = commandsOf('docs/releasing.md').find((line) => line.startsWith('npm version'))!;
  const number = version.split(' ')[2]!;

  async function checkout(name: string, changelog: string): Promise<string> {
    const place = join(folder, name);
    mkdirSync(place);
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(place, file));
    cpSync(join(root, 'scripts'), join(place, 'scripts'), { recursive: true });
    const write = `printf '%s' "$0" >CHANGELOG.md && git init -q && git config user.name x && git config user.email x@localhost && git add . && git commit -qm x`;
    await promisify(execFile)('sh', ['-ec', write, changelog], { cwd: place });
    return place;
  }

  test('dates the changelog, sets the version, commits and tags', async () => {
    const place = await checkout(
      'release',
      '# Changes\n\n## 9.9.9 (unreleased)\n\n- New.\n\n## 1.0.0 (2026-01-01)\n\n- Old.\n',
    );
    await run(version, place);
    assert.match(
      readFileSync(join(place, 'CHANGELOG.md'), 'utf8'),
      new RegExp(
        `^# Changes\n\n## ${number} \\(2\\d{3}-\\d\\d-\\d\\d\\)\n\n- New.\n\n## 1.0.0 \\(2026-01-01\\)\n\n- Old.\n$`,
      ),
    );
    assert.equal((await run('git describe --tags && git status --porcelain', place)).trim(), `v${number}`);
    assert.equal(JSON.parse(readFileSync(join(place, 'package-lock.json'), 'utf8')).version, number);
  });

  test('is refused if there is nothing to release', async () => {
    const place = await checkout('nothing', '# Changes\n\n## 9.9.9 (unreleased)\n\n## 1.0.0 (2026-01-01)\n\n- Old.\n');
    await assert.rejects(run(version, place), /no section "\(unreleased\)" with changes/);
    assert.equal((await run('git tag', place)).trim(), '');
  });

  test('can be started from this changelog', () => {
    assert.match(read('CHANGELOG.md'), /^## \d+\.\d+\.\d+ \((?:unreleased|\d{4}-\d\d-\d\d)\)$/m);
  });
});
