/** Who takes part, and how each is started. */
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './cpu.mjs';
import { hivePlaces, startHive, startHivePair } from './hive-node.mjs';
import { freePort } from './ports.mjs';
import { Process } from './processes.mjs';
import { Server } from './server.mjs';

const file = (name) => fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
const publish = (room, event) => ({ path: `/publish/${room}`, body: JSON.stringify(event) });
/** In socket.io each client is alone in a room of its id. */
const publishing = { publish, one: publish };

/** A program that prints `ready PORT`, and serves clients and publishers there. */
async function startProgram(name, protocol, { backEnd, redis, streams, recovery, sockets, port } = {}) {
  const process = Process.node(file(name), [], {
    env: {
      BACK_END: backEnd,
      REDIS: redis,
      RECOVERY: recovery && 'yes',
      ...(streams && { STREAMS: 'yes' }),
      ...(port && { PORT: port }),
      ...(sockets && { HIVE_SOCKETS: sockets }),
    },
  });
  const [, clients] = await process.line(/^ready (\d+)$/);
  return new Server(process, { clients: Number(clients), protocol, publishing });
}

function program(title, name, protocol) {
  return {
    title,
    start: (settings) => startProgram(name, protocol, settings),
    async startPair() {
      const redis = await startRedis();
      const settings = { redis: redis.port };
      return [await startProgram(name, protocol, settings), await startProgram(name, protocol, settings), redis];
    },
  };
}

/** The same with recovery of connections. */
function recovering({ title, start }) {
  return { title: `${title} with recovery`, start: (settings) => start({ ...settings, recovery: true }) };
}

/** The same with sessions that outlive their node. Redis counts. */
async function startDurable(settings) {
  const redis = await startRedis();
  return [await startHive({ ...settings, recovery: true, redis: redis.port }), redis];
}

const hive = { title: 'Hive', start: startHive, startPair: startHivePair };
const socketioUws = program('socket.io on uWebSockets.js', 'socketio-uws', 'socketio');
const socketioWs = program('socket.io on ws', 'socketio-ws', 'socketio');

export const contestants = {
  uws: program('raw uWebSockets.js', 'uws', 'plain'),
  'socketio-uws': socketioUws,
  'socketio-ws': socketioWs,
  'socketio-uws+recovery': recovering(socketioUws),
  'socketio-ws+recovery': recovering(socketioWs),
  ws: program('ws', 'ws', 'plain'),
  sockets: program('sockets without Hive', 'sockets', 'plain'),
  hive,
  'hive+recovery': recovering(hive),
  'hive+durable': {
    title: 'Hive with durable sessions',
    start: startDurable,
    startPlaces: (settings) => startPlaces(hivePlaces, settings),
  },
  'socketio+streams': {
    title: 'socket.io with Redis streams and recovery',
    startPlaces: () => startPlaces(socketioPlaces),
  },
  // `args.client` of its HTTP pool: the public client of undici. Not compared in the results; by name on the command line.
  'hive-undici': { title: 'Hive with undici', start: (settings) => startHive({ ...settings, client: 'undici' }) },
};

async function socketioPlaces(redis) {
  const ports = [await freePort(), await freePort()];
  const places = ports.map((port) => ({
    start: () => startProgram('socketio-ws', 'socketio', { redis, streams: true, recovery: true, port }),
  }));
  return { places, settled: async () => {} };
}

/** Places of two servers, and the Redis that connects them. */
async function startPlaces(placesOf, settings) {
  const redis = await startRedis();
  return { redis, ...(await placesOf(redis.port, settings)) };
}

/** Redis without persistence, on the servers' processor. */
async function startRedis() {
  const port = await freePort();
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const process = new Process('redis-server', options);
  await process.line(/Ready to accept connections/);
  const { pid } = process;
  return {
    process,
    pid,
    port,
    clients: { host: '127.0.0.1', port },
    get cpuSeconds() {
      return cpuSeconds([pid]);
    },
    stop: () => process.stop(),
  };
}
