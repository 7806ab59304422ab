#!/usr/bin/env node
/** Runs the whole example, the back end and a node, until Ctrl-C. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, python, runDemo } from '../shared/demo/demo.mjs';
import { local, readConfig, serverAt } from '../shared/demo/settings.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const file = join(here, 'config.json');
const shown = relative(process.cwd(), file);

const config = readConfig(file);
const server = {
  ...serverAt(config.connectors.pools.backend.args.base_url),
  who: 'the back end and the page',
  change: `connectors.pools.backend.args.base_url and hive.allowed_origins in ${shown}`,
};
const address = ['--host', server.host, '--port', String(server.port)];
const api = ['--api', local(config.api.port), '--key', config.api.hash];
const backend = join(here, 'backend/backend.py');

await runDemo({
  settings: { nodes: [{ name: 'hive', config }], server },
  fileOf: () => shown,
  programs: [
    python('backend', backend, ...address, ...api, '--node', `hive=${local(config.hive.port)}`),
    node('hive', file),
  ],
  summary: () => [
    ['The chat', `${server.url}/   (open it in two windows)`],
    ['Config', shown],
  ],
});
