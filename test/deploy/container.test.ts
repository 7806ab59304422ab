/**
 * The Dockerfile, as far as it can be judged without building it; `npm run test:image` builds and runs the image. And the
 * configuration that the image has unless another one takes its place.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { dockerfileStages, imageEnvironment } from '../support/compose.ts';
import { deployed, unexpectedWarnings } from '../support/deploy.ts';
import { hive } from '../support/hive-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stages = dockerfileStages();
const image = stages.at(-1)!;
const keys = { HIVE_API_KEY: 'the-api-key-of-this-test', HIVE_MONITOR_KEY: 'the-monitor-key-of-this-test' };
const environment = { ...imageEnvironment(image), ...keys };
const config = deployed('container/hive.json');

/** What comes after an instruction of the image, as often as it is there. */
function said(instruction: string): string[] {
  return image.steps.filter((step) => step.instruction === instruction).map(({ rest }) => rest);
}

test('all that is copied into the image is in the repository, and nothing else is sent to the engine', () => {
  const [first, ...allowed] = readFileSync(join(root, '.dockerignore'), 'utf8').match(/^[^#\n].*$/gm)!;
  assert.equal(first, '*');
  const copied = stages
    .flatMap(({ steps }) => steps)
    .filter(({ instruction, options }) => instruction === 'COPY' && options.from === undefined)
    .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
  for (const path of copied) {
    assert.ok(existsSync(join(root, path)), path);
    assert.ok(allowed.includes(`!${path.split('/')[0]}`), `.dockerignore keeps ${path} away`);
  }
  const unused = allowed.filter(
    (line) => line.startsWith('!') && !copied.some((path) => path.split('/')[0] === line.slice(1)),
  );
  assert.deepEqual(unused, []);
});

test('its process is not that of root, by number as Kubernetes wants it, and is asked for its health', () => {
  assert.match(said('USER').at(-1)!, /^[1-9]\d*:[1-9]\d*$/);
  assert.match(said('HEALTHCHECK')[0]!, /\/live/);
  assert.deepEqual(said('STOPSIGNAL'), ['SIGTERM']);
});

test('its own configuration has neither mistakes nor warnings, and the ports that the image names', async () => {
  const { code, stdout, stderr } = await hive(['check', config], environment);
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(unexpectedWarnings(stdout + stderr), []);
  const { hive: node, api, monitor } = (await loadWithPlugins(config, { env: environment })).config;
  const named = said('EXPOSE')[0]!.split(' ').map(Number);
  for (const port of [node.port, api.port, monitor.port, monitor.health_port])
    assert.ok(named.includes(port!), `${port}`);
});
