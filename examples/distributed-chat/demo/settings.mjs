/** The configuration of the distributed chat: with Redis as in its files or elsewhere, or without. */
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
  const pool = Object.values(pools).find(({ connector }) => connector === 'connector.redis');
  return { nodes, server, redis: pool && redisOf(pool.args) };
}

/** Where a Redis is, by the `args` of its pool. */
function redisOf({ host, port, url: text }) {
  if (text === undefined) return { host, port };
  const url = new URL(text);
  return {
    host: url.hostname.replaceAll(/[[\]]/g, ''),
    port: Number(url.port || 6379),
    url: text,
    isSecure: url.protocol === 'rediss:',
  };
}

const copied = [...nodeNames, 'pubsub', 'clients', 'connectors'];

/** Writes the configuration to another folder, its files changed by `change(name, content)`. */
function writeChanged(folder, target, change) {
  mkdirSync(target, { recursive: true });
  for (const name of copied) {
    const content = change(name, readJson(join(folder, `${name}.json`)));
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** Writes the same configuration with another Redis. */
export function writeWithRedisAt(url, folder, target) {
  writeChanged(folder, target, (name, content) => {
    if (name !== 'connectors') return content;
    const { database } = content.pools;
    const { host: _host, port: _port, database: _number, ...args } = database.args;
    return { ...content, pools: { ...content.pools, database: { ...database, args: { ...args, url } } } };
  });
}

/** Writes the same configuration without Redis: sessions end with their node. Its files are changed by `change(name, content)`. */
export function writeWithoutRedis(folder, target, change = (_name, content) => content) {
  writeChanged(folder, target, (name, content) => change(name, withoutRedis(name, content)));
}

function withoutRedis(name, content) {
  if (name === 'clients') {
    const { durable: _durable, ...clients } = content;
    return clients;
  }
  if (name !== 'connectors') return content;
  const pools = Object.entries(content.pools).filter(([, pool]) => pool.connector !== 'connector.redis');
  return { ...content, pools: Object.fromEntries(pools) };
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
