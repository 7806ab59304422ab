/** Whether anything listens at an address: opens a TCP connection and closes it. */
import { connect } from 'node:net';
import { lookup } from '../../../kernel/lookups.ts';
import { HiveError } from '../../../observe/errors.ts';
import { asError } from '../../../observe/thrown.ts';

/** Time limit of a probe, ms (that of the 2014 server). */
const probeTimeoutMs = 5000;

/** Rejects with `connectors_error` if nothing accepts the connection in time. */
export function probeTcp(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, lookup });
    const fail = (reason: string, cause?: unknown): void => {
      socket.destroy();
      reject(new HiveError('connectors_error', `${host}:${port} cannot be reached: ${reason}`, { cause }));
    };
    socket.setTimeout(probeTimeoutMs, () => fail(`no connection within ${probeTimeoutMs} ms`));
    socket.once('error', (error) => fail(reasonOf(error), error));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/**
 * What went wrong, in words. A host name with several addresses gives an AggregateError without a message of its own: then
 * it is that of the first address.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0)
    return reasonOf(error.errors[0]);
  const { name, message } = asError(error);
  return message === '' ? name : message;
}
