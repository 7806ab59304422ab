/** c: clients send an event and get it back; each sends the next when it has the answer. */
import { connectCrowd } from '../lib/crowd.mjs';
import { RoundTrips } from '../lib/round-trips.mjs';

export const echo = {
  name: 'echo',
  letter: 'c',
  title: 'Echo: an event in, the same event out',
  unit: 'round trips',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive', 'hive+recovery'],
  targets: [
    { of: 'hive', than: 'socketio-uws', atLeast: 1.3 },
    { of: 'hive+recovery', than: 'hive', atLeast: 0.9 },
  ],
  async run(measurement, { clients = 100 } = {}) {
    const server = await measurement.start();
    const window = measurement.window();
    const crowd = await connectCrowd(measurement.size(clients), () => server.clients, window);
    return window.measure(new RoundTrips(crowd, 'echo', window.fail).start());
  },
};
