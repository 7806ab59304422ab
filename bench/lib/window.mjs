/**
 * The measured time: what a contestant did in it, per second of processor time that its processes used, and how busy it and the
 * load generator were.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { cpuSeconds, ownCpuSeconds } from './cpu.mjs';
import { Spinner } from './spin.mjs';

/** How often the clocks are looked at. */
const lookMs = 20;
/** On a busy machine a second of processor time takes longer; this much longer at most. */
const patience = 8;
/** Also for a moment of measuring, in which a busy machine may give the servers no turn. */
const leastPatienceMs = 10_000;
/** Time without progress after which what is under way counts as lost. */
const usualLossMs = 10_000;
/** Time after the last arrival for anything that was sent twice to turn up. */
const echoMs = 100;

export class Window {
  #seconds;
  #warmup;
  #pids;
  #lossMs;
  #fault;
  #reject;
  #spinner = new Spinner();
  #failed = new Promise((_, reject) => {
    this.#reject = reject;
  });
  onStart = async () => {};
  onEnd = async () => {};

  /** @param options `seconds` and `warmup`: processor time of the servers that is measured, and that goes before; `pids`: theirs */
  constructor({ seconds, warmup, pids, lossMs = usualLossMs }) {
    this.#lossMs = lossMs;
    this.#seconds = seconds;
    this.#warmup = warmup;
    this.#pids = pids;
    this.#failed.catch(() => {});
  }

  /** Ends the measurement with an error. To be passed around. */
  fail = (error) => {
    this.stop();
    this.#fault ??= error;
    this.#reject(this.#fault);
  };

  /** Resolves with the promise, unless something fails before. */
  guard = (promise) => Promise.race([promise, this.#failed]);

  /**
   * @param load `count`: operations done so far; `stop`: no new ones; `pending`: operations under way
   * @returns figures of the measured time
   */
  async measure({ count, stop, pending }) {
    await this.#spend(this.#warmup);
    await this.onStart();
    const before = this.#clocks(count());
    await this.#spend(this.#seconds);
    const after = this.#clocks(count());
    await this.onEnd();
    stop();
    await this.#settle(count, pending);
    const wall = (after.wall - before.wall) / 1000;
    const cpu = after.cpu - before.cpu;
    if (cpu <= 0) throw new Error('the servers used no measurable processor time');
    const operations = after.count - before.count;
    if (operations === 0) throw new Error('nothing was done in the measured time');
    return { perCpuSecond: operations / cpu, perSecond: operations / wall, ...shares(before, after) };
  }

  /**
   * For a load that keeps its own pace: what the servers use for so long on the clock, ms. There is nothing to be held up by a generator
   * that sleeps.
   * @param onStart called after the warm-up
   * @returns figures of that time
   */
  async watch(warmupMs, ms, onStart) {
    this.#spinner.stop();
    await this.guard(pause(warmupMs));
    await this.onStart();
    onStart();
    const before = this.#clocks(0);
    await this.guard(pause(ms));
    const after = this.#clocks(0);
    await this.onEnd();
    return { cpuSeconds: after.cpu - before.cpu, ...shares(before, after) };
  }

  /** Lets the generator sleep again. */
  stop() {
    this.#spinner.stop();
  }

  /** Waits until the servers have used so much processor time. */
  async #spend(seconds) {
    const until = cpuSeconds(this.#pids) + seconds;
    const deadline = performance.now() + Math.max(leastPatienceMs, patience * seconds * 1000);
    do await this.guard(pause(lookMs));
    while (cpuSeconds(this.#pids) < until && performance.now() < deadline);
  }

  /** Waits until everything that was sent has arrived, and a little longer, for what arrives twice. */
  async #settle(count, pending) {
    let last = count();
    let quietSince = performance.now();
    while (pending() > 0) {
      await this.guard(pause(5));
      if (count() !== last) {
        last = count();
        quietSince = performance.now();
      } else if (performance.now() - quietSince > this.#lossMs) {
        throw new Error(`${pending()} operations never completed: something was lost`);
      }
    }
    await this.guard(pause(echoMs));
  }

  #clocks(count) {
    return {
      count,
      wall: performance.now(),
      cpu: cpuSeconds(this.#pids),
      own: ownCpuSeconds(),
      idleMs: this.#spinner.idleMs,
    };
  }
}

/** How busy servers and generator were. */
function shares(before, after) {
  const wall = (after.wall - before.wall) / 1000;
  return {
    serverShare: (after.cpu - before.cpu) / wall,
    generatorShare: (after.own - before.own - (after.idleMs - before.idleMs) / 1000) / wall,
  };
}
