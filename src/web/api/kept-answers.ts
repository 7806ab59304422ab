/** What keeps the answers to calls that are carried out once. */
import type { ErrorCode, HiveError } from '../../observe/errors.ts';

/** An answer, as it is kept. */
export interface KeptAnswer {
  readonly status: number;
  /** Null: an empty body. */
  readonly text: string | null;
  readonly isJson: boolean;
}

/** What keeps the answers. */
export interface KeptAnswers {
  /**
   * Resolves to the answer to the call of that key: what `perform` resolves to, which is called unless it has been anywhere in the cluster.
   * @param digest of the call
   * @param perform resolves to null if the call had no effect: nothing is kept of it
   * @throws HiveError (rejection) `idempotency_key_reused`, `idempotency_uncertain`, `timeout`; what `perform` throws had no effect
   */
  once(key: string, digest: string, perform: () => Promise<KeptAnswer>): Promise<Once>;
}

export interface Once {
  readonly answer: KeptAnswer;
  readonly isReplayed: boolean;
}

/** Failures after which nobody knows what was done: a repetition gets the same answer, and does nothing. */
const uncertain: ReadonlySet<ErrorCode> = new Set(['timeout', 'crashed', 'internal_error', 'cluster_error']);

export function hadEffect(error: HiveError): boolean {
  return uncertain.has(error.code);
}

export function failure(error: HiveError): KeptAnswer {
  return { status: error.status, text: JSON.stringify(error), isJson: true };
}
