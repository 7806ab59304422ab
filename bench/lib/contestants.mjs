/** Who takes part: how each is started, and how it is spoken to. */
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiKey, writeConfig } from '../servers/hive.mjs';
import { Process } from './processes.mjs';

const server = (name) => fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
const hiveProgram = fileURLToPath(new URL('../../dist/bin/hive.js', import.meta.url));
const host = '127.0.0.1';

/** A server under measurement. */
class Contestant {
  constructor(process, { clients, api, protocol, publishing }) {
    this.process = process;
    /** Where clients connect. */
    this.clients = { host, port: clients, protocol };
    /** Where back ends publish. */
    this.api = { host, port: api };
    this.publishing = publishing;
  }

  get pid() {
    return this.process.pid;
  }

  stop() {
    return this.process.stop();
  }
}

const plainPublishing = (room, event) => ({ path: `/publish/${room}`, body: JSON.stringify(event) });

/** A program that prints `ready PORT` and serves clients and publishers there. */
function program(name, protocol) {
  return async ({ backEnd } = {}) => {
    const process = Process.node(server(name), [], { env: { BACK_END: backEnd } });
    const [, port] = await process.line(/^ready (\d+)$/);
    return new Contestant(process, { clients: Number(port), api: Number(port), protocol, publishing: plainPublishing });
  };
}

const hivePublishing = {
  publish: (room, event) => ({ path: `/api/${apiKey}/pubsub/publish/${room}`, body: JSON.stringify(event) }),
  action: (room, event) => ({
    path: `/api/${apiKey}/pubsub/action/${room}`,
    body: JSON.stringify({ action: 'send', args: event }),
  }),
};

async function hive({ variant = 'publish', ...settings } = {}) {
  if (!existsSync(hiveProgram)) throw new Error('Hive is not built: npm run build');
  const { dir, file } = writeConfig(settings);
  const process = Process.node(hiveProgram, ['run', file]);
  const [, clients, api] = await process.line(/ is ready: clients \S+:(\d+)\S*, api \S+:(\d+)/);
  const contestant = new Contestant(process, {
    clients: Number(clients),
    api: Number(api),
    protocol: 'socketio',
    publishing: hivePublishing[variant],
  });
  const stop = contestant.stop.bind(contestant);
  contestant.stop = async () => {
    await stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return contestant;
}

/** Name → title, and what starts it. A variant (`hive:action`) is the same server used differently. */
export const contestants = {
  hive: { title: 'Hive', start: hive },
  uws: { title: 'raw uWebSockets.js', start: program('uws', 'plain') },
  'socketio-uws': { title: 'socket.io on uWebSockets.js', start: program('socketio-uws', 'socketio') },
};

/** @param entry `name` or `name:variant` */
export function startContestant(entry, settings = {}) {
  const [name, variant] = entry.split(':');
  return contestants[name].start({ ...settings, ...(variant && { variant }) });
}
