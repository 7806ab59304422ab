/**
 * Ends one child. It is watched, not only linked, so that one which has unlinked itself cannot hang its supervisor.
 */
import type { Kernel } from '../kernel/kernel.ts';
import type { ShutdownLimit } from '../kernel/supervision.ts';
import type { AnyRef, ExitReason } from '../kernel/types.ts';

/**
 * Sends `shutdown` and, when `limit` (ms) is over, `kill`; only the latter if it is `brutal_kill`. Resolves with the exit
 * reason: `killed` if it had to be, `noproc` if it had ended before.
 */
export function shutDown(kernel: Kernel, by: AnyRef, child: AnyRef, limit: ShutdownLimit): Promise<ExitReason> {
  return new Promise((resolve) => {
    let ended = false;
    let cancelKill: (() => void) | undefined;
    kernel.onExit(child, (reason) => {
      ended = true;
      cancelKill?.();
      resolve(reason);
    });
    kernel.exit(by, child, limit === 'brutal_kill' ? 'kill' : 'shutdown');
    if (ended || typeof limit !== 'number') return;
    const timer = kernel.wheel.schedule(limit, () => kernel.exit(by, child, 'kill'));
    cancelKill = () => timer.cancel();
  });
}
