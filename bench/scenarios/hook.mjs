/** g: an event goes to an HTTP back end, whose answer has the client sent something. */
import { connectCrowd } from '../lib/crowd.mjs';
import { RoundTrips } from '../lib/round-trips.mjs';

export const hook = {
  name: 'hook',
  letter: 'g',
  title: 'Hook: an event, a request to the HTTP back end, the reply that its answer asks for',
  unit: 'round trips',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'hive'],
  byName: ['hive-undici'],
  quick: ['uws', 'socketio-uws', 'hive'],
  targets: [{ of: 'hive', than: 'socketio-uws', atLeast: 1.5 }],
  async run(measurement, { clients = 100 } = {}) {
    const { url: backEnd } = await measurement.startBackEnd();
    const server = await measurement.start({ backEnd });
    const window = measurement.window();
    const crowd = await connectCrowd(measurement.size(clients), () => server.clients, window);
    return window.measure(new RoundTrips(crowd, 'post', window.fail).start());
  },
};
