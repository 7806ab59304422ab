/** l: what it costs that sessions outlive their node. The Redis that keeps them is on the servers' processor and counts as one of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { connectCrowd } from '../lib/crowd.mjs';
import { News } from '../lib/news.mjs';
import { RedisClient } from '../lib/redis-client.mjs';
import { RoundTrips } from '../lib/round-trips.mjs';
import { median } from '../lib/statistics.mjs';

const room = 'bench.room';
const warmUpRoom = 'bench.warm';
const publishers = 16;
/** Messages whose way is timed, one at a time, and those that go before: what runs once per message is compiled late. */
const usual = { before: 5000, timed: 2000 };
const few = { before: 20, timed: 20 };
/** So long nothing happens in the scenario in which nothing happens, ms. */
const idleMs = 10_000;
const fewMs = 500;

const fanOut = {
  name: 'durable-fan-out',
  letter: 'l',
  title: 'Durable sessions: fan-out to 1,000 subscribers',
  unit: 'deliveries',
  // Of a thousand deliveries each, so that in a second there are few.
  longer: 3,
  contestants: ['hive+recovery', 'hive+durable'],
  targets: [{ of: 'hive+durable', than: 'hive+recovery', atLeast: 0.75 }],
  needs: () => ['redis-server'],
  async run(measurement, { clients = 1000 } = {}) {
    const server = await measurement.start();
    const window = measurement.window();
    const { fail, guard } = window;
    const options = { api: server.api, publishing: server.publishing.publish, fail };
    const [first] = await connectCrowd(1, () => server.clients, { room: warmUpRoom, fail, guard });
    const warmUp = new News([first], { ...options, room: warmUpRoom, publishers: 1 });
    await guard(warmUp.time((measurement.isQuick ? few : usual).before));
    warmUp.close();
    const crowd = await connectCrowd(measurement.size(clients), () => server.clients, { room, fail, guard });
    return window.measure(new News(crowd, { ...options, room, publishers }).start());
  },
};

const echo = {
  name: 'durable-echo',
  letter: 'l',
  title: 'Durable sessions: an event in, the same event out',
  unit: 'round trips',
  contestants: ['hive+recovery', 'hive+durable'],
  needs: () => ['redis-server'],
  async run(measurement, { clients = 100 } = {}) {
    const server = await measurement.start();
    const window = measurement.window();
    const crowd = await connectCrowd(measurement.size(clients), () => server.clients, window);
    return window.measure(new RoundTrips(crowd, 'echo', window.fail).start());
  },
};

/** Both nodes take turns, message by message, and so does the round trip, from where the nodes are. */
const latency = {
  name: 'durable-latency',
  letter: 'l',
  title: 'Durable sessions: time from a request to the arrival of its message',
  unit: 'ms',
  figure: 'durableMs',
  ratios: false,
  contestants: ['hive+durable:publish', 'hive+durable:one'],
  extras: [
    { figure: 'volatileMs', label: 'without durable, ms' },
    { figure: 'roundTripMs', label: 'round trip to Redis over bare TCP, ms' },
    { figure: 'added', label: 'added round trips' },
    { figure: 'libraryMs', label: 'with ioredis, ms' },
    { figure: 'addedByLibrary', label: 'added round trips of ioredis' },
  ],
  targets: [
    { of: 'hive+durable:publish', figure: 'added', atMost: 2 },
    { of: 'hive+durable:one', figure: 'added', atMost: 2 },
  ],
  needs: () => ['redis-server'],
  async run(measurement) {
    const [durable, redis] = await measurement.startAll();
    const other = await measurement.startOther('hive+recovery');
    const { fail, guard } = measurement.window();
    const { before, timed } = measurement.isQuick ? few : usual;
    const timers = [];
    for (const server of [other, durable]) {
      const clients = await connectCrowd(1, () => server.clients, { room, fail, guard });
      const way = server.publishing[measurement.variant];
      const to = measurement.variant === 'one' ? clients[0].sid : room;
      timers.push(new News(clients, { api: server.api, publishing: way, room: to, publishers: 1, fail }));
    }
    const pings = await measurement.startProgram('pings', [redis.port], /^ready$/);
    measurement.keepAwake();
    const times = [[], [], [], []];
    for (let i = 0; i < before + timed; i += 1) {
      const [[without], [as]] = [await guard(timers[0].time(1)), await guard(timers[1].time(1))];
      const bare = await guard(pings.ask('bare'));
      const trip = await guard(pings.ask('library'));
      if (i < before) continue;
      times[0].push(without);
      times[1].push(as);
      times[2].push(bare);
      times[3].push(trip);
    }
    for (const timer of timers) timer.close();
    const [volatileMs, durableMs, roundTripMs, libraryMs] = times.map(median);
    const addedMs = durableMs - volatileMs;
    return {
      durableMs,
      volatileMs,
      roundTripMs,
      libraryMs,
      added: addedMs / roundTripMs,
      addedByLibrary: addedMs / libraryMs,
    };
  },
};

/** What sessions take in Redis, and what they do to it while nothing happens. */
const idle = {
  name: 'durable-idle',
  letter: 'l',
  title: 'Durable sessions: 5,000 idle clients with one subscription',
  unit: 'bytes in Redis per client',
  figure: 'bytes',
  ratios: false,
  contestants: ['hive+durable'],
  extras: [
    { figure: 'commandsPerSecond', label: 'commands per second' },
    { figure: 'cpuShare', label: 'CPU of Redis', exact: true },
  ],
  targets: [],
  needs: () => ['redis-server'],
  async run(measurement, { clients = 5000 } = {}) {
    const [server, redis] = await measurement.startAll();
    const window = measurement.window();
    const { fail, guard } = window;
    const client = new RedisClient(redis.clients);
    const connect = (count) => connectCrowd(count, () => server.clients, { room, fail, guard });
    await connect(1);
    const before = await client.info('memory', 'used_memory');
    const count = measurement.size(clients);
    await connect(count);
    await guard(pause(measurement.isQuick ? fewMs : 1000));
    const bytes = ((await client.info('memory', 'used_memory')) - before) / count;
    const ms = measurement.isQuick ? fewMs : idleMs;
    const start = { commands: await client.info('stats', 'total_commands_processed'), cpu: redis.cpuSeconds };
    await guard(pause(ms));
    const end = { commands: await client.info('stats', 'total_commands_processed'), cpu: redis.cpuSeconds };
    client.close();
    const seconds = ms / 1000;
    return {
      bytes,
      // INFO is one of them.
      commandsPerSecond: (end.commands - start.commands - 1) / seconds,
      cpuShare: (end.cpu - start.cpu) / seconds,
    };
  },
};

export const durables = [fanOut, echo, latency, idle];
