/** e: back ends publish over HTTP; one client has joined the room, or with two nodes one at each. */
import { connectCrowd } from '../lib/crowd.mjs';
import { News } from '../lib/news.mjs';

const connections = 50;
const room = 'bench.room';

async function publishTo(servers, measurement) {
  const window = measurement.window();
  const { fail, guard } = window;
  const crowd = await connectCrowd(servers.length, (index) => servers[index].clients, { room, fail, guard });
  const [{ api, publishing }] = servers;
  const way = publishing[measurement.variant ?? 'publish'];
  return window.measure(new News(crowd, { api, publishing: way, room, publishers: connections, fail }).start());
}

export const publishes = {
  name: 'publishes',
  letter: 'e',
  title: 'Publishes over the HTTP API, 50 kept-alive connections, one subscriber',
  unit: 'publishes',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive'],
  targets: [{ of: 'hive', than: 'socketio-uws', atLeast: 1 }],
  run: async (measurement) => publishTo([await measurement.start()], measurement),
};

/** A message is counted at each of the two subscribers. */
export const publishesToTwo = {
  name: 'publishes-confirmed',
  letter: 'e',
  title: 'Publishes over the HTTP API of one of two nodes, one subscriber at each, confirmed by the other node or not',
  unit: 'deliveries',
  contestants: ['hive:publish', 'hive:unconfirmed'],
  ratios: false,
  targets: [{ of: 'hive:publish', than: 'hive:unconfirmed', atLeast: 0.9 }],
  run: async (measurement) => publishTo(await measurement.startPair(), measurement),
};
