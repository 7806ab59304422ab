/** How many errors a client has caused of late, against `hive.max_client_errors`. Made with the first: most cause none. */
import { HiveError } from '../../observe/errors.ts';
import { BadAnswer, Refused } from '../../plugins/hooks/hp.ts';
import type { ClientServices } from './client-services.ts';
import { shortSid } from './public-error.ts';

const windowMs = 10_000;

export class ErrorLimit {
  #windowStart = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** Counts an error. @returns whether it was one too many in the ten seconds that began with the first of them */
  exceeds(limit: number, now = performance.now()): boolean {
    if (now - this.#windowStart >= windowMs) {
      this.#windowStart = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count > limit;
  }
}

/**
 * Whether the client may have caused it; `internal_error` is what the action of that name says. What fails for want of a back end
 * or worker, or because the back end has failed or answers nonsense, is none of its faults, and the best client goes on asking.
 */
export function isOfClient(error: HiveError): boolean {
  if (error instanceof BadAnswer) return false;
  return error.status < 500 || error.code === 'internal_error' || error instanceof Refused;
}

/** Counts and logs that a client is disconnected for its errors; returns what it is told, which is no secret in production either. */
export function tooManyErrors(sid: string, { log, maxErrors, metrics }: ClientServices): HiveError {
  metrics.tooManyErrors.value += 1;
  const error = new HiveError('too_many_errors', `More than ${maxErrors} of its events failed within ten seconds.`);
  if (!log.excess('A client is disconnected for its errors', 'clients')) {
    log.warning('A client is disconnected for its errors', { sid: shortSid(sid), error: error.code });
  }
  return error;
}
