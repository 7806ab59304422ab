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
  lessIsBetter: true,
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive'],
  async run(measurement, { clients = 10_000 } = {}) {
    const server = await measurement.start();
    const window = measurement.window();
    const connect = (count) =>
      connectCrowd(count, () => server.clients, { room: 'bench.room', fail: window.fail, guard: window.guard });
    await connect(Math.min(first, clients));
    const before = await server.process.ask('memory');
    await measurement.profile('startHeapProfile');
    await connect(clients);
    await measurement.profile('stopHeapProfile', 'heapprofile');
    const after = await server.process.ask('memory');
    return {
      bytes: (after.rss - before.rss) / clients,
      heapBytes: (after.heapUsed - before.heapUsed) / clients,
    };
  },
};
