/** Why a server cannot listen: the native libraries say only that it cannot. */
import { lookup } from 'node:dns/promises';
import { isElsewhere } from '../../config/hosts.ts';
import { HiveError } from '../../observe/errors.ts';

export async function refusedPort(host: string, port: number, cause?: unknown): Promise<HiveError> {
  const reason = (await addressFault(host)) ?? 'the port is taken or not allowed';
  return new HiveError('port_taken', `Cannot listen on ${host}:${port}: ${reason}.`, { cause });
}

/** What is wrong with the host, if something is. */
async function addressFault(host: string): Promise<string | undefined> {
  let address: string;
  try {
    ({ address } = await lookup(host));
  } catch {
    return `there is no host ${host}`;
  }
  if (!isElsewhere(address)) return undefined;
  const known = address === host ? host : `${address}, which is ${host},`;
  return `${known} is no address of this machine`;
}
