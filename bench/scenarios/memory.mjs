/**
 * a: what one more idle client costs. Some clients are there before the first measurement, so that what a server needs only once
 * does not count.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { connectCrowd } from '../lib/crowd.mjs';

const first = 1000;
/** What clients were sent is kept so long where they may come back, ms: it is no part of an idle client. */
const window = 100;
/** Time until it is forgotten. */
const idleMs = 10 * window;

export const memory = {
  name: 'memory',
  letter: 'a',
  title: 'Memory of an idle WebSocket client with one subscription',
  unit: 'bytes per client',
  figure: 'bytes',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive', 'hive+recovery'],
  quick: ['ws', 'hive', 'hive+recovery'],
  extras: [{ figure: 'heapBytes', label: 'of it JavaScript heap' }],
  targets: [
    { of: 'hive', atMost: 5000 },
    // All of it is JavaScript; the resident set grows by pages.
    { of: 'hive+recovery', than: 'hive', figure: 'heapBytes', moreAtMost: 200 },
  ],
  async run(measurement, { clients = 10_000 } = {}) {
    const server = await measurement.start({ window });
    const { fail, guard } = measurement.window();
    const [before, later] = [measurement.size(first), measurement.size(clients)];
    const connect = (count) => connectCrowd(count, () => server.clients, { room: 'bench.room', fail, guard });
    const idle = () => guard(pause(idleMs));
    await connect(before);
    await idle();
    const start = await server.process.ask('memory');
    await measurement.profile('startHeapProfile');
    await connect(later);
    await idle();
    await measurement.profile('stopHeapProfile', 'heapprofile');
    const end = await server.process.ask('memory');
    return {
      bytes: (end.rss - start.rss) / later,
      heapBytes: (end.heapUsed - start.heapUsed) / later,
    };
  },
};
