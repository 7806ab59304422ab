/**
 * Who is meant by an address where strangers are counted: an IPv4 address stands for itself, an IPv6 address for its /64, which
 * is what one subscriber gets (RFC 6177) and may use as it likes. An IPv4 address that is mapped into IPv6 is that IPv4 address.
 */
import { isIP, SocketAddress } from 'node:net';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/** An IP address in its usual form (RFC 5952), without a zone; undefined if it is none. */
export function ipAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0) return undefined;
  if (family === 4) return text;
  const zone = text.indexOf('%');
  const { address } = new SocketAddress({ family: 'ipv6', address: zone < 0 ? text : text.slice(0, zone) });
  return mapped.exec(address)?.[1] ?? address;
}

/** The source that an address belongs to; whatever is no IP address is its own. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const known = ipAddress(address);
  if (known === undefined || !known.includes(':')) return known ?? address;
  const [head = '', tail] = known.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail ? tail.split(':') : [];
  while (groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest].slice(0, 4).join(':')}::/64`;
}
