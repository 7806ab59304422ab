/** Runs the programs of an example together, from the first one's start until Ctrl-C. */
import { existsSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { obstacles } from './obstacles.mjs';
import { Program } from './program.mjs';

const RESTART_MS = 5000; // long enough to see what goes on without the program

const hive = fileURLToPath(new URL('../../../dist/bin/hive.js', import.meta.url));
/** A node, by the configuration it runs. */
export function node(name, file) {
  return new Program(name, process.execPath, [hive, 'run', file]);
}

/** A server of an example that Node runs. */
export function nodeScript(name, script, ...options) {
  return new Program(name, process.execPath, [script, ...options]);
}

/** A Python server of an example. */
export function python(name, script, ...options) {
  return new Program(name, 'python3', [script, ...options], { env: { PYTHONDONTWRITEBYTECODE: '1' } });
}

/** A Redis server that keeps nothing on the disk. */
export function redisServer({ host, port }) {
  const args = ['--bind', host, '--port', String(port), '--save', '', '--appendonly', 'no'];
  // It would load what another one has left there.
  args.push('--dir', tmpdir(), '--dbfilename', `hive-demo-${process.pid}.rdb`);
  return new Program('redis', 'redis-server', args, { ready: 'Ready to accept connections', quiet: true });
}

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** The programs that have been started, in that order. */
class Running {
  #programs = [];
  #stopping = false;
  #signals = 0;

  /** Starts them one after the other; false if it was told to stop meanwhile. */
  async start(programs) {
    for (const program of programs) {
      if (this.#stopping) return false;
      this.#programs.push(program);
      await program.start();
    }
    for (const program of programs) this.#keep(program).catch((error) => this.giveUp(error));
    return !this.#stopping;
  }

  /** Stops all, last first, and ends this process. */
  async stop(code) {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const program of this.#programs.toReversed()) await program.stop();
    process.exit(code);
  }

  /** As a node has it: the first stops all, the second tells what that waits for, the third ends everything at once. */
  signal(name) {
    this.#signals += 1;
    const left = this.#programs.filter((program) => program.runs);
    if (!this.#stopping) void this.stop(0);
    else if (this.#signals <= 2) {
      const names = left.map((program) => program.name).join(', ');
      say(`The demo is stopping; it waits for ${names || 'nothing'}. Another signal ends everything at once.`);
      // A node says by itself how long that takes.
      left.at(-1)?.signal('SIGTERM');
    } else {
      for (const program of left) program.signal('SIGKILL');
      process.exit(128 + constants.signals[name]);
    }
  }

  giveUp(error) {
    if (this.#stopping) return undefined;
    const gap = this.#programs.length > 0 ? '\n' : '';
    process.stderr.write(`${gap}${error.message}\n`);
    return this.stop(1);
  }

  /** Starts a program again whenever it ends, as a service manager would; gives up on one that cannot start any more. */
  async #keep(program) {
    for (;;) {
      const how = await program.ended;
      if (this.#stopping) return;
      say(`${program.name} ended (${how}); it will be started again in ${RESTART_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
      if (this.#stopping) return;
      await program.start();
      say(`${program.name} is back, process ${program.pid}`);
    }
  }
}

/**
 * Runs `programs` in this order. `settings` and `fileOf` are what could be in their way, see `obstacles`, in whose place
 * `findObstacles` may look for it; `summary()` gives the lines to print once all are ready, as pairs of a label and a text.
 */
export async function runDemo({ settings, fileOf, programs, summary, findObstacles = obstacles }) {
  const running = new Running();
  try {
    if (!existsSync(hive))
      throw new Error('Hive is not built yet: run `make build`, or start the demo with `make`, which builds it.');
    const found = await findObstacles(settings, fileOf);
    if (found.length === 1) throw new Error(`The demo cannot start: ${found[0]}`);
    if (found.length > 1) throw new Error(`The demo cannot start:\n\n  ${found.join('\n\n  ')}`);
    process.stdout.on('error', () => running.stop(1)); // nobody reads us any more
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => running.signal(signal));
    if (!(await running.start(programs))) return;
    say();
    for (const [label, text] of summary()) say(`  ${`${label}:`.padEnd(10)} ${text}`);
    say('  Ctrl-C stops everything.');
    say();
  } catch (error) {
    await running.giveUp(error);
  }
}
