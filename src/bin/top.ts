/**
 * `hive top`: a node or cluster at work, again and again on a whole terminal, or once as text.
 *
 *   sample ──▶ the monitor looks who is busy, for a while ──▶ sample ──▶ frame: rates are what grew between the samples
 *                                                               └───────▶ is the first one of the next frame
 */
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../observe/printable.ts';
import { cut } from './operator/cut.ts';
import { Failure } from './operator/failure.ts';
import { Operator } from './operator/operator.ts';
import { print } from './operator/output.ts';
import type { Where } from './operator/where.ts';
import { busyActors, type Order } from './top/busy.ts';
import { type Frame, frameLines } from './top/frame.ts';
import { type Sample, type Scope, takeSample } from './top/sample.ts';
import { Screen } from './top/screen.ts';

export interface TopOptions {
  /** Between frames, s. */
  readonly interval: number;
  readonly sort: Order;
  readonly cluster?: boolean;
  readonly once?: boolean;
}

/** How long the monitor looks for the first frame, for that of `--once`, and at most. */
const firstLookMs = 300;
const onlyLookMs = 1000;
const longestLookMs = 3000;

/** Actors in a frame for a file, and at most on a screen. */
const listed = { text: 20, screen: 200 };

/** Resolves to the exit code, 0. @throws Failure (rejection) if the node cannot be asked at all, or for the only frame */
export async function top(where: Where, options: TopOptions): Promise<number> {
  const operator = new Operator(where);
  try {
    const { stdin, stdout } = process;
    if (options.once || !stdin.isTTY || !stdout.isTTY) await printOnce(operator, options);
    else await new Top(operator, options).run();
    return 0;
  } finally {
    operator.close();
  }
}

async function printOnce(operator: Operator, { sort: order, cluster = false }: TopOptions): Promise<void> {
  const scope = cluster ? 'cluster' : 'asked';
  const { signal } = new AbortController();
  const before = await takeSample(operator, scope, signal);
  const looking = { scope, order, limit: listed.text, overMs: onlyLookMs } as const;
  const busy = await busyActors(operator, looking, signal);
  const now = await takeSample(operator, scope, signal);
  const lines = frameLines({ before, now, busy, order }, Number.POSITIVE_INFINITY);
  await print(`${lines.map(({ text }) => text).join('\n')}\n`);
}

const legend = ' q quit   s sort   + - interval   n next node   c cluster';
const intervals = [0.5, 1, 2, 5, 10, 30, 60];

class Top {
  readonly #operator: Operator;
  readonly #screen: Screen;
  #intervalS: number;
  #order: Order;
  #scope: Scope;
  #frame: Frame | undefined;
  /** Why the last attempt gave no frame. */
  #problem: string | undefined;
  #quit = false;
  /** Ends the present look, because something else is wanted. */
  #hurry = new AbortController();

  constructor(operator: Operator, { interval, sort, cluster = false }: TopOptions) {
    this.#operator = operator;
    this.#intervalS = interval;
    this.#order = sort;
    this.#scope = cluster ? 'cluster' : 'asked';
    this.#screen = new Screen(process.stdin, process.stdout, {
      key: (key) => this.#key(key),
      resized: () => this.#draw(),
    });
  }

  /** Until somebody quits. The first sample is taken before the screen is: why it failed is told as by any command. */
  async run(): Promise<void> {
    let before: Sample | undefined = await takeSample(this.#operator, this.#scope, this.#hurry.signal);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => this.#end());
    this.#screen.open();
    this.#draw();
    try {
      let lookMs = firstLookMs;
      while (!this.#quit) {
        before = await this.#next(before, lookMs);
        lookMs = this.#hurry.signal.aborted ? firstLookMs : this.#intervalS * 1000;
        if (this.#hurry.signal.aborted) this.#hurry = new AbortController();
        this.#draw();
      }
    } finally {
      this.#screen.close();
    }
  }

  /** Makes the next frame. Returns the sample that the one after it starts from; undefined if there is none. */
  async #next(before: Sample | undefined, lookMs: number): Promise<Sample | undefined> {
    const { signal } = this.#hurry;
    const scope = this.#scope;
    const order = this.#order;
    const overMs = Math.min(longestLookMs, lookMs);
    try {
      const start = before?.scope === scope ? before : await takeSample(this.#operator, scope, signal);
      await delay(lookMs - overMs, undefined, { signal });
      const busy = await busyActors(this.#operator, { scope, order, limit: listed.screen, overMs }, signal);
      const now = await takeSample(this.#operator, scope, signal);
      this.#frame = { before: start, now, busy, order };
      this.#problem = undefined;
      return now;
    } catch (error) {
      if (signal.aborted) return before;
      if (!(error instanceof Failure)) throw error;
      this.#problem = error.message;
      this.#draw();
      // It may come back.
      await delay(Math.min(lookMs, onlyLookMs), undefined, { signal }).catch(() => {});
      return undefined;
    }
  }

  #draw(): void {
    const { columns } = this.#screen;
    const lines = this.#frame ? frameLines(this.#frame, columns) : [{ text: 'looking …' }];
    if (this.#problem !== undefined) lines.unshift({ text: cut(printable(this.#problem), columns), style: 'heading' });
    this.#screen.draw(lines, `${legend}   every ${this.#intervalS} s`);
  }

  #key(key: string): void {
    switch (key) {
      case 'q':
      case '\x03': // Ctrl-C
      case '\x04': // Ctrl-D
        return this.#end();
      case '\x1a': // Ctrl-Z
        return this.#screen.suspend();
      case 's':
        this.#order = this.#order === 'rate' ? 'mailbox' : 'rate';
        break;
      case 'r':
        this.#order = 'rate';
        break;
      case 'm':
        this.#order = 'mailbox';
        break;
      case '+':
        this.#intervalS = intervals.find((each) => each > this.#intervalS) ?? this.#intervalS;
        break;
      case '-':
        this.#intervalS = intervals.findLast((each) => each < this.#intervalS) ?? this.#intervalS;
        break;
      case 'c':
        this.#scope = this.#scope === 'cluster' ? 'asked' : 'cluster';
        break;
      case 'n':
        this.#scope = this.#nextNode();
        break;
      default:
        return;
    }
    this.#hurry.abort();
  }

  /** From node to node of the cluster, in the order of their names. */
  #nextNode(): Scope {
    const nodes = this.#frame?.now;
    const shown = nodes?.scope === 'cluster' ? undefined : nodes?.nodes[0]?.node;
    const all = [...(nodes?.total.names('hive.cluster.nodes') ?? [])].sort();
    const next = all[(shown === undefined ? 0 : all.indexOf(shown) + 1) % all.length];
    return next === undefined ? 'asked' : { node: next };
  }

  #end(): void {
    this.#quit = true;
    this.#hurry.abort();
  }
}
