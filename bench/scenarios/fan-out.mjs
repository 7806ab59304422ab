/** b: messages to a room that many clients have joined. */
import { connectCrowd } from '../lib/crowd.mjs';
import { News } from '../lib/news.mjs';

/** Messages under way at a time. */
const publishers = 16;
const room = 'bench.room';

export function fanOut(subscribers) {
  return {
    name: `fan-out-${subscribers}`,
    letter: 'b',
    title: `Fan-out to ${subscribers.toLocaleString('en-US')} subscribers`,
    unit: 'deliveries',
    contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive:publish', 'hive+recovery:publish', 'hive:action'],
    quick: subscribers > 1000 ? ['hive:publish', 'hive:action'] : undefined,
    targets: [
      { of: 'hive:publish', than: 'uws', atLeast: 0.95 },
      { of: 'hive:action', than: 'uws', atLeast: 0.95 },
      { of: 'hive+recovery:publish', than: 'hive:publish', atLeast: 0.9 },
    ],
    async run(measurement, { clients = subscribers } = {}) {
      const server = await measurement.start();
      const window = measurement.window();
      const crowd = await connectCrowd(measurement.size(clients), () => server.clients, {
        room,
        fail: window.fail,
        guard: window.guard,
      });
      return window.measure(
        new News(crowd, {
          api: server.api,
          publishing: server.publishing[measurement.variant] ?? server.publishing.publish,
          room,
          publishers,
          fail: window.fail,
        }).start(),
      );
    },
  };
}
