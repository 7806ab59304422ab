/**
 * Names that clients choose reached terminals as they were, through the drawn tree and the messages on the console: they
 * could clear the screen, set its title, turn the direction of the text or pretend to be lines of the log.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { printable, printableInColors, printableLine } from '../../src/observe/printable.ts';
import type { TreeNode } from '../../src/supervisors/tree.ts';
import { treeText } from '../../src/web/monitor/tree-text.ts';

const nasty = 'a\x1b]0;title\x07\x1b[2J\r\u009b31m\u202eb\nc';
const shown = String.raw`a\u001b]0;title\u0007\u001b[2J\u000d\u009b31m\u202eb`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
const obeyed = /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/;

test('what a terminal would obey is escaped, and JSON stays what it was', () => {
  assert.equal(printable(nasty), `${shown}\nc`);
  assert.equal(printableLine(nasty), `${shown}\\nc`);
  assert.equal(printableInColors(`\x1b[31mred\x1b[39m\r`), '\x1b[31mred\x1b[39m\\u000d');
  assert.equal(printable('häß 😀 └─ …'), 'häß 😀 └─ …');
  const json = JSON.stringify({ [nasty]: [nasty, 'häß \\ 😀'] });
  assert.deepEqual(JSON.parse(printable(json)), JSON.parse(json));
});

test('an actor is one line of the tree, whatever its id and the reason of its end', () => {
  const lastExit = { reason: `${nasty}\r`, at: 0, agoMs: 0 };
  const child: TreeNode = { id: nasty, kind: 'worker', pid: '<a.1.0>', status: 'running', restarts: 0, lastExit };
  const top: TreeNode = {
    id: 'top',
    kind: 'supervisor',
    pid: '<a.0.0>',
    status: 'running',
    restarts: 0,
    count: 1,
    children: [child],
  };
  const text = treeText(top);
  assert.equal(text, `top <a.0.0> · running\n└─ ${shown}\\nc <a.1.0> · running · last exit: ${shown}\n`);
});

for (const format of ['pretty', 'json'] as const) {
  test(`a line of the log is one line, in files and on a console that is ${format}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'hive-log-'));
    try {
      const module = fileURLToPath(new URL('../../src/observe/log-files.ts', import.meta.url));
      const source = `
        import { openLogFiles } from ${JSON.stringify(module)};
        const settings = { dir: ${JSON.stringify(dir)}, format: '${format}', file_level: 'info', console_level: 'info' };
        const files = openLogFiles(settings, { node: 'n@h' });
        const nasty = ${JSON.stringify(nasty)};
        files.log.warning('refused ' + nasty, { [nasty]: nasty, error: 'no ' + nasty });
        files.log.warning('alone ' + nasty);
        files.log.crash('crashed ' + nasty, { stack: nasty });
        await files.close();
      `;
      const args = ['--import', 'tsx', '--input-type=module', '-e', source];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const texts = new Map([['stderr', stderr]]);
      for (const name of ['console.log', 'hive.log', 'error.log', 'crash.log']) {
        texts.set(name, readFileSync(join(dir, name), 'utf8'));
      }
      const lines = { stderr: 3, 'console.log': 3, 'hive.log': 3, 'error.log': 1, 'crash.log': 1 };
      for (const [name, text] of texts) {
        assert.doesNotMatch(text, obeyed, name);
        assert.equal(text.split('\n').length - 1, lines[name as keyof typeof lines], `${name}: ${text}`);
      }
      const first = JSON.parse(texts.get('hive.log')!.split('\n')[0]!);
      assert.equal(first.msg, `refused ${shown}\\nc`);
      assert.equal(first[nasty], nasty);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}
