/** The benchmark of actors still works, and with it its checks: no message lost, doubled or overtaken. Its speeds are nobody's business here. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { missing } from '../support/programs.ts';

const script = fileURLToPath(new URL('../../bench/actors/run.mjs', import.meta.url));
const measures = ['one', 'many', 'children', 'asks', 'asksTogether', 'spawns', 'bytes'];

test('the benchmark of actors measures Hive, nact alone and the BEAM', async () => {
  const contestants = missing('escript') ? ['Hive', 'nact alone'] : ['Hive', 'nact alone', 'BEAM'];
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--quick', '--json']);
  const { results } = JSON.parse(stdout) as { results: Record<string, Record<string, number>[]> };
  for (const contestant of contestants) {
    assert.equal(results[contestant]?.length, 1, contestant);
    for (const measure of measures) assert.ok(results[contestant][0]![measure]! > 0, `${contestant}: ${measure}`);
  }
});
