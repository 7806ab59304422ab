/** How failures are told without telling their insides: with a reference under which the log has them. */
import { randomUUID } from 'node:crypto';
import { HiveError } from './errors.ts';
import type { Log } from './logger.ts';

export function newReference(): string {
  return randomUUID().slice(0, 8);
}

/** What is shown instead of an error that is logged under the reference. */
export function hiddenError(reference: string, cause?: unknown): HiveError {
  return new HiveError('internal_error', `Internal server error (reference ${reference}).`, { cause });
}

/** An expected failure as it is; a programming error logged as the crash of `what`, and hidden. */
export function expectedOrHidden(thrown: unknown, what: string, log: Log): HiveError {
  if (thrown instanceof HiveError) return thrown;
  const reference = newReference();
  log.crash(`${what} failed`, { reference, stack: thrown instanceof Error ? thrown.stack : String(thrown) });
  return hiddenError(reference, thrown);
}
