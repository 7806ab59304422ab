/** A short soak: it works, and ends well. The long ones are for people. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missing } from '../support/programs.ts';

const script = fileURLToPath(new URL('../../bench/soak/run.mjs', import.meta.url));

test('after a crowd has come, chatted and gone, a node is as it was before', {
  skip: missing('taskset'),
}, async () => {
  const options = ['--minutes', '0.1', '--rate', '60', '--stay', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...options]);
  assert.match(stdout, /\d+ visits in 0\.1 minutes, .* none lost, doubled or overtaken/);
  assert.doesNotMatch(stdout, /WRONG/);
});
