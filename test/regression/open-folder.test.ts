/** Old fault: a configuration in a folder that every user may write to loaded the packages that others put there, without a word. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeDefaultConfig } from '../support/default-node.ts';
import { HiveProcess, hive } from '../support/hive-process.ts';

const warning = /^warning: \S+hive\.json: every user of this machine may write into its folder, .*: chmod o-w \/\S+$/m;

test('a folder that every user may write to is a warning of hive check and at the start', {
  skip: process.platform === 'win32',
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-open-folder-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = await writeDefaultConfig(directory, 'hive.json');
  assert.doesNotMatch((await hive(['check', file])).stderr, /warning/);
  // With the sticky bit, as of /tmp, nobody can replace what is there, yet put there what is missing.
  for (const mode of [0o777, 0o1777]) {
    chmodSync(directory, mode);
    const { code, stderr } = await hive(['check', file]);
    assert.equal(code, 0);
    assert.match(stderr, warning);
  }
  const node = await HiveProcess.run(file);
  t.after(() => node.stop());
  await node.until(() => warning.test(node.stderr), 'the warning');
});
