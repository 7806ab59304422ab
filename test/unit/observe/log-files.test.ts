import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLogFiles } from '../../../src/observe/log-files.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hive-log-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a file that cannot be written is an error with its name, before anything is started', () => {
  mkdirSync(join(dir, 'hive.log'));
  assert.throws(() => openLogFiles({ dir, file_level: 'info', console_level: 'none' }, {}), {
    code: 'file_error',
    message: /hive\.log: EISDIR/,
  });
});

test('a full disk costs lines of the log and nothing else; it is told once', { skip: !existsSync('/dev/full') }, () => {
  symlinkSync('/dev/full', join(dir, 'hive.log'));
  const module = fileURLToPath(new URL('../../../src/observe/log-files.ts', import.meta.url));
  const program = `
    import { openLogFiles } from ${JSON.stringify(module)};
    const files = openLogFiles({ dir: ${JSON.stringify(dir)}, file_level: 'info', console_level: 'none' }, {});
    for (let line = 0; line < 3; line += 1) files.log.error('line ' + line);
    files.reopen();
    await files.close();
    console.log('went on');
  `;
  const run = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.deepEqual([run.status, run.stdout], [0, 'went on\n'], run.stderr);
  assert.equal(run.stderr.match(/file_error: The log .*hive\.log cannot be written: ENOSPC/g)?.length, 1, run.stderr);
  assert.equal(readFileSync(join(dir, 'error.log'), 'utf8').match(/"msg":"line \d"/g)?.length, 3);
});
