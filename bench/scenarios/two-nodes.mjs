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
const usuallyTimed = 500;
const fewTimed = 20;

export const twoNodes = {
  name: 'two-nodes',
  letter: 'f',
  title: 'Two nodes, 500 subscribers each, published at one',
  unit: 'deliveries',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'hive', 'hive:unconfirmed'],
  quick: ['uws', 'socketio-uws', 'hive', 'hive:unconfirmed'],
  extras: [
    { figure: 'farMs', label: 'time to the other node, ms' },
    { figure: 'nearMs', label: 'to the same node, ms' },
    { figure: 'firstFarMs', label: 'to the first of 500 at the other node, ms' },
    { figure: 'firstNearMs', label: 'at the same node, ms' },
  ],
  targets: [
    { of: 'hive', than: 'socketio-uws', atLeast: 1.2 },
    { of: 'hive', than: 'socketio-uws', figure: 'farMs', atMost: 0.5 },
    { of: 'hive', than: 'hive:unconfirmed', atLeast: 0.9 },
  ],
  /** All but Hive are connected by Redis. */
  needs: (entry) => (entry.startsWith('hive') ? [] : ['redis-server']),
  async run(measurement, { clients = 500 } = {}) {
    const [here, there] = await measurement.startPair();
    const window = measurement.window();
    const timed = measurement.isQuick ? fewTimed : usuallyTimed;
    const { fail, guard } = window;
    const turns = [here.clients, there.clients];
    const crowd = await connectCrowd(2 * measurement.size(clients), (index) => turns[index % 2], { room, fail, guard });
    const near = await connectCrowd(1, () => here.clients, { room: nearRoom, fail, guard });
    const far = await connectCrowd(1, () => there.clients, { room: farRoom, fail, guard });
    const options = { api: here.api, publishing: here.publishing[measurement.variant ?? 'publish'], fail };
    const news = new News(crowd, { ...options, room, publishers });
    const figures = await window.measure(news.start());
    news.close();
    measurement.keepAwake();
    const timeTo = async (clients, quietRoom) => {
      const quiet = new News(clients, { ...options, room: quietRoom, publishers: quietPublishers });
      const times = await guard(quiet.time(2 * timed));
      quiet.close();
      return median(times.slice(timed));
    };
    const nearMs = await timeTo(near, nearRoom);
    const farMs = await timeTo(far, farRoom);
    const [firstNearMs, firstFarMs] = await guard(
      timeToFirst(crowd, timed, { ...options, room, publishers: quietPublishers }),
    );
    return { ...figures, farMs, nearMs, firstFarMs, firstNearMs };
  },
};

/** Time until a message has reached anybody at each of the nodes, of which every other client is at the second. */
async function timeToFirst(clients, timed, options) {
  const quiet = new News(clients, options);
  const times = [[], []];
  let sentAt;
  let arrived;
  clients.forEach((client, index) => {
    const read = client.onEvent;
    const node = index % 2;
    client.onEvent = (bytes, start, end) => {
      if (!arrived[node]) times[node].push(performance.now() - sentAt);
      arrived[node] = true;
      read(bytes, start, end);
    };
  });
  await quiet.time(2 * timed, () => {
    arrived = [false, false];
    sentAt = performance.now();
  });
  quiet.close();
  return times.map((each) => median(each.slice(timed)));
}
