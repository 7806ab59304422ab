/** The benchmark of the monitor still works. What it measures is nobody's business here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missing } from '../support/programs.ts';

const script = fileURLToPath(new URL('../../bench/monitor/run.mjs', import.meta.url));

test('the benchmark of the monitor asks for every page', { skip: missing('taskset') }, async () => {
  const few = ['--clients', '20', '--rounds', '1', '--requests', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...few, '--json']);
  const { clients, rows } = JSON.parse(stdout) as { clients: number; rows: { page: string; bytes: number | null }[] };
  assert.equal(clients, 20);
  assert.equal(rows.length, 11);
  for (const { page, bytes } of rows.slice(1)) assert.ok(bytes! > 0, page);
});
