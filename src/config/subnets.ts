/** Addresses and ranges of addresses, as configurations write them: `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`. */
import { ipAddress } from '../observe/source.ts';

export interface Subnet {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** How many bits of the address count. */
  readonly prefix: number;
}

const form = /^([^/%]+)(?:\/(\d{1,3}))?$/;

/** Undefined for what is none. A range of IPv4 addresses that are mapped into IPv6 is that of the IPv4 addresses. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, written = '', bits] = form.exec(text) ?? [];
  const address = ipAddress(written);
  if (address === undefined) return undefined;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const length = family === 'ipv6' ? 128 : 32;
  const isMapped = family === 'ipv4' && written.includes(':');
  const prefix = bits === undefined ? length : Number(bits) - (isMapped ? 96 : 0);
  return prefix < 0 || prefix > length ? undefined : { address, family, prefix };
}
