/** How calls and starts fail whose actor is not there, or not any more. */
import { HiveError } from '../observe/errors.ts';
import { callFailure, describeReason, type ExitReason, Shutdown } from './types.ts';

interface Callee {
  readonly label: string;
  readonly alive: boolean;
  readonly status: string;
}

/** That an actor has stopped itself in `init`, until its start fails. */
export class Refusal extends Shutdown {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    super(reason);
    this.reason = reason;
  }
}

/** The failure of a call to an actor that is not running, or refuses more messages. */
export function undelivered({ label, alive, status }: Callee): HiveError {
  if (alive && status !== 'stopping') return new HiveError('overloaded', `The mailbox of ${label} is full.`);
  return new HiveError('not_running', `The actor ${label} is not running.`);
}

/** The failure of a call whose callee has ended. */
export function endFailure({ label }: Callee, reason: ExitReason): HiveError {
  return callFailure(`The actor ${label}`, reason);
}

/** The failure of a start whose actor has stopped itself. */
export function refused({ label }: Callee, reason: ExitReason): Error {
  if (reason instanceof Error) return reason;
  return new HiveError('not_running', `The actor ${label} ended in its init: ${describeReason(reason)}`, {
    cause: reason,
  });
}
