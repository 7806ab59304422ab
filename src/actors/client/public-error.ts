/** What a client may know of an error: all of it in development; in production that there was one, and where to look. */
import { type HiveError, toHiveError } from '../../observe/errors.ts';
import { hiddenError, newReference } from '../../observe/reference.ts';
import { stackOf } from '../../observe/thrown.ts';
import { StopClient } from '../../plugins/types.ts';
import { EventPacket } from '../../protocol/packet.ts';
import type { ClientServices } from './client-services.ts';

/** A session id as logs show it: enough to find the client again, too little to be it. */
export function shortSid(sid: string): string {
  return `${sid.slice(0, 14)}…`;
}

/** Logs the error and returns the one to be shown. In production its text has a reference that is in the log, too. */
export function publicError(error: HiveError, sid: string, { log, showsErrors }: ClientServices): HiveError {
  const excess = log.excess('A client gets an error', shortSid(sid));
  if (excess) return showsErrors ? error : hiddenError(excess.reference);
  const { code, summary, message } = error;
  const reference = newReference();
  // A cause speaks freely of what was sent, as `message` does, unless the error was told to keep that apart.
  const cause = error.cause !== undefined && summary === message ? { cause: stackOf(error.cause) } : undefined;
  log.warning('A client gets an error', { reference, sid: shortSid(sid), error: code, description: summary, ...cause });
  if (summary !== message) log.debug('What was wrong with it', { reference, description: message });
  return showsErrors ? error : hiddenError(reference);
}

/** What a client is told that was refused because of this. */
export function refusalOf(error: Error, sid: string, context: ClientServices): HiveError {
  // These words are meant for the client, in production too.
  return error instanceof StopClient ? error.error : publicError(toHiveError(error), sid, context);
}

/** The event that tells clients of errors. */
export function errorPacket(error: HiveError): EventPacket {
  return new EventPacket('hive_error', `[${JSON.stringify(error)}]`);
}
