/** Logs what fails at the end of a client: nobody is there any more to be told. */
import { HiveError } from '../../observe/errors.ts';
import { asError, stackOf, titleOf } from '../../observe/thrown.ts';
import { StopClient } from '../../plugins/types.ts';
import type { ClientServices } from './client-services.ts';
import { shortSid } from './public-error.ts';

/** @param what was to be done: `on_disconnect` */
export function complain({ log, metrics }: ClientServices, sid: string, what: string, thrown: unknown): void {
  const error = asError(thrown);
  const cause = error instanceof StopClient ? error.error : error;
  const expected = cause instanceof HiveError;
  const fields = {
    sid: shortSid(sid),
    error: expected ? cause.code : 'internal_error',
    description: expected ? cause.summary : titleOf(cause),
  };
  if (expected) {
    if (!log.excess('What the end of a client takes failed', 'clients')) {
      log.warning(`At the end of a client ${what} failed`, fields);
    }
  } else if (!log.excess('What the end of a client takes crashed', 'clients', 'error')) {
    log.error(`At the end of a client ${what} crashed`, { ...fields, stack: stackOf(cause) });
  }
  metrics.failed('control');
}

/** The state of a client that has ended. Never fails. */
export function forgetState(
  client: { readonly sid: string; forgetState(): void | Promise<void> },
  context: ClientServices,
): void | Promise<void> {
  const failed = (error: unknown) => complain(context, client.sid, 'forgetting the state', error);
  try {
    return client.forgetState()?.catch(failed);
  } catch (error) {
    failed(error);
  }
}
