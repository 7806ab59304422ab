/** One run of one scenario with one contestant: its servers, their profiles, and their end. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackEnd } from './back-end.mjs';
import { contestants } from './contestants.mjs';
import { Process, startIdler } from './processes.mjs';
import { Window } from './window.mjs';

/** Clients in a quick run, at least. */
const fewest = 10;

export class Measurement {
  /** The part of the entry behind the colon, if any: how the contestant is used. Its meaning is the scenario's. */
  variant;
  /** Of every server, besides what the scenario says when it starts one. */
  settings = {};
  #contestant;
  #options;
  /** Processes whose time counts. */
  #counted = [];
  #windows = [];
  /** What else is to be stopped. */
  #others = [];

  /** @param options `{ scenario, entry, run, seconds, warmup, quick, profileDir? }` */
  constructor(options) {
    const [name, variant] = options.entry.split(':');
    this.#options = options;
    this.#contestant = contestants[name];
    this.variant = variant;
  }

  /** Whether this only has to show that everything works. */
  get isQuick() {
    return this.#options.quick;
  }

  /** How many clients take part: as many as wanted, or just a few, to see that it works. */
  size(clients) {
    return this.#options.quick ? Math.max(fewest, Math.round(clients / 50)) : clients;
  }

  async start(settings) {
    const [server] = await this.startAll(settings);
    return server;
  }

  /** The server, and what it needs, which counts as well. */
  async startAll(settings) {
    const processes = [await this.#contestant.start({ ...this.settings, ...settings })].flat();
    this.#counted.push(...processes);
    return processes;
  }

  /** Another contestant beside the measured one. */
  async startOther(name) {
    const server = await contestants[name].start(this.settings);
    this.#others.push(server);
    return server;
  }

  /** Two connected servers. What connects them counts. */
  async startPair() {
    const processes = await this.#contestant.startPair();
    this.#counted.push(...processes);
    return processes.slice(0, 2);
  }

  /** Two places for servers that are replaced: each `start`s one. What connects them is started. */
  async startPlaces(settings) {
    const { places, redis, settled } = await this.#contestant.startPlaces(settings);
    this.#others.push(redis);
    const start = async (place) => {
      const server = await place.start();
      this.#others.push(server);
      return server;
    };
    return { redis, settled, places: places.map((place) => ({ start: () => start(place) })) };
  }

  /** A program of `servers/` that takes no part, on the servers' processor. Resolves when it has printed that line. */
  async startProgram(name, args, line) {
    const file = fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
    const program = new Process(process.execPath, [file, ...args], { ipc: true });
    this.#others.push(program);
    await program.line(line);
    return program;
  }

  /** The HTTP back end of hooks. */
  async startBackEnd() {
    const backEnd = new BackEnd();
    this.#others.push(backEnd);
    await backEnd.start();
    return backEnd;
  }

  /** For times on the clock: the servers' processor does not sleep from now on. */
  keepAwake() {
    this.#others.push(startIdler());
  }

  /** The measured time, of everything started so far. */
  window() {
    const { seconds, warmup } = this.#options;
    const window = new Window({ seconds, warmup, pids: this.#counted.map(({ pid }) => pid) });
    this.#windows.push(window);
    for (const { process } of this.#counted) process.onCrash = window.fail;
    if (this.#options.profileDir) {
      window.onStart = () => this.profile('startProfile');
      window.onEnd = () => this.profile('stopProfile', 'cpuprofile');
    }
    return window;
  }

  /** Starts or stops a kind of profile in every server; does nothing unless profiles are wanted. */
  async profile(command, extension) {
    const { profileDir, scenario, entry, run } = this.#options;
    if (!profileDir) return;
    mkdirSync(profileDir, { recursive: true });
    const servers = this.#counted.filter(({ process }) => process.hasProbe);
    await Promise.all(
      servers.map(({ process }, index) => {
        const node = servers.length > 1 ? `-node${index + 1}` : '';
        const name = `${scenario}-${entry.replace(':', '-')}${node}-run${run}.${extension}`;
        return process.ask(command, { file: join(profileDir, name) });
      }),
    );
  }

  async stop() {
    for (const window of this.#windows) window.stop();
    await Promise.all([...this.#counted, ...this.#others].map((each) => each.stop()));
  }
}
