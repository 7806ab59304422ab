/** What a check of a configuration finds. */
import type { ErrorCode } from '../observe/errors.ts';
import type { SectionName } from './types.ts';

/**
 * `error`: the node does not start; `warning`: it does, and says so; `note`: what may be meant, and is told by `hive check`
 * alone.
 */
export type Severity = 'error' | 'warning' | 'note';

/** A finding and the section that it is in. */
export interface Inconsistency {
  readonly section: SectionName;
  /** JSON pointer within the section. */
  readonly pointer: string;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly value?: unknown;
  readonly suggestion?: string;
  readonly severity: Severity;
}

export type Report = (
  section: SectionName,
  pointer: string,
  reason: string,
  value?: unknown,
  suggestion?: string,
) => void;
