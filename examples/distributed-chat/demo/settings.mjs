/** The configuration of the distributed chat: with Redis as it is in its files, or without. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, readJson, serverAt } from '../../shared/demo/settings.mjs';

const nodeNames = ['node1', 'node2'];

/** `nodes` with their files and whole configurations, the `server` of the page, and `redis` (if a pool is configured) with host and port. */
export function readSettings(folder, fileOf) {
  const nodes = nodeNames.map((name) => {
    const file = join(folder, `${name}.json`);
    return { name, file, config: readConfig(file) };
  });
  const { pools } = nodes[0].config.connectors;
  const origins = nodeNames.map(fileOf).join(' and ');
  const server = {
    ...serverAt(pools.backend.args.base_url),
    who: 'the back end and the page',
    change: `pools.backend.args.base_url in ${fileOf('connectors')} and hive.allowed_origins in ${origins}`,
  };
  const redis = Object.values(pools).find((pool) => pool.connector === 'connector.redis')?.args;
  return { nodes, server, redis };
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
