/**
 * Runs the property tests with other seeds than the fixed one: `npm run explore [-- rounds [file ...]]`, by default 20 rounds of all files
 * that use test/support/properties.ts. Ends with 1 if a round has failed; each failure says the seed, with which `SEED=number` repeats it.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const tests = fileURLToPath(new URL('../test', import.meta.url));
const [rounds = 20, ...named] = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : readdirSync(tests, { recursive: true }).filter(
        (file) =>
          file.endsWith('.test.ts') && /support\/(properties|terms)\.ts'/.test(readFileSync(join(tests, file), 'utf8')),
      );

const failed = [];
for (let round = 1; round <= Number(rounds); round += 1) {
  const seed = randomInt(2 ** 31);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(tests, '../scripts/test.mjs'), '--shared', ...files],
    {
      env: { ...process.env, SEED: String(seed) },
      encoding: 'utf8',
      maxBuffer: 1024 ** 3,
    },
  );
  console.log(`round ${round}: SEED=${seed} ${status === 0 ? 'passed' : 'failed'}`);
  if (status === 0) continue;
  failed.push(seed);
  console.log(stdout, stderr);
}
if (failed.length > 0) console.log(`Failed with SEED=${failed.join(' ')}`);
process.exit(failed.length > 0 ? 1 : 0);
