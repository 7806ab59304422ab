import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openFiles, openFilesLimit, openSpare, reserveOf } from '../../../src/observe/open-files.ts';
import { missing } from '../../support/programs.ts';

const module = fileURLToPath(new URL('../../../src/observe/open-files.ts', import.meta.url));
const noProc = process.platform === 'linux' ? missing('prlimit') : 'needs Linux';

/** What a process says that may have so many files open. */
function withLimit(limit: number, program: string): unknown {
  const script = `import { openFiles, openSpare } from ${JSON.stringify(module)};\n${program}`;
  const command = [
    `--nofile=${limit}:${limit}`,
    process.execPath,
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ];
  return JSON.parse(execFileSync('prlimit', command, { encoding: 'utf8' }));
}

test('what is open is counted, within what may be', { skip: noProc }, () => {
  const files = openFiles()!;
  const more = openSpare(20);
  // The directory is open while it is read.
  const listed = readdirSync('/proc/self/fd').length - 1;
  const counted = files.count();
  for (const file of more) closeSync(file);
  assert.equal(more.length, 20);
  assert.ok(counted <= listed && counted >= 20, `${counted} of ${listed}`);
  assert.ok(listed <= files.limit);
});

test('the limit is that of the process', { skip: noProc }, () => {
  assert.equal(withLimit(200, 'console.log(openFiles().limit)'), 200);
  const report = process.report.getReport() as unknown as { userLimits: { open_files: { soft: number } } };
  assert.equal(openFilesLimit(), report.userLimits.open_files.soft, 'where there is no /proc');
});

test('when nothing can be opened any more, all are counted as open', { skip: noProc }, () => {
  const [before, opened, after] = withLimit(
    200,
    `const files = openFiles();
     const before = files.count();
     const spare = openSpare(1000);
     console.log(JSON.stringify([before, spare.length, files.count()]));`,
  ) as [number, number, number];
  assert.ok(before < 100);
  assert.ok(opened > 100 && opened < 200);
  assert.equal(after, 200);
});

test('the reserve grows with the limit, within bounds', () => {
  assert.deepEqual([64, 256, 1024, 20_000, 1_048_576].map(reserveOf), [8, 16, 64, 128, 128]);
});
