/**
 * The old fault: where no native build could be loaded, a JavaScript stub took its place that listened and answered nothing,
 * and the node said that it was ready.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DefaultNode, writeDefaultConfig } from '../support/default-node.ts';
import { hive } from '../support/hive-process.ts';
import { metric } from '../support/operator.ts';

/** Runs a node whose servers are told this by a module that is loaded before it. */
async function runWith(t: TestContext, module: string) {
  const directory = mkdtempSync(join(tmpdir(), 'hive-self-check-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'before.mjs');
  writeFileSync(file, module);
  const config = await writeDefaultConfig(directory, 'hive.json');
  return hive(['run', config], { HIVE_SOCKETS: 'node', NODE_OPTIONS: `--import ${pathToFileURL(file)}` });
}

const servers = `
  import { Server } from 'node:http';
  const { emit } = Server.prototype;
  Server.prototype.emit = function (event, ...args) {
    return event === 'request' ? answer(...args) : emit.call(this, event, ...args);
  };
`;

test('a node whose servers answer wrongly does not say that it is ready, but what is wrong', async (t) => {
  const { code, stdout, stderr } = await runWith(t, `${servers} const answer = (_, res) => res.end('me');`);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^not_answering: The client server at http:\/\/127\.0\.0\.1:\d+ gives a wrong answer: 200 "me"$/m,
  );
});

test('a node whose servers hang up neither', async (t) => {
  const { code, stdout, stderr } = await runWith(t, `${servers} const answer = ({ socket }) => socket.destroy();`);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^not_answering: The client server at http:\S+ does not answer: socket hang up$/m);
});

test('what a node asks itself is in no metric and no log', async (t) => {
  const node = await DefaultNode.start((config) => {
    config.log!.console_level = 'debug';
  });
  t.after(() => node.stop());
  for (const name of ['api.requests', 'api.hive.requests', 'api.errors'])
    assert.equal(await metric(node, name), 0, name);
  const http = ['requests', 'errors', '2XX', '4XX', 'hang_up'];
  for (const name of http) assert.equal(await metric(node, `clients.transports.http.${name}`), 0, name);
  assert.doesNotMatch(node.process.stderr, /hive\/version|\/health|request/i);
});
