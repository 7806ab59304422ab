/** f: two connected servers, subscribers at both, publishers at the first; and how long a message takes to the other. */
import { connectCrowd } from '../lib/crowd.mjs';
import { News } from '../lib/news.mjs';
import { median } from '../lib/statistics.mjs';

const publishers = 16;
const room = 'bench.room';
const nearRoom = 'bench.near';
const farRoom = 'bench.far';
const quietPublishers = 1;
/** Messages whose way is timed, one at a time; as many go before. */
const timed = 500;

export const twoNodes = {
  name: 'two-nodes',
  letter: 'f',
  title: 'Two nodes, 500 subscribers each, published at one',
  unit: 'deliveries',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'hive'],
  quick: ['uws', 'socketio-uws', 'hive'],
  extras: [
    { figure: 'farMs', label: 'time to the other node, ms' },
    { figure: 'nearMs', label: 'to the same node, ms' },
  ],
  targets: [
    { of: 'hive', than: 'socketio-uws', atLeast: 1.2 },
    { of: 'hive', than: 'socketio-uws', figure: 'farMs', atMost: 0.5 },
  ],
  /** All but Hive are connected by Redis. */
  needs: (entry) => (entry === 'hive' ? [] : ['redis-server']),
  async run(measurement, { clients = 500 } = {}) {
    const [here, there] = await measurement.startPair();
    const window = measurement.window();
    const { fail, guard } = window;
    const turns = [here.clients, there.clients];
    const crowd = await connectCrowd(2 * measurement.size(clients), (index) => turns[index % 2], { room, fail, guard });
    const near = await connectCrowd(1, () => here.clients, { room: nearRoom, fail, guard });
    const far = await connectCrowd(1, () => there.clients, { room: farRoom, fail, guard });
    const options = { api: here.api, publishing: here.publishing.publish, fail };
    const news = new News(crowd, { ...options, room, publishers });
    const figures = await window.measure(news.start());
    measurement.keepAwake();
    const timeTo = async (clients, quietRoom) => {
      const quiet = new News(clients, { ...options, room: quietRoom, publishers: quietPublishers });
      return median((await guard(quiet.time(2 * timed))).slice(timed));
    };
    const nearMs = await timeTo(near, nearRoom);
    const farMs = await timeTo(far, farRoom);
    return { ...figures, farMs, nearMs };
  },
};
