import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const maxLines = 500;

/** The layers of the source, lowest first. A file imports from lower layers, and from its own folder. */
const layers = [
  ['observe', 'version.ts'],
  ['config'],
  ['kernel', 'protocol'],
  ['supervisors', 'distribution', 'sessions'],
  ['plugins', 'web'],
  ['actors'],
  ['node'],
  ['index.ts'],
  ['bin'],
];

/**
 * The same inside folders whose parts have an order of their own, lowest first. Parts of one row do not know each other; `*` is every file
 * of the folder that is not named.
 */
const orders: Readonly<Record<string, readonly (readonly string[])[]>> = {
  web: [['sockets', 'dashboard'], ['http'], ['client', 'api'], ['monitor'], ['*']],
  'web/client': [['*'], ['engine', 'legacy', 'relay'], ['server.ts']],
  actors: [['*'], ['gen-server', 'pools'], ['client', 'cluster'], ['monitor', 'pubsub', 'relay', 'router']],
};

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'fixtures') return [];
    if (entry.isDirectory()) return filesUnder(join(folder, entry.name), ending);
    return ending.test(entry.name) ? [join(folder, entry.name)] : [];
  });
}

const sources = filesUnder(join(root, 'src'), /\.ts$/);
const folderOf = (file: string) => relative(join(root, 'src'), file).split(/[\\/]/)[0]!;
const layerOf = (folder: string) => layers.findIndex((folders) => folders.includes(folder));

test('every source file is in a folder that has its layer', () => {
  assert.deepEqual(
    sources.filter((file) => layerOf(folderOf(file)) < 0),
    [],
  );
});

test('docs/architecture.md lists the layers', () => {
  const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
  const list = /\n## Layers\n.*?```\n(.*?)```/s.exec(page)?.[1] ?? assert.fail('there is no list of layers');
  const documented = list
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/, 1)[0]!.split(', ').sort());
  const expected = layers.map((layer) => layer.filter((name) => name !== 'version.ts').sort());
  assert.deepEqual(documented.reverse(), expected);
});

/** What each file imports, types as well. */
const imports = new Map<string, readonly string[]>();
for (const file of sources) {
  const targets = readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  imports.set(
    file,
    Array.from(targets, ([, target]) => resolve(dirname(file), target!)),
  );
}

test('imports go downward only', () => {
  const upward: string[] = [];
  for (const [file, targets] of imports) {
    for (const target of targets) {
      const [from, to] = [folderOf(file), folderOf(target)];
      const allowed = from === to || layerOf(to) < layerOf(from);
      if (!allowed) upward.push(`${relative(root, file)} -> ${relative(root, target)}`);
    }
  }
  assert.deepEqual(upward, []);
});

for (const [folder, order] of Object.entries(orders)) {
  const home = join(root, 'src', folder);
  const parts = readdirSync(home, { withFileTypes: true }).filter(({ name }) => /\.ts$|^[^.]*$/.test(name));
  const rowOf = (part: string) => {
    const row = order.findIndex((names) => names.includes(part));
    return row < 0 && part.endsWith('.ts') ? order.findIndex((names) => names.includes('*')) : row;
  };

  test(`every part of src/${folder} has its place in the order of that folder, and imports lower ones only`, () => {
    const names = parts.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => rowOf(name) < 0),
      [],
      'these have no place',
    );
    assert.deepEqual(
      order.flat().filter((name) => name !== '*' && !names.includes(name)),
      [],
      'these are no parts',
    );
    const partOf = (file: string): string | undefined => {
      const path = relative(home, file).split(/[\\/]/);
      return path[0] === '..' ? undefined : path[0];
    };
    const upward: string[] = [];
    for (const [file, targets] of imports) {
      const from = partOf(file);
      if (from === undefined) continue;
      for (const target of targets) {
        const to = partOf(target);
        if (to === undefined || to === from) continue;
        const together = rowOf(from) === rowOf(to) && from.endsWith('.ts') && to.endsWith('.ts');
        if (!together && rowOf(to) >= rowOf(from)) upward.push(`${relative(root, file)} -> ${relative(root, target)}`);
      }
    }
    assert.deepEqual(upward, []);
  });
}

/** Files that import one another, in that order; undefined if none does. */
function circleOf(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}

test('no files import one another in a circle, types neither', () => {
  assert.deepEqual(
    circleOf(imports)?.map((file) => relative(root, file)),
    undefined,
  );
  const [a, b, c] = ['a', 'b', 'c'];
  assert.deepEqual(
    circleOf(
      new Map([
        [a, [b]],
        [b, [c]],
        [c, [b]],
      ]),
    ),
    [b, c, b],
  );
});

test('only the kernel knows nact', () => {
  const users = sources.filter((file) => /from 'nact|'nact\//.test(readFileSync(file, 'utf8')));
  assert.deepEqual(
    users.map((file) => relative(root, file)),
    [join('src', 'kernel', 'nact.ts')],
  );
});

test('property tests have the seed that test/support/properties.ts sets', () => {
  const users = filesUnder(join(root, 'test'), /\.ts$/).filter((file) =>
    /^import .* from 'fast-check'/m.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(
    users.map((file) => relative(root, file)),
    [join('test', 'support', 'properties.ts')],
  );
});

test(`no file is longer than ${maxLines} lines`, () => {
  const files = [
    ...sources,
    ...filesUnder(join(root, 'src'), /\.(js|css|html)$/),
    ...filesUnder(join(root, 'test'), /\.ts$/),
    ...filesUnder(join(root, 'examples'), /\.(py|m?js|css|html)$/),
  ];
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > maxLines + 1);
  assert.deepEqual(
    long.map((file) => relative(root, file)),
    [],
  );
});
