/** Starts Hive: one node, or two that are connected. */
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { apiKey, writeConfig } from '../servers/hive.mjs';
import { freePort } from './ports.mjs';
import { Process } from './processes.mjs';
import { Server } from './server.mjs';

const program = fileURLToPath(new URL('../../dist/bin/hive.js', import.meta.url));
const connectMs = 20_000;

const publishing = {
  publish: (room, event) => ({ path: `/api/${apiKey}/pubsub/publish/${room}`, body: JSON.stringify(event) }),
  /** Answered before the other nodes have it. */
  unconfirmed: (room, event) => ({
    path: `/api/${apiKey}/pubsub/publish/${room}?confirm=node`,
    body: JSON.stringify(event),
  }),
  action: (room, event) => ({
    path: `/api/${apiKey}/pubsub/action/${room}`,
    body: JSON.stringify({ action: 'send', args: event }),
  }),
  one: (sid, event) => ({
    path: `/api/${apiKey}/clients/action/${sid}`,
    body: JSON.stringify({ action: 'send', args: event }),
  }),
};

/** Other nodes on the machine, and whoever maps their ports, take no part. */
const aloneInTheWorld = async () => ({ epmd_port: await freePort(), cluster_port_min: 0, cluster_port_max: 0 });

export async function startHive(given = {}) {
  if (!existsSync(program)) throw new Error('Hive is not built: npm run build');
  const settings = { cluster: await aloneInTheWorld(), ...given };
  const { dir, file } = writeConfig(settings);
  const process = Process.node(program, ['run', file], {
    env: given.sockets && { HIVE_SOCKETS: given.sockets },
  });
  const pattern = / is ready: clients \S+:(\d+)\S*, api \S+:(\d+)\S*, monitor \S+:(\d+)/;
  const [, clients, api, monitor] = await process.line(pattern);
  return new Server(process, {
    clients: Number(clients),
    api: Number(api),
    monitor: Number(monitor),
    protocol: 'socketio',
    publishing,
    cleanUp: () => rmSync(dir, { recursive: true, force: true }),
  });
}

export async function startHivePair() {
  const cluster = await aloneInTheWorld();
  const nodes = [await startHive({ name: 'bench1@127.0.0.1', cluster })];
  nodes.push(
    await startHive({ name: 'bench2@127.0.0.1', cluster: { ...cluster, cluster_nodes: ['bench1@127.0.0.1'] } }),
  );
  await connected(nodes[0], 2);
  return nodes;
}

/** Two nodes of a cluster with durable sessions, which can be replaced: each is started at the same place again. */
export async function hivePlaces(redis, given = {}) {
  const cluster = await aloneInTheWorld();
  const names = ['bench1@127.0.0.1', 'bench2@127.0.0.1'];
  const places = [];
  for (const name of names) {
    const port = await freePort();
    const apiPort = await freePort();
    const cluster_nodes = names.filter((other) => other !== name);
    const settings = { name, recovery: true, ...given, redis, apiPort, cluster: { ...cluster, cluster_nodes, port } };
    places.push({ start: () => startHive(settings) });
  }
  return { places, settled: ([server]) => connected(server, names.length) };
}

/** Waits until a node sees so many, itself included. */
async function connected({ api }, count) {
  const deadline = performance.now() + connectMs;
  for (;;) {
    const answer = await fetch(`http://${api.host}:${api.port}/api/${apiKey}/pubsub/subscribe/bench.x?cluster=true`);
    const { nodes } = await answer.json();
    if (nodes?.length === count) return;
    if (performance.now() > deadline) throw new Error(`the nodes did not connect: ${JSON.stringify(nodes)}`);
    await pause(20);
  }
}
