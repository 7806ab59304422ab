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

/** Writes the same configuration with the sessions' state in `sm.local` and no Redis pool, its files changed by `change(name, content)`. */
export function writeWithoutRedis(folder, target, change = (_name, content) => content) {
  mkdirSync(target, { recursive: true });
  const write = (name, content) => {
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(change(name, content), null, 2)}\n`);
  };
  for (const name of [...nodeNames, 'pubsub']) write(name, readJson(join(folder, `${name}.json`)));
  const clients = readJson(join(folder, 'clients.json'));
  write('clients', { ...clients, state: { ...clients.state, state_manager: 'sm.local', args: null } });
  const connectors = readJson(join(folder, 'connectors.json'));
  const pools = Object.entries(connectors.pools).filter(([, pool]) => pool.connector !== 'connector.redis');
  write('connectors', { ...connectors, pools: Object.fromEntries(pools) });
}

/** How many ports the demo needs in a row where it is moved away from those of its files. */
export const portsInARow = 9;

/**
 * A `change` for `writeWithoutRedis` that moves everything to ports from `first` on: the page, then clients, API and monitor of
 * each node, then the cluster. The nodes get names of their own, too, so that several demos can run on one machine.
 */
export function movedTo(first) {
  const idOf = (name) => `demo-${first}-${name}@127.0.0.1`;
  return (name, content) => {
    if (name === 'connectors') {
      const { backend } = content.pools;
      const args = { ...backend.args, base_url: `http://127.0.0.1:${first}` };
      return { ...content, pools: { ...content.pools, backend: { ...backend, args } } };
    }
    const index = nodeNames.indexOf(name);
    if (index < 0) return content;
    const [clients, api, monitor] = [1, 2, 3].map((offset) => first + 3 * index + offset);
    const hive = {
      ...content.hive,
      name: idOf(name),
      cluster_nodes: nodeNames.filter((other) => other !== name).map(idOf),
      cluster_port_min: first + 7,
      cluster_port_max: first + 8,
      port: clients,
      allowed_origins: [`http://127.0.0.1:${first}`, `http://localhost:${first}`, null],
    };
    return { ...content, hive, api: { ...content.api, port: api }, monitor: { ...content.monitor, port: monitor } };
  };
}
