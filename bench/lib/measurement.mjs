/** One run of one scenario with one contestant: its servers, their profiles, and their end. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startContestant } from './contestants.mjs';
import { Window } from './window.mjs';

export class Measurement {
  #options;
  #servers = [];
  #others = [];

  /** @param options `{ scenario, entry, run, seconds, warmup, profileDir? }` */
  constructor(options) {
    this.#options = options;
  }

  get quick() {
    return this.#options.quick;
  }

  /** Starts the contestant; its processor time counts. */
  async start(settings) {
    const server = await startContestant(this.#options.entry, settings);
    this.#servers.push(server);
    return server;
  }

  /** Remembers what is to be stopped at the end, and whose time does not count. */
  keep(other) {
    this.#others.push(other);
    return other;
  }

  /** The measured time, of all servers started so far. */
  window() {
    const { seconds, warmup } = this.#options;
    const window = new Window({
      seconds,
      warmup,
      pids: this.#servers.flatMap((server) => server.pids ?? [server.pid]),
    });
    for (const { process } of [...this.#servers, ...this.#others]) process.onCrash = window.fail;
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
    await Promise.all(
      this.#servers.map(({ process }, index) => {
        const name = `${scenario}-${entry.replace(':', '-')}-${index + 1}-run${run}.${extension}`;
        return process.ask(command, { file: join(profileDir, name) });
      }),
    );
  }

  async stop() {
    await Promise.all([...this.#servers, ...this.#others].map((each) => each.stop()));
  }
}
