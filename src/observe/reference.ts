/** How failures are told without telling their insides: with a reference under which the log has them. */
import { randomUUID } from 'node:crypto';
import { HiveError } from './errors.ts';
import type { Log } from './logger.ts';
import { asError, stackOf } from './thrown.ts';

export function newReference(): string {
  return randomUUID().slice(0, 8);
}

/** What is shown instead of an error that is logged under the reference. */
export function hiddenError(reference: string, cause?: unknown): HiveError {
  return new HiveError('internal_error', `Internal server error (reference ${reference}).`, { cause });
}

/** An expected failure as it is; a programming error logged as the crash of `what`, and hidden. */
export function expectedOrHidden(thrown: unknown, what: string, log: Log): HiveError {
  const error = asError(thrown);
  if (error instanceof HiveError) return error;
  const excess = log.excess(`${what} failed`, error.name, 'error');
  if (excess) return hiddenError(excess.reference, error);
  const reference = newReference();
  log.crash(`${what} failed`, { reference, stack: stackOf(thrown) });
  return hiddenError(reference, error);
}
