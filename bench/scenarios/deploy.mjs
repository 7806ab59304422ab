/** m: two servers are replaced one after the other, as at a deployment, or killed. */
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, endedCpuSeconds } from '../lib/cpu.mjs';
import { Deploy } from '../lib/deploy.mjs';
import { Balancer, LoyalClient } from '../lib/loyal-client.mjs';
import { connectAll } from './jitter.mjs';

const room = 'bench.room';
const usual = { clients: 2000, beforeMs: 5000, betweenMs: 3000, quietMs: 2000 };
const moment = { clients: 1000, beforeMs: 300, betweenMs: 300, quietMs: 500 };
/** Messages per second to everybody, and to one client each. */
const rates = { perSecond: 10, singlesPerSecond: 20 };
const signals = { stop: 'SIGTERM', kill: 'SIGKILL' };

export const deploy = {
  name: 'deploy',
  letter: 'm',
  title: 'Two servers with 2,000 clients are replaced one after the other',
  unit: 'server CPU seconds',
  figure: 'cpuSeconds',
  ratios: false,
  mostRuns: 1,
  wallSeconds: 'about 40',
  contestants: ['socketio+streams:stop', 'hive+durable:stop', 'socketio+streams:kill', 'hive+durable:kill'],
  quick: ['hive+durable:stop'],
  extras: [
    { figure: 'lost', label: 'messages lost' },
    { figure: 'doubled', label: 'twice' },
    { figure: 'late', label: 'out of order' },
    { figure: 'unrecovered', label: 'clients not recovered' },
    { figure: 'backMs', label: 'last client back after, ms' },
    { figure: 'awayP50', label: 'away p50, ms' },
    { figure: 'awayP99', label: 'away p99, ms' },
    { figure: 'expected', label: 'of messages' },
  ],
  targets: [],
  needs: () => ['redis-server'],
  async run(measurement) {
    const { clients: all, beforeMs, betweenMs, quietMs } = measurement.isQuick ? moment : usual;
    const { places, redis, settled } = await measurement.startPlaces();
    const window = measurement.window();
    window.stop();
    const { fail, guard } = window;
    const servers = [];
    for (const place of places) servers.push(await guard(place.start()));
    await guard(settled(servers));
    const balancer = new Balancer(servers.map(({ clients }) => clients));
    const clients = Array.from({ length: measurement.size(all) }, () => {
      const client = new LoyalClient(balancer, room);
      client.onFault = fail;
      return client;
    });
    await guard(connectAll(clients));
    const { api, publishing } = servers[0];
    const apis = new Balancer(servers.map((server) => server.api));
    const load = new Deploy(clients, { api: apis, host: api, publishing, room, ...rates });
    const spent = () => endedCpuSeconds() + cpuSeconds([redis.pid, ...servers.map(({ pid }) => pid)]);
    load.start();
    await guard(pause(beforeMs));
    const before = spent();
    const backs = [];
    for (const [at, place] of places.entries()) {
      const since = performance.now();
      await guard(servers[at].process.end(signals[measurement.variant]));
      servers[at] = await guard(place.start());
      backs.push(await guard(load.calm(since)));
      await guard(pause(betweenMs));
    }
    const after = spent();
    await guard(load.end(quietMs));
    return { cpuSeconds: after - before, backMs: Math.max(...backs), ...load.figures };
  },
};
