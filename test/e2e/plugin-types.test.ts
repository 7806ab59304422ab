/** The types of the package: what users write against the built Hive compiles, and what is wrong does not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const mistakes = `
import { Actor, definePlugin, Type, type Connector, type From, type HookPlugin, type WorkerMessage } from 'hive-push';

class Doubler extends Actor<WorkerMessage<number, number>> {
  receive(message: WorkerMessage<number, number>, from: From<number> | undefined): void {
    if (message.type === 'request') from?.reply(message.request * 2);
  }
}

const args = Type.Object({ rate: Type.Integer() });
// @ts-expect-error args are typed by their schema
definePlugin({ hooks: { a: { args, create: ({ rat }) => () => {} } } });
// @ts-expect-error an integer is no string
definePlugin({ hooks: { a: { args, create: ({ rate }) => () => void rate.length } } });
// @ts-expect-error a hook must be made
definePlugin({ hooks: { a: { args } } });
// @ts-expect-error there is no such kind
definePlugin({ hook: {} });
// @ts-expect-error there is no such code
definePlugin({ hooks: { a: { args, argsCode: 'bad', create: () => () => {} } } });
// @ts-expect-error a connector can be probed
definePlugin({ connectors: { a: { args, create: () => ({ worker: () => { throw 1; }, close() {} }) } } });

// @ts-expect-error the worker takes other requests
const source: Connector<string, number> = { worker: () => new Doubler(), close() {} };
definePlugin({
  hooks: {
    double: {
      args: Type.String(),
      create: (pool, { pools }) => async (client) => {
        const two: number = await pools.get<number, number>(pool).request(1);
        // @ts-expect-error not a request of this pool
        await pools.get<number, number>(pool).request('one');
        client.log.debug(String(two));
      },
    },
  },
  connectors: { double: { args, async probe() {}, create: (): Connector<number, number> => ({ worker: () => new Doubler(), close() {} }) } },
});
void source;

const apart: HookPlugin<{ rate: number }> = { args, create: ({ rate }) => () => void rate.toFixed() };
definePlugin({ hooks: { apart, both: { args: Type.String(), create: (text) => () => void text.length } } });
`;

test("the example's and the guide's plugins compile against the built package, and mistakes do not", () => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-types-'));
  try {
    mkdirSync(join(directory, 'node_modules/@types'), { recursive: true });
    symlinkSync(root, join(directory, 'node_modules/hive-push'));
    for (const name of ['@types/node', '@opentelemetry']) {
      symlinkSync(join(root, 'node_modules', name), join(directory, 'node_modules', name));
    }
    for (const file of ['examples/plugin/rate-limit.js', 'test/support/mischief-plugin.js']) {
      copyFileSync(join(root, file), join(directory, file.replaceAll('/', '-')));
    }
    for (const file of ['spans.js', 'telemetry.js', 'plugin.js']) {
      copyFileSync(join(root, 'examples/opentelemetry', file), join(directory, file));
    }
    const guide = ['plugins', 'events'].map((page) => readFileSync(join(root, `docs/${page}.md`), 'utf8')).join('\n');
    const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, text]) => text!);
    assert.ok(blocks.length > 0);
    for (const [index, text] of blocks.entries()) writeFileSync(join(directory, `guide-${index}.ts`), text);
    writeFileSync(join(directory, 'mistakes.ts'), mistakes);
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      allowJs: true,
      checkJs: true,
      noEmit: true,
    };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.js'] }));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', directory], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
