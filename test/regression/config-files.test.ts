/**
 * Old faults: a section that was the main file itself gave an error for each of its sections; `hive check` of a named pipe
 * hung until somebody wrote into it, and of a device that never ends it grew until it was killed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hive } from '../support/hive-process.ts';
import { findProgram, missing } from '../support/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'hive-files-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const keys = { api: { hash: 'key-of-the-api' }, monitor: { hash: 'key-of-the-monitor' } };

async function problems(log: string): Promise<string[]> {
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify({ hive: { name: 'one@127.0.0.1' }, ...keys, log }));
  const { code, stderr } = await hive(['check', file]);
  assert.equal(code, 1);
  return stderr.replaceAll(`${directory}/`, '').split('\n').slice(0, -2);
}

test('a section that is the main file, also through a link, is one error', async () => {
  symlinkSync(join(directory, 'config.json'), join(directory, 'link.json'));
  for (const log of ['config.json', './config.json', 'link.json']) {
    const [line, ...more] = await problems(log);
    assert.match(line ?? '', /^file_error: config\.json:1:\d+: log: "[./a-z]+" → that is the main file itself$/);
    assert.deepEqual(more, []);
  }
});

test('a named pipe that nobody writes into is told at once', { skip: missing('mkfifo') }, async () => {
  execFileSync(findProgram('mkfifo')!, [join(directory, 'pipe')]);
  assert.deepEqual(await problems('pipe'), ['file_error: pipe: log → it is a named pipe, not a file']);
  const { code, stderr } = await hive(['check', join(directory, 'pipe')]);
  assert.equal(code, 1);
  assert.match(stderr, /^file_error: \S+pipe: it is a named pipe, not a file$/m);
});

test('a device that never ends is told at once', { skip: !existsSync('/dev/zero') }, async () => {
  assert.deepEqual(await problems('/dev/zero'), ['file_error: /dev/zero: log → it is a device, not a file']);
});
