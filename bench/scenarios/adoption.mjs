/** n: a server with 10,000 clients is killed, and another one takes all its sessions. No client comes back meanwhile. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connectCrowd } from '../lib/crowd.mjs';
import { encodeRequest, HttpClient } from '../lib/http-client.mjs';
import { newsEvent } from '../lib/messages.mjs';
import { RedisClient } from '../lib/redis-client.mjs';
import { clusterName, monitorKey } from '../servers/hive.mjs';

const room = 'bench.room';
/** Messages to everybody, all the while. */
const perSecond = 20;
/** Of a quick run, ms. */
const shortLease = 1000;
/** Between two looks, ms: each costs the server a little. */
const lookMs = 20;
const patienceMs = 60_000;
const megabyte = 1e6;

/** What becomes of the sessions: the contestant's variant. */
const outcomes = ['sessions', 'departures'];

export const adoption = {
  name: 'adoption',
  letter: 'n',
  title: 'A server with 10,000 clients is killed: another one takes their sessions',
  unit: 'ms from the end of the lease until all are taken',
  figure: 'takenMs',
  ratios: false,
  mostRuns: 1,
  wallSeconds: 'about 30',
  contestants: outcomes.map((outcome) => `hive+durable:${outcome}`),
  extras: [
    { figure: 'longestMs', label: 'event loop blocked for at most, ms' },
    { figure: 'cpuMs', label: 'CPU, ms' },
    { figure: 'commands', label: 'Redis commands per session' },
    { figure: 'peakMegabytes', label: 'memory meanwhile, MB more' },
    { figure: 'keptMegabytes', label: 'afterwards, MB more' },
  ],
  targets: outcomes.map((outcome) => ({ of: `hive+durable:${outcome}`, figure: 'longestMs', atMost: 50 })),
  needs: () => ['redis-server'],
  async run(measurement, { clients = 10_000 } = {}) {
    const isGoneOnWith = measurement.variant === 'sessions';
    const backEnd = isGoneOnWith ? undefined : await measurement.startBackEnd();
    const lease = measurement.isQuick ? shortLease : undefined;
    const settings = { recovery: isGoneOnWith, lease, backEnd: backEnd?.url };
    const { places, redis, settled } = await measurement.startPlaces(settings);
    const window = measurement.window();
    window.stop();
    const { fail, guard } = window;
    const [dying, living] = [await guard(places[0].start()), await guard(places[1].start())];
    await guard(settled([dying]));
    const count = measurement.size(clients);
    const crowd = await connectCrowd(count, () => dying.clients, { room, fail, guard });
    for (const client of crowd) {
      client.onEvent = () => {};
      client.onLost = () => {};
    }
    const taken = async () => (isGoneOnWith ? metric(living, 'clients.durable.adopted') : backEnd.requests);
    const store = new RedisClient(redis.clients);
    const commands = () => store.info('stats', 'total_commands_processed');
    const [owner] = await metric(dying, 'clients.durable.lease.owner');
    const before = await living.process.ask('memory');
    const talk = new Talk(living, fail);
    await dying.process.end('SIGKILL');
    const leftMs = Number((await store.ask('PTTL', `hive:${clusterName}:lease:${owner}`)).slice(1));
    const endsAt = performance.now() + leftMs;
    await guard(pause(leftMs - lookMs));
    const commandsBefore = await commands();
    const start = await living.process.ask('startPauses');
    while ((await guard(taken())) < count) {
      if (performance.now() > endsAt + patienceMs) throw new Error(`only ${await taken()} sessions were taken`);
      await guard(pause(lookMs));
    }
    const takenMs = performance.now() - endsAt;
    const { longestMs, user, system } = await living.process.ask('stopPauses');
    await guard(talk.end());
    const perSession = ((await commands()) - commandsBefore) / count;
    store.close();
    const peak = peakOf(living.pid);
    const after = await living.process.ask('memory');
    return {
      takenMs,
      longestMs,
      cpuMs: (user + system - start.user - start.system) / 1000,
      commands: perSession,
      peakMegabytes: (peak - before.rss) / megabyte,
      keptMegabytes: (after.rss - before.rss) / megabyte,
    };
  },
};

/** Publishes to the room until its end. */
class Talk {
  #api;
  #isOver = false;
  #talking;

  constructor({ api, publishing }, fail) {
    this.#api = new HttpClient(api);
    this.#api.onFault = fail;
    const { path, body } = publishing.publish(room, newsEvent);
    this.#talking = this.#talk(encodeRequest(api, 'POST', path, body));
  }

  async #talk(request) {
    for (; !this.#isOver; await pause(1000 / perSecond)) {
      const answered = new Promise((resolve) => {
        this.#api.onAnswer = resolve;
      });
      this.#api.send(request);
      await answered;
    }
  }

  async end() {
    this.#isOver = true;
    await this.#talking;
    this.#api.close();
  }
}

/** What the monitor of a server says. */
async function metric({ monitor: { host, port } }, path) {
  const answer = await fetch(`http://${host}:${port}/monitor/${monitorKey}/${path}`);
  return path.split('.').reduce((tree, name) => tree[name], await answer.json());
}

/** The largest resident set that a process has had, bytes. */
function peakOf(pid) {
  return 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}
