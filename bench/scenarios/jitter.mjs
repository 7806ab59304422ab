/** k: connections are cut, clients come back and are to miss nothing. */
import { Jitter } from '../lib/jitter.mjs';
import { RealClient } from '../lib/real-client.mjs';
import { RecoveringClient } from '../lib/recovering-client.mjs';
import { quantile } from '../lib/statistics.mjs';

const room = 'bench.room';
/** Clients that are socket.io-client itself. */
const real = 5;
const usual = { warmupMs: 15_000, ms: 60_000, everyMs: 15_000, awayMs: 2000 };
const moment = { warmupMs: 0, ms: 2000, everyMs: 1000, awayMs: 300 };
/** Messages per second to everybody, and to one client each. */
const rates = { perSecond: 20, singlesPerSecond: 100 };
/** Handshakes under way at a time: fewer than any server's backlog. */
const parallel = 50;
const than = 'socketio-uws+recovery';

function jitter({ name, title, contestants, quick, targets, silently }) {
  return {
    name,
    letter: 'k',
    title,
    unit: 'server CPU seconds',
    figure: 'cpuSeconds',
    mostRuns: 3,
    wallSeconds: usual.ms / 1000,
    contestants,
    quick,
    targets: [{ of: 'hive+recovery', figure: 'delivered', atLeast: 1, always: true }, ...targets],
    extras: [
      { figure: 'pace', label: 'published', exact: true },
      { figure: 'delivered', label: 'delivered, once and in order', exact: true },
      { figure: 'doubled', label: 'delivered twice', exact: true },
      { figure: 'unrecovered', label: 'returns not recovered', exact: true },
      { figure: 'replayP50', label: 'replay p50, ms' },
      { figure: 'replayP99', label: 'replay p99, ms' },
    ],
    async run(measurement, { clients = 1000 } = {}) {
      const { warmupMs, ms, everyMs, awayMs } = measurement.isQuick ? moment : usual;
      const server = await measurement.start();
      const window = measurement.window();
      const { fail, guard } = window;
      const all = Array.from({ length: measurement.size(clients) }, (_, index) => {
        // The real ones cannot go silently.
        const Client = index < real && !silently ? RealClient : RecoveringClient;
        const client = new Client(server.clients, room);
        client.onFault = fail;
        return client;
      });
      await guard(connectAll(all));
      const { api, publishing } = server;
      const load = new Jitter(all, { api, publishing, room, ...rates, everyMs, awayMs, silently, fail });
      load.start();
      const figures = await window.watch(warmupMs, ms, () => load.count());
      const { pace } = load;
      await guard(load.end());
      const { replaysMs, ...shares } = load.figures;
      return {
        ...figures,
        ...shares,
        pace,
        replayP50: quantile(replaysMs, 0.5),
        replayP99: quantile(replaysMs, 0.99),
      };
    },
  };
}

/** Connects them, and waits until all are in their room. */
export function connectAll(clients) {
  const waiting = [...clients];
  const connectNext = async () => {
    for (let client = waiting.pop(); client !== undefined; client = waiting.pop()) await connect(client);
  };
  return Promise.all(Array.from({ length: parallel }, connectNext));
}

function connect(client) {
  return new Promise((resolve) => {
    client.onReady = resolve;
    client.connect();
  });
}

export const jitters = [
  jitter({
    name: 'jitter',
    title: '1,000 clients, each cut every 15 s for 2 s, for a minute',
    contestants: [than, 'socketio-ws+recovery', 'hive+recovery'],
    quick: [than, 'hive+recovery'],
    targets: [
      { of: 'hive+recovery', than, atMost: 1 },
      { of: 'hive+recovery', than, figure: 'replayP50', atMost: 1 },
      { of: 'hive+recovery', than, figure: 'replayP99', atMost: 1 },
    ],
    silently: false,
  }),
  jitter({
    name: 'jitter-silent',
    title: 'The same, and the server is not told that a connection is gone',
    contestants: [than, 'hive+recovery'],
    quick: ['hive+recovery'],
    targets: [],
    silently: true,
  }),
];
