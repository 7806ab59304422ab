/** Old fault: `npm run bench -- --help` and options that a script does not know ended it with a stack trace, or were not noticed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scripts = [
  ...[
    'bench/run.mjs',
    'bench/actors/run.mjs',
    'bench/distribution/run.mjs',
    'bench/monitor/run.mjs',
    'bench/soak/run.mjs',
    'bench/report/top.mjs',
  ],
  ...['scripts/image.mjs', 'scripts/matrix.mjs', 'scripts/test.mjs'],
];

function run(script: string, ...args: string[]) {
  const file = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

for (const script of scripts) {
  test(`${script}: --help says what there is, and what is unknown ends it with one line`, () => {
    const help = run(script, '--help');
    assert.deepEqual([help.code, help.stderr], [0, '']);
    assert.match(help.stdout, /^[A-Z].*(?:npm|node) .*\n$/s);
    assert.doesNotMatch(help.stdout, /^ \*|\/\*\*/m);
    const { code, stdout, stderr } = run(script, '--nonsense');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^(?:run|top|image|matrix|test)\.mjs: Unknown option '--nonsense'; --help shows what there is\n$/,
    );
  });
}

test('what a script is to work on is named if it is not there', () => {
  assert.equal(run('scripts/test.mjs', 'nowhere').stderr, 'test.mjs: there is no test/nowhere\n');
  assert.match(
    run('scripts/matrix.mjs', '19/node').stderr,
    /^matrix\.mjs: there is no row 19\/node; there are 20\/20\.30, .*\n$/,
  );
  assert.match(
    run('bench/run.mjs', 'nothing').stderr,
    /^bench: there is neither a scenario nor a contestant nothing; there are .*\n$/,
  );
});
