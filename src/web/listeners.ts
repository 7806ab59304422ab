/**
 * The listening servers of a node, which must close before the process runs out of open files. A server that cannot
 * accept for want of files spins: the connection goes on waiting, and so the event loop is told of it at once, again and again.
 * Nobody else is accepted meanwhile, not even those who want to see what is wrong.
 *
 *     all ◀─────────── files left ──────────────▶ 0
 *      │ clients are let in │ refused │ not accepted │       2, then 1 reserve left; let in again at 3
 *      │           API and monitor are accepted           │   then they close in turn
 *
 * Connections come faster than anybody looks, hundreds at once. So the reserve is not counted, but held in files of no use
 * (`/dev/null`), and set free when the clients’ listener has closed.
 */
import { closeSync } from 'node:fs';
import type { Log } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type OpenFiles, openSpare, reserveOf } from '../observe/open-files.ts';
import type { Listening, SocketLibrary } from './sockets/types.ts';

/** A look costs a few microseconds, and this is how long servers may spin. */
const lookMs = 50;

/** Whoever comes and goes about the limit fills no log. */
const tellMs = 60_000;

/** At how many files left a listener closes and opens again, as shares of the reserve. */
const shares = {
  clients: { closes: 1, opens: 3 },
  api: { closes: 1 / 4, opens: 1 / 2 },
  monitor: { closes: 1 / 8, opens: 1 / 4 },
} as const;

const refusing = 2;

interface Listener {
  readonly listening: Listening;
  readonly closes: number;
  readonly opens: number;
  isOpen: boolean;
  /** It was told that it cannot open again. */
  isBarred: boolean;
}

export class Listeners {
  readonly #files: OpenFiles | undefined;
  readonly #reserve: number;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  readonly #timer: NodeJS.Timeout | undefined;
  /** Numbers of the files that hold the reserve. */
  #held: number[] = [];
  #isShort = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isTold = false;

  /** @param files undefined: there is no limit, and nothing is done */
  constructor(files: OpenFiles | undefined, log: Log, metrics: Metrics) {
    this.#files = files;
    this.#log = log;
    this.#reserve = files ? reserveOf(files.limit) : 0;
    metrics.gauge('hive.open_files.open', () => this.#inUse());
    metrics.gauge('hive.open_files.limit', () => files?.limit ?? 0);
    if (!files) return;
    this.#held = openSpare(this.#reserve);
    this.look();
    this.#timer = setInterval(() => this.look(), lookMs).unref();
  }

  /** Why no further clients are let in; undefined while they are. */
  get shortage(): string | undefined {
    return this.#isShort ? `open files run short: at most ${this.#files?.limit} may be open` : undefined;
  }

  /** The library, with the listening of its servers in the care of this. */
  keep(library: SocketLibrary, whose: keyof typeof shares): SocketLibrary {
    if (!this.#files) return library;
    return {
      createApp: (tls, mayBeProxied) => {
        const app = library.createApp(tls, mayBeProxied);
        const listen = app.listen.bind(app);
        return Object.assign(app, {
          listen: async (host: string, port: number) => this.#hang(await listen(host, port), whose),
        });
      },
    };
  }

  #hang(listening: Listening, whose: keyof typeof shares): Listening {
    const { closes, opens } = shares[whose];
    const listener: Listener = {
      listening,
      closes: closes * this.#reserve,
      opens: opens * this.#reserve,
      isOpen: true,
      isBarred: false,
    };
    this.#listeners.add(listener);
    const stop = (): void => {
      this.#listeners.delete(listener);
      listening.stop();
    };
    return {
      port: listening.port,
      stop,
      pause: () => listening.pause(),
      resume: () => listening.resume(),
    };
  }

  /** Sees how many files are left, and does what is due. */
  look(): void {
    if (!this.#files) return;
    const open = this.#inUse();
    const left = this.#files.limit - open;
    if (!this.#isShort && left < refusing * this.#reserve) this.#begin(open);
    for (const listener of this.#listeners) if (listener.isOpen && left <= listener.closes) this.#close(listener);
    for (const listener of this.#listeners)
      if (!listener.isOpen && this.#has(left, listener.opens)) void this.#reopen(listener);
    if (this.#isShort && this.#has(left, shares.clients.opens * this.#reserve)) this.#end();
  }

  #inUse(): number {
    return this.#files ? this.#files.count() - this.#held.length : 0;
  }

  /** The count may be too low; what can be opened, can. */
  #has(left: number, wanted: number): boolean {
    if (left < wanted) return false;
    const files = openSpare(wanted - this.#held.length);
    for (const file of files) closeSync(file);
    return files.length >= wanted - this.#held.length;
  }

  /** Lets go of everything, when the node has ended. */
  end(): void {
    clearInterval(this.#timer);
    this.#letGo();
  }

  #begin(open: number): void {
    this.#isShort = true;
    const now = performance.now();
    if (now - this.#toldAt < tellMs) return;
    this.#toldAt = now;
    this.#isTold = true;
    this.#log.warning('Open files run short: new clients are refused until some are closed', {
      open,
      limit: this.#files?.limit,
    });
  }

  #end(): void {
    this.#isShort = false;
    this.#held.push(...openSpare(this.#reserve - this.#held.length));
    if (this.#isTold) this.#log.notice('There are open files enough: new clients are accepted again');
    this.#isTold = false;
  }

  #close(listener: Listener): void {
    listener.isOpen = false;
    listener.listening.pause();
    this.#letGo();
  }

  async #reopen(listener: Listener): Promise<void> {
    listener.isOpen = true;
    try {
      await listener.listening.resume();
      listener.isBarred = false;
    } catch (error) {
      listener.isOpen = false; // the next look tries again
      if (listener.isBarred) return;
      listener.isBarred = true;
      this.#log.error('A server that had closed for want of open files cannot listen again', {
        port: listener.listening.port,
        error: (error as Error).message,
      });
    }
  }

  #letGo(): void {
    for (const file of this.#held.splice(0)) closeSync(file);
  }
}
