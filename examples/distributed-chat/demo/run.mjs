/** Runs back end and nodes of the distributed chat. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, nodeScript, python, runDemo } from '../../shared/demo/demo.mjs';
import { local } from '../../shared/demo/settings.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The back ends: the example's own in Python, and one that needs nothing but Node. */
export const backEnds = {
  python: (...options) => python('backend', file('../backend/backend.py'), ...options),
  node: (...options) => nodeScript('backend', file('../backend-node/backend.mjs'), ...options),
};

/**
 * `settings` are those of `readSettings`, `backEnd` is one of `backEnds`; `more` are further lines of the summary. The rest goes
 * to `runDemo`.
 */
export async function runChat({ settings, backEnd, more, ...rest }) {
  const { server } = settings;
  const addresses = settings.nodes.flatMap(({ name, config }) => [
    '--api',
    local(config.api.port),
    '--node',
    `${name}=${local(config.hive.port)}`,
  ]);
  const { api, monitor } = settings.nodes[0].config;
  const nodes = settings.nodes.map(({ name, file: config }) => node(name, config));
  const last = nodes.at(-1);
  await runDemo({
    ...rest,
    settings,
    programs: [
      backEnd('--host', server.host, '--port', String(server.port), '--key', api.hash, ...addresses),
      ...nodes,
    ],
    summary: () => [
      ['The chat', `${server.url}/   (open it twice; ?node=1 and ?node=2 choose the node)`],
      ['Dashboard', `${local(monitor.port)}/monitor/${monitor.hash}/dashboard`],
      ...more,
      ['To try', `kill -9 ${last.pid}   ends ${last.name}; its clients move to the other node`],
    ],
  });
}

/** The example's own configuration. */
export const configFolder = join(file('..'), 'config');
