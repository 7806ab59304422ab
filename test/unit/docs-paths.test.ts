/** What the documentation points to is there: files, sections, and the source files that it names. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

function pagesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : pagesUnder(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const top = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const pages = [...top, ...['docs', 'examples', 'deploy', 'bench', 'test/fuzz', 'test/simulation'].flatMap(pagesUnder)];

/** Made by a command of its page. */
const generated = new Set(['config/local/']);

/** Headings have the anchors that GitHub gives them. */
function anchorsOf(page: string): Set<string> {
  const prose = read(page).replaceAll(/^```.*?^```/gms, '');
  const anchors = new Set<string>();
  for (const [, heading] of prose.matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number += 1) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}

test('links lead to files, and to headings in them', () => {
  for (const page of pages) {
    for (const [, path, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)) {
      const target = path ? join(dirname(page), path) : page;
      assert.ok(existsSync(join(root, target)), `${page} links to ${target}`);
      if (anchor && target.endsWith('.md')) {
        assert.ok(anchorsOf(target).has(anchor), `${page} links to ${target}#${anchor}`);
      }
    }
  }
});

test('source files and folders that are named are there', () => {
  const named = /`((?:src|test|docs|bench|config|scripts|deploy|examples)\/[\w./-]+)`/g;
  for (const page of pages) {
    for (const [, path] of read(page).matchAll(named)) {
      if (generated.has(path!)) continue;
      const isThere = existsSync(join(root, path!)) || existsSync(join(root, dirname(page), path!));
      assert.ok(isThere, `${page} names ${path}`);
    }
  }
});

test('the architecture page follows an event, a publish, a config value, a crash and a connect through the files', () => {
  const page = read('docs/architecture.md');
  for (const walk of [
    "A browser's event",
    'A publish to a poller at a third node',
    'A config value',
    'A crash',
    'A connect',
  ]) {
    const section = page.split(`\n### ${walk}\n`)[1]?.split('\n#')[0] ?? assert.fail(`there is no section "${walk}"`);
    const files = section.match(/`src\/[\w./-]+\.ts`/g) ?? [];
    assert.ok(files.length >= 8, `${walk}: ${files.length} files`);
  }
});
