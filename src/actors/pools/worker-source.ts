/** The workers of a pool, and who gets whom: what the pool asks of either kind of source, and they of the pool. */
import type { Actor } from '../../kernel/actor.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Ref } from '../../kernel/types.ts';
import { type ErrorCode, HiveError } from '../../observe/errors.ts';
import type { WorkerMessage } from '../../plugins/types.ts';

/** Where a worker stands. */
export interface Lease {
  /** Undefined if it has ended. */
  readonly worker: Ref<WorkerMessage> | undefined;
  /** The worker takes no more requests, because it is ending: nobody is to ask it again. */
  abort(worker: Ref<WorkerMessage>): void;
}

export interface WorkerSource {
  /** How many run now. */
  readonly workers: number;
  /** Begins, or goes on after `suspend`. */
  start(): Promise<void>;
  /**
   * The lease of a worker, for one request; at once if one is idle, and then surely with a worker.
   * @param deadline on the clock of `performance.now()`
   * @throws NoWorker (rejection)
   */
  acquire(deadline: number, signal: AbortSignal | undefined): Lease | Promise<Lease>;
  release(lease: Lease): void;
  /** The pool's supervisor is going away, perhaps to come back: no worker is to be started meanwhile. */
  suspend(): void;
  /** Ends all workers. Nobody acquires any more. */
  close(): Promise<void>;
}

/** The pool, as its source of workers sees it. */
export interface WorkerOwner {
  readonly name: string;
  readonly kernel: Kernel;
  /** False while no worker can be started. */
  readonly open: boolean;
  /** Starts a worker under the pool's supervisor; rejects with what its `init` threw. */
  startWorker(make: () => Actor<WorkerMessage>): Promise<Ref<WorkerMessage>>;
  /** Ends a worker, by force if it must be. */
  terminateWorker(worker: Ref<WorkerMessage>): Promise<void>;
  workerFailed(reason: string): void;
}

/** The failure to get a worker: nothing has been done. */
export class NoWorker extends HiveError {
  /** Others have the workers: it is worth while to wait longer. Otherwise there are none. */
  readonly isBusy: boolean;

  constructor(isBusy: boolean, code: ErrorCode, description: string, options?: ErrorOptions) {
    super(code, description, options);
    this.isBusy = isBusy;
  }
}

/** Time for a worker to end by itself when the pool is closed. */
const drainMs = 5000;

/** Lets a worker finish and end; afterwards by force. */
export async function drainWorker(owner: WorkerOwner, worker: Ref<WorkerMessage>): Promise<void> {
  const ended = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), drainMs);
    owner.kernel.onExit(worker, () => {
      clearTimeout(timer);
      resolve(true);
    });
    worker.tell({ type: 'drain' });
  });
  if (!ended) await owner.terminateWorker(worker);
}
