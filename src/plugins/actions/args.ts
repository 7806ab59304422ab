/** Reads the `args` of actions. */
import { HiveError } from '../../observe/errors.ts';
import type { ActionCall } from '../types.ts';

/** The args of an action as an object. @throws HiveError `bad_internal_event` if they are not one */
export function objectArgs(call: ActionCall): Readonly<Record<string, unknown>> {
  const { args } = call;
  if (typeof args !== 'object' || args === null || Array.isArray(args)) throw badArgs(call, 'must be an object');
  return args as Record<string, unknown>;
}

export function badArgs(call: ActionCall, reason: string): HiveError {
  return new HiveError('bad_internal_event', `The args of ${call.action} ${reason}.`);
}

/** Text for humans: a string as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
}
