/**
 * a: what one more idle client costs. Some clients are there before the first measurement, so that what a server needs only once
 * does not count.
 */
import { connectCrowd } from '../lib/crowd.mjs';

const first = 1000;

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
    { of: 'hive+recovery', than: 'hive', moreAtMost: 200 },
  ],
  async run(measurement, { clients = 10_000 } = {}) {
    const server = await measurement.start();
    const window = measurement.window();
    const [before, later] = [measurement.size(first), measurement.size(clients)];
    const connect = (count) =>
      connectCrowd(count, () => server.clients, { room: 'bench.room', fail: window.fail, guard: window.guard });
    await connect(before);
    const start = await server.process.ask('memory');
    await measurement.profile('startHeapProfile');
    await connect(later);
    await measurement.profile('stopHeapProfile', 'heapprofile');
    const end = await server.process.ask('memory');
    return {
      bytes: (end.rss - start.rss) / later,
      heapBytes: (end.heapUsed - start.heapUsed) / later,
    };
  },
};
