/** An exception that nobody catches ended a node without a trace in its log: what was on stderr is all there was. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DefaultNode } from '../support/default-node.ts';
import { SocketClient } from '../support/socket-clients.ts';

const installation = fileURLToPath(new URL('../..', import.meta.url));

const plugin = `
import { definePlugin, Type } from 'hive-push';
const hook = (create) => ({ args: Type.Null(), create: () => create });
export default definePlugin({
  hooks: {
    'late.throw': hook((client, trigger) => {
      setTimeout(() => {
        client.log.info('the last line before it');
        throw trigger.event.args[0] === 'odd' ? Object.create(null) : new RangeError('nobody catches this');
      }, 1);
    }),
  },
});
`;

for (const [what, told] of [
  ['an error', /RangeError: nobody catches this/],
  ['odd', /\[Object: null prototype\] \{\} was thrown/],
] as const) {
  test(`an exception that nobody catches (${what}) is in crash.log, and the exit code is 1`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'hive-late-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(installation, join(directory, 'node_modules/hive-push'));
    writeFileSync(join(directory, 'late.mjs'), plugin);
    const node = await DefaultNode.start((config) => {
      config.plugins = [join(directory, 'late.mjs')] as never;
      config.log!.file_level = 'info';
      Object.assign(config.clients!.hooks as object, { late: [{ hook: 'late.throw', args: null }] });
    });
    t.after(() => node.stop());
    const client = await SocketClient.connect('4.8 websocket', node.url);
    client.emit('late', what);
    const { code, signal, stderr } = await node.process.finished;
    assert.deepEqual([code, signal], [1, null]);
    assert.match(stderr, /^hive_error: hive@127\.0\.0\.1 ends of an exception that nobody has caught: /m);
    const log = (name: string) => readFileSync(join(node.directory, 'log', name), 'utf8');
    const report = JSON.parse(log('crash.log').trim().split('\n').at(-1)!) as { msg: string; stack: string };
    assert.equal(report.msg, 'An exception that nobody has caught');
    assert.match(report.stack, told);
    assert.match(log('hive.log'), /the last line before it/);
    await client.disconnect();
  });
}
