/**
 * SIGTERM and SIGINT, however often they come: the first stops the node gracefully, the second tells what that waits for, the third
 * ends the process at once. A terminal and `npm run` between them may send two for one Ctrl-C, so two lose nobody's `on_disconnect`.
 */
import { constants } from 'node:os';
import type { Node } from '../node/node.ts';
import { printable } from '../observe/printable.ts';

type StopSignal = 'SIGTERM' | 'SIGINT';

export class StopSignals {
  readonly #aborter = new AbortController();
  #node: Node | undefined;
  #received = 0;

  /** From now on none of them ends the process by itself. */
  constructor() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#receive(signal));
  }

  /** Aborted by the first. */
  get first(): AbortSignal {
    return this.#aborter.signal;
  }

  /** Resolves with the first. */
  get calledOff(): Promise<undefined> {
    return new Promise((resolve) => {
      this.first.addEventListener('abort', () => resolve(undefined), { once: true });
    });
  }

  /** The node has started: the first signal stops it, also one that has come before. */
  watch(node: Node): void {
    this.#node = node;
    if (this.first.aborted) node.stop('shutdown');
  }

  #receive(signal: StopSignal): void {
    // Somebody else has told it to stop: then this is not the first request.
    if (this.#received === 0 && this.#node?.stopping) this.#received = 1;
    this.#received += 1;
    if (this.#received === 1) {
      this.#aborter.abort();
      this.#node?.stop('shutdown');
    } else if (this.#received === 2) say(`${describe(this.#node)}. Another signal ends it at once.`);
    else this.#endAtOnce(signal);
  }

  /** As the shell has it for programs that a signal has ended: 128 and its number. */
  #endAtOnce(signal: StopSignal): never {
    const node = this.#node;
    const { clients = 0, departures = 0 } = node?.stopping ?? {};
    const lastWords = `${node?.name ?? 'hive'} ends at once, as ${signal} came again; clients that are cut off: ${clients}${departures > 0 ? `, on_disconnect not answered: ${departures}` : ''}`;
    if (node) {
      node.log.warning(`Ended at once, as ${signal} came again`, { clients, departures });
      node.flushLogs(`${printable(lastWords)}\n`);
    } else say(lastWords);
    process.exit(128 + constants.signals[signal]);
  }
}

function describe(node: Node | undefined): string {
  if (!node?.stopping) return 'hive was told to stop before it had started, and ends what it has begun';
  const { clients, leaving, departures, toHandOver, leftMs } = node.stopping;
  if (clients === 0 && departures === 0) {
    const open = `${toHandOver} connection${toHandOver === 1 ? ' is' : 's are'} still to be closed, as sessions are handed over`;
    return `${node.name} is stopping: ${toHandOver > 0 ? open : 'its clients have gone, its servers and pools are ending'}`;
  }
  const left = `${clients} client${clients === 1 ? '' : 's'} left, ${leaving} of them in on_disconnect`;
  const waiting = departures === 0 ? '' : `, ${departures} on_disconnect to repeat`;
  return `${node.name} is stopping: ${left}${waiting}; who has not gone in ${Math.ceil(leftMs / 1000)} s is cut off`;
}

function say(line: string): void {
  process.stderr.write(printable(`${line}\n`));
}
