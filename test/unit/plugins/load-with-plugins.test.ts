import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ConfigError, formatProblem } from '../../../src/config/problem.ts';
import { loadWithPlugins } from '../../../src/plugins/load-with-plugins.ts';
import { edited } from '../../support/bad-configs/bad-config.ts';

const library = new URL('../../../src/index.ts', import.meta.url).href;
const echoing = (name: string) => plugin(`{ hooks: { '${name}': { args: Type.Null(), create: () => () => {} } } }`);

/** The text of a module that defines a plugin of these parts. */
function plugin(parts: string): string {
  return `import { definePlugin, Type } from '${library}';\nexport default definePlugin(${parts});\n`;
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hive-plugins-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function load(files: Record<string, string>, set: Record<string, unknown>) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  writeFileSync(join(directory, 'config.json'), edited(set));
  return loadWithPlugins(join(directory, 'config.json'), { env: {} });
}

/** The problems of a configuration with these modules as its plugins, without the directory's name. */
async function problems(
  files: Record<string, string>,
  plugins: string[],
  set: Record<string, unknown> = {},
): Promise<string[]> {
  try {
    await load(files, { plugins, ...set });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String((error as Error).stack));
    return error.problems.map((problem) =>
      `${problem.code} ${formatProblem(problem)}`.replace(/\S+config\.json:\d+:\d+: /, '').replaceAll(directory, ''),
    );
  }
  return [];
}

test('plugins come from files and packages, found from where the configuration is', async () => {
  const { config, plugins } = await load(
    {
      'plugins/one.mjs': echoing('one'),
      'node_modules/two/package.json': '{ "type": "module", "exports": "./main.js" }',
      'node_modules/two/main.js': echoing('two'),
    },
    {
      plugins: ['./plugins/one.mjs', 'two'],
      'clients.hooks.greet': [
        { hook: 'one', args: null },
        { hook: 'two', args: null },
      ],
    },
  );
  assert.deepEqual(config.plugins, [join(directory, 'plugins/one.mjs'), 'two']);
  assert.ok(plugins.hook('one') && plugins.hook('two') && plugins.hook('utils.echo'));
});

test('the list of plugins may be in a file of its own and come from the environment', async () => {
  const files = { 'lists/plugins.json': `["\${MINE}"]`, 'mine.mjs': echoing('mine') };
  const error = await load(files, { plugins: 'lists/plugins.json' }).catch((refused: unknown) => refused);
  assert.ok(error instanceof ConfigError && error.problems[0]?.path === 'plugins[0]');
  const { plugins } = await loadWithPlugins(join(directory, 'config.json'), { env: { MINE: './mine.mjs' } });
  assert.ok(plugins.hook('mine'));
});

test("args of a user's plugin are checked and completed as those of the built-in ones", async () => {
  const limit = plugin(`{ hooks: { limit: {
    args: Type.Object({ rate: Type.Integer({ minimum: 1 }), burst: Type.Integer({ default: 5 }) }, { additionalProperties: false }),
    check: ({ rate, burst }) => rate > burst ? { code: 'bad_config', path: 'rate', reason: 'is above burst' } : undefined,
    create: () => () => {},
  } } }`);
  const hooks = (args: unknown) => ({ 'clients.hooks.greet': [{ hook: 'limit', args }] });
  const { config } = await load({ 'limit.mjs': limit }, { plugins: ['./limit.mjs'], ...hooks({ rate: 2 }) });
  assert.deepEqual(config.clients.hooks.greet, [{ hook: 'limit', args: { rate: 2, burst: 5 } }]);
  const refused = (args: unknown) => problems({}, ['./limit.mjs'], hooks(args));
  assert.deepEqual(await refused({ rat: 2 }), [
    'bad_config clients.hooks.greet[0].args.rate → is missing',
    'bad_config clients.hooks.greet[0].args.rat → unknown key (did you mean "rate"?)',
  ]);
  assert.deepEqual(await refused({ rate: 9 }), ['bad_config clients.hooks.greet[0].args.rate: 9 → is above burst']);
});

