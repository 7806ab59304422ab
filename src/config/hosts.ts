/** Addresses that servers are told to listen on. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Nobody on another machine reaches it. Of host names only `localhost` is known. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Whether an IP address is surely none of this machine's; host names are not looked up. */
export function isElsewhere(host: string): boolean {
  const kind = isIP(host);
  if (kind === 0 || host === '0.0.0.0' || host === '::' || isLoopback(host)) return false;
  const own = new BlockList();
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    own.addAddress(address, family === 'IPv6' ? 'ipv6' : 'ipv4');
  }
  // Without its zone, which networkInterfaces() does not tell either.
  return !own.check(host.replace(/%.*/, ''), kind === 6 ? 'ipv6' : 'ipv4');
}
