// Runs the tests with node's own runner: `node scripts/test.mjs [folder or file under test/ ...]`; without arguments, all.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function testsUnder(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      if (entry.isDirectory()) return testsUnder(join(path, entry.name));
      return entry.name.endsWith('.test.ts') ? [join(path, entry.name)] : [];
    });
}

const wanted = process.argv.slice(2);
const places = wanted.length > 0 ? wanted : ['.'];
const files = places.flatMap((place) => testsUnder(join(root, 'test', place)));
const run = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-timeout=180000', '--test-concurrency=1', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);
