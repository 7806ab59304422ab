/** Commands that Redis has refused because it is not, or not now, the server that was meant. They were not executed. */
import { HiveError } from '../../../observe/errors.ts';

/** `[name, …arguments]`. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

/** An error, or null and the reply, for each command. */
export type Outcome = readonly [error: Error | null, reply?: unknown];

/** A replica; one that is still reading its data; one without its master; a node of a Cluster that has lost the others. */
const wrongServer = /^(?:EXECABORT .*because of: )?(?:READONLY|LOADING|MASTERDOWN|CLUSTERDOWN) /;

/** What may be executed next to a refused command without anything being done twice. */
const reads = new Set([
  'exists',
  'get',
  'hexists',
  'hget',
  'hgetall',
  'hlen',
  'hmget',
  'info',
  'mget',
  'ping',
  'pttl',
  'ttl',
]);

/** The server is the wrong one for these commands. */
export class WrongServer extends HiveError {
  /** Nothing of what was sent together was executed: all of it may be sent again. */
  readonly mayRepeat: boolean;

  constructor(error: Error, commands: readonly RedisCommand[], outcomes: readonly Outcome[]) {
    super('redis_error', error.message, { cause: error });
    this.mayRepeat = isUndone(commands, outcomes);
  }

  static is(error: Error): boolean {
    return error.name === 'ReplyError' && wrongServer.test(error.message);
  }
}

function isUndone(commands: readonly RedisCommand[], outcomes: readonly Outcome[]): boolean {
  let isQueueing = false;
  return outcomes.every(([error], at) => {
    const name = commands[at]![0].toLowerCase();
    if (name === 'multi') isQueueing = true;
    if (name === 'exec') isQueueing = false;
    return error !== null || isQueueing || reads.has(name);
  });
}
