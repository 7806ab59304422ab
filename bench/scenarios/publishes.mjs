/** e: back ends publish over HTTP; one client has joined the room. */
import { connectCrowd } from '../lib/crowd.mjs';
import { News } from '../lib/news.mjs';

const connections = 50;
const room = 'bench.room';

export const publishes = {
  name: 'publishes',
  letter: 'e',
  title: 'Publishes over the HTTP API, 50 kept-alive connections, one subscriber',
  unit: 'publishes',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive'],
  targets: [{ of: 'hive', than: 'socketio-uws', atLeast: 1 }],
  async run(measurement) {
    const server = await measurement.start();
    const window = measurement.window();
    const { fail, guard } = window;
    const crowd = await connectCrowd(1, () => server.clients, { room, fail, guard });
    const { api, publishing } = server;
    return window.measure(
      new News(crowd, { api, publishing: publishing.publish, room, publishers: connections, fail }).start(),
    );
  },
};
