/** h: the echo in a cluster of two, for clients at the node that owns them, and for clients that all reached the other one. */
import { connectUpgrading } from '../lib/crowd.mjs';
import { RoundTrips } from '../lib/round-trips.mjs';

export const relay = {
  name: 'relay',
  letter: 'h',
  title: 'Relayed: echo, with every client connected to the node that does not own it',
  unit: 'round trips',
  contestants: ['hive:owner', 'hive:other'],
  ratios: false,
  targets: [{ of: 'hive:other', than: 'hive:owner', atLeast: 0.5 }],
  async run(measurement, { clients = 100 } = {}) {
    const [owner, other] = await measurement.startPair();
    const window = measurement.window();
    const reached = measurement.variant === 'owner' ? owner : other;
    const crowd = await connectUpgrading(measurement.size(clients), owner.clients, reached.clients, window);
    return window.measure(new RoundTrips(crowd, 'echo', window.fail).start());
  },
};
