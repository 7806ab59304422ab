import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseJson } from '../../../src/config/json.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-log-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a module in a process of its own, with what opens log files in `dir` at hand. */
function run(program: string): { status: number | null; stdout: string; stderr: string } {
  const module = fileURLToPath(new URL('../../../src/observe/log-files.ts', import.meta.url));
  const source = `
    import { openLogFiles } from ${JSON.stringify(module)};
    const settings = { dir: ${JSON.stringify(dir)}, format: 'pretty', file_level: 'info', console_level: 'error' };
    ${program}
  `;
  return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], { encoding: 'utf8' });
}

test('a file that cannot be written is an error with its name, before anything is started', () => {
  mkdirSync(join(dir, 'hive.log'));
  const { status, stdout, stderr } = run(`
    try {
      openLogFiles(settings, {});
    } catch (error) {
      console.log(error.code, error.message);
    }
  `);
  assert.match(stdout, /^file_error Cannot write the log .*hive\.log: EISDIR/);
  assert.deepEqual([status, stderr], [0, '']);
});

test('a full disk costs lines of the log and nothing else; it is told once', { skip: !existsSync('/dev/full') }, () => {
  symlinkSync('/dev/full', join(dir, 'hive.log'));
  const { status, stdout, stderr } = run(`
    const files = openLogFiles({ ...settings, console_level: 'none' }, {});
    for (let line = 0; line < 3; line += 1) files.log.error('line ' + line);
    files.reopen();
    await files.close();
    console.log('went on');
  `);
  assert.deepEqual([status, stdout], [0, 'went on\n'], stderr);
  assert.equal(stderr.match(/file_error: The log .*hive\.log cannot be written: ENOSPC/g)?.length, 1, stderr);
  assert.equal(readFileSync(join(dir, 'error.log'), 'utf8').match(/"msg":"line \d"/g)?.length, 3);
});

test('without a directory there are no files, and the console has the crash reports', () => {
  const { status, stderr } = run(`
    const files = openLogFiles({ ...settings, dir: null, format: 'json' }, { node: 'n@h' });
    const log = files.log.child({ component: 'kernel' });
    log.info('below the level of the console');
    log.crash('An actor crashed', { stack: 'Error: no\\n    at here' });
    files.reopen();
    await files.close();
  `);
  const lines = stderr.split('\n').filter((line) => line !== '');
  const { time, ...line } = JSON.parse(lines[0] ?? '');
  const stack = 'Error: no\n    at here';
  assert.deepEqual(line, { level: 'error', node: 'n@h', component: 'kernel', msg: 'An actor crashed', stack });
  assert.equal(typeof time, 'number');
  assert.deepEqual([status, lines.length, readdirSync(dir)], [0, 1, []]);
});

// Old fault: lines about other nodes had `node` twice, their own and the other one's, and readers took the last.
test('a line has each key once, whatever fields it is given', () => {
  const { status, stderr } = run(`
    const files = openLogFiles({ ...settings, dir: null, format: 'json' }, { node: 'n@h' });
    const log = files.log.child({ component: 'one' }).child({ component: 'two' });
    log.error('text', { node: 'other', node_: 1, msg: 'mine', level: 5, time: 0, component: 'three', toString: 'x', peer: 'p' });
    await files.close();
  `);
  assert.equal(status, 0, stderr);
  const { value, duplicates } = parseJson(stderr);
  const { time, ...line } = value as Record<string, unknown>;
  assert.deepEqual(duplicates, []);
  assert.deepEqual(line, {
    ...{ level: 'error', node: 'n@h', component: 'two', msg: 'text', node__: 'other', node_: 1 },
    ...{ msg_: 'mine', level_: 5, time_: 0, component_: 'three', toString: 'x', peer: 'p' },
  });
  assert.equal(typeof time, 'number');
});
