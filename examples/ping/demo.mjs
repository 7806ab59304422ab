#!/usr/bin/env node
/** Runs the whole example, a node and the server of its page, until Ctrl-C. */
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, python, runDemo } from '../shared/demo/demo.mjs';
import { local, readConfig, serverAt } from '../shared/demo/settings.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const file = join(here, 'config.json');
const shown = relative(process.cwd(), file);

const config = readConfig(file);
const server = {
  ...serverAt(config.hive.allowed_origins[0]),
  who: 'the page',
  change: `hive.allowed_origins in ${shown}`,
};
const options = ['--host', server.host, '--port', String(server.port), '--node', `ping=${local(config.hive.port)}`];

await runDemo({
  settings: { nodes: [{ name: 'hive', config }], server },
  fileOf: () => shown,
  programs: [python('page', join(here, 'page.py'), ...options), node('hive', file)],
  summary: () => [
    ['The page', `${server.url}/   (open it in two windows)`],
    ['Config', shown],
  ],
});