test('a module that is not there is one problem, which names it', async () => {
  const [file, name, ...more] = await problems({}, ['./nowhere.mjs', 'hive-nowhere']);
  assert.match(file ?? '', /^plugins_error plugins\[0\]: "\.\/nowhere\.mjs" → importing it failed: .*'\/nowhere\.mjs'/);
  assert.match(name ?? '', /^plugins_error plugins\[1\]: "hive-nowhere" → there is no such package, and .* `\.\/`/);
  assert.deepEqual(more, []);
});

test('a module that fails is one problem, with the place, and its names are not missed', async () => {
  const missed = { 'clients.hooks.greet': [{ hook: 'in.the.broken.one', args: null }] };
  const fails = async (text: string, expected: RegExp) => {
    const name = `./broken${text.length}.mjs`;
    const found = await problems({ [name]: text, 'sound.mjs': echoing('sound') }, ['./sound.mjs', name], missed);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0] ?? '', expected);
  };
  await fails(
    'null.x;\nexport default 1;',
    /plugins\[1\]: .* → importing it failed: TypeError: .* \(\/broken\S+:1:6\)$/,
  );
  await fails('import "nowhere-at-all";', /importing it failed: Error: Cannot find package 'nowhere-at-all'/);
  await fails('export const x = 1;', /it has no default export that definePlugin has made$/);
  await fails('export default { hooks: {} };', /it has no default export that definePlugin has made$/);
  await fails(
    "export default { [Symbol.for('hive.plugin')]: true };",
    /its default export was made by another installation of Hive$/,
  );
});

test('a misshapen part is named', async () => {
  const says = async (parts: string, expected: string) => {
    const name = `./bad${parts.length}.mjs`;
    const [problem] = await problems({ [name]: plugin(parts) }, [name]);
    assert.ok(problem?.includes(expected), problem);
  };
  await says('{ hook: {} }', 'definePlugin: hook: unknown key (did you mean "hooks"?)');
  await says('{ hooks: [] }', 'definePlugin: hooks: must be an object');
  await says('{ hooks: { a: { args: Type.Null() } } }', 'definePlugin: hooks["a"].create: must be a function');
  await says('{ actions: { a: { create() {} } } }', 'definePlugin: actions["a"].args: must be a schema');
  // And what to write instead.
  await says('{ hooks: { a: { args: Type.Null() } } }', 'create: (args, services) => async (client, trigger) => {},');
  await says('{ connectors: { a: { args: {}, create() {} } } }', 'connectors["a"].probe: must be a function');
  await says("{ hooks: { a: { args: {}, create() {}, argsCode: 'x' } } }", 'hooks["a"].argsCode: must be a code');
  await says('{ hooks: { a: { args: {}, create() {}, check: 1 } } }', 'hooks["a"].check: must be a function');
  await says("{ hooks: { a: { args: { type: 'text' }, create() {} } } }", 'the schema of the args of a is wrong: ');
});

test('a name that is taken is refused, and by whom it is taken is said', async () => {
  const files = { 'one.mjs': echoing('mine'), 'two.mjs': echoing('mine'), 'three.mjs': echoing('hp.post') };
  assert.deepEqual(await problems(files, ['./one.mjs', './two.mjs', './three.mjs']), [
    'plugins_error plugins[1]: "./two.mjs" → the hook mine is in /one.mjs already',
    'plugins_error plugins[2]: "./three.mjs" → the hook hp.post is in Hive already',
  ]);
});

test('a check that crashes is a problem of the configuration', async () => {
  const crashing = plugin(
    '{ hooks: { bad: { args: Type.Null(), check() { throw new RangeError("oops"); }, create: () => () => {} } } }',
  );
  assert.deepEqual(
    await problems({ 'bad.mjs': crashing }, ['./bad.mjs'], { 'clients.hooks.greet': [{ hook: 'bad', args: null }] }),
    ["plugins_error clients.hooks.greet[0].args → the plugin's check of its args crashed: RangeError: oops"],
  );
});

test('an unknown name is still an error, and the names of plugins are among what may be meant', async () => {
  const set = { 'clients.hooks.greet': [{ hook: 'my.hok', args: null }] };
  assert.deepEqual(await problems({ 'mine.mjs': echoing('my.hook') }, ['./mine.mjs'], set), [
    'plugins_error clients.hooks.greet[0]: "my.hok" → there is no hook of that name (did you mean "my.hook"?)',
  ]);
});
