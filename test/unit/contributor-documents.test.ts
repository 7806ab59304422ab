/** The documents for contributors name commands, decisions and objects that there are; for files see docs-paths.test.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));

const decisions = filesIn('docs/decisions', '.md').filter((file) => file !== 'README.md');
const pages = [
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs/architecture.md',
  'docs/releasing.md',
  'docs/decisions/README.md',
  ...decisions.map((file) => `docs/decisions/${file}`),
];
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;

test('scripts and targets that are named are there', () => {
  const targets = new Set(
    read('Makefile')
      .match(/^\.PHONY: (.*)$/m)![1]!
      .split(' '),
  );
  for (const page of [...pages, '.github/pull_request_template.md']) {
    const code = read(page).matchAll(/`([^`\n]+)`|```sh\n(.*?)```/gs);
    for (const text of Array.from(code, ([, inline, block]) => inline ?? block ?? '')) {
      for (const [, name] of text.matchAll(/\bnpm run ([\w:]+)/g))
        assert.ok(scripts[name!], `${page}: npm run ${name}`);
      for (const [, name] of text.matchAll(/\bmake ([\w-]+)/g)) assert.ok(targets.has(name!), `${page}: make ${name}`);
    }
  }
});

test('decisions are numbered in a row, listed with their titles, and have one form', () => {
  const list = read('docs/decisions/README.md');
  for (const [index, file] of decisions.sort().entries()) {
    const form =
      /^# (\d+)\. ([^\n]+)\n\n(2\d{3}-\d\d-\d\d) · (?:Holds|Superseded)[^\n]*\n\n## Why\n.+\n## Decision\n.+\n## What follows\n/s;
    const [, number, title] = form.exec(read(`docs/decisions/${file}`)) ?? assert.fail(`the form of ${file}`);
    assert.equal(Number(number), index + 1, file);
    assert.equal(Number(file.slice(0, 4)), index + 1, file);
    assert.ok(list.includes(`| ${number} | [${title}](${file}) |`), `${file} is not in the list under its title`);
  }
});

test('the architecture page names classes and interfaces that are exported, among them the nine objects of a client', () => {
  const source = filesIn('src', '.ts')
    .map((file) => read(join('src', file)))
    .join('\n');
  const page = read('docs/architecture.md');
  for (const [, name] of page.matchAll(/`([A-Z][a-z]\w+)`/g)) {
    if (name! in globalThis) continue;
    assert.match(source, new RegExp(`^export (?:abstract )?(?:class|interface) ${name}\\b`, 'm'));
  }
  const table = page.split('### The objects of a client')[1]!.split('\n## ')[0]!;
  assert.equal(table.match(/^\| `[A-Z]/gm)?.length, 9);
});

test('each job of the CI workflow is one of .ci/run, and together they run every folder of tests', () => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: { test: { strategy: { matrix: { job: string[] } }; steps: { run?: string }[] } };
  };
  const run = read('.ci/run');
  const known = /^ +all \| (.+)\) ;;$/m.exec(run)![1]!.split(' | ');
  assert.deepEqual(jobs.test.strategy.matrix.job.sort(), known.sort());
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as the workflow has it
  assert.ok(jobs.test.steps.some((step) => step.run === '.ci/run ${{ matrix.job }}'));
  const commands = `${run}\n${scripts.check}`;
  const folders = readdirSync(join(root, 'test')).filter((name) => filesIn(`test/${name}`, '.test.ts').length > 0);
  for (const folder of folders) assert.match(commands, new RegExp(`scripts/test\\.mjs .*\\b${folder}\\b`), folder);
});
