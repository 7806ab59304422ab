/** What the demo has to know of the example's configuration: it is read from the files, so that a changed port is changed here too. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const nodeNames = ['node1', 'node2'];

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** A configuration file with its included sections. */
function readConfig(folder, file) {
  const config = readJson(join(folder, file));
  for (const [section, value] of Object.entries(config)) {
    if (typeof value === 'string') config[section] = readJson(join(folder, value));
  }
  return config;
}

/** `nodes` with their files and whole configurations, `backend` and `redis` (if a pool is configured) with host and port. */
export function readSettings(folder) {
  const nodes = nodeNames.map((name) => {
    const file = join(folder, `${name}.json`);
    return { name, file, config: readConfig(folder, `${name}.json`) };
  });
  const { pools } = nodes[0].config.connectors;
  const backend = new URL(pools.backend.args.base_url);
  const redis = Object.values(pools).find((pool) => pool.connector === 'connector.redis')?.args;
  return { nodes, backend: { host: backend.hostname, port: Number(backend.port), url: backend.origin }, redis };
}

/** Writes the same configuration with the sessions' state in `sm.local` and no Redis pool. */
export function writeWithoutRedis(folder, target) {
  mkdirSync(target, { recursive: true });
  const write = (file, content) => writeFileSync(join(target, file), `${JSON.stringify(content, null, 2)}\n`);
  for (const name of nodeNames) write(`${name}.json`, readJson(join(folder, `${name}.json`)));
  write('pubsub.json', readJson(join(folder, 'pubsub.json')));
  const clients = readJson(join(folder, 'clients.json'));
  write('clients.json', { ...clients, state: { ...clients.state, state_manager: 'sm.local', args: null } });
  const connectors = readJson(join(folder, 'connectors.json'));
  const pools = Object.entries(connectors.pools).filter(([, pool]) => pool.connector !== 'connector.redis');
  write('connectors.json', { ...connectors, pools: Object.fromEntries(pools) });
}
