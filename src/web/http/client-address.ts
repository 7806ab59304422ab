/**
 * Where a request comes from. That is who has connected, unless it is one of `hive.trusted_proxies`: then it is whom that
 * proxy names, by the PROXY protocol or in `Forwarded` (RFC 7239) or `X-Forwarded-For`.
 *
 *     X-Forwarded-For: 192.0.2.9, 203.0.113.5, 10.0.0.2       from 10.0.0.1; 10.0.0.0/8 is trusted
 *                      └ anybody   └ the client  └ trusted
 *
 * Each proxy adds whom it has seen at the right end. So the client is the rightmost address that is not trusted, and what
 * stands left of it was made up by anybody. Nobody is believed where that cannot be told.
 */
import { BlockList } from 'node:net';
import { parseSubnet } from '../../config/subnets.ts';
import { ipAddress } from '../../observe/source.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { remoteAddress } from './http.ts';
import { ownText } from './own-text.ts';

export class TrustedProxies {
  readonly #list = new BlockList();

  private constructor(proxies: readonly string[]) {
    for (const proxy of proxies) {
      const subnet = parseSubnet(proxy);
      if (!subnet) throw new Error(`trusted_proxies: ${proxy} is no address`);
      this.#list.addSubnet(subnet.address, subnet.prefix, subnet.family);
    }
  }

  /** Undefined where none are trusted: nobody reads headers for nothing. */
  static of(proxies: readonly string[]): TrustedProxies | undefined {
    return proxies.length > 0 ? new TrustedProxies(proxies) : undefined;
  }

  has(address: string): boolean {
    return this.#list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  }

  /** @param peer who has connected */
  clientOf(peer: string, res: HttpResponse, req: HttpRequest): string {
    if (!this.has(peer)) return peer;
    const proxied = proxiedAddress(res);
    if (proxied === undefined) return this.#named(peer, req);
    // One proxy before another: the nearer one has no headers of its own.
    return this.has(proxied) ? this.#named(proxied, req) : proxied;
  }

  #named(peer: string, req: HttpRequest): string {
    let forwarded = '';
    let forwardedFor = '';
    // More than one of a name is the same as one with all (RFC 9110 §5.3).
    req.forEach((name, value) => {
      if (name === 'forwarded') forwarded += forwarded === '' ? value : `, ${value}`;
      else if (name === 'x-forwarded-for') forwardedFor += forwardedFor === '' ? value : `, ${value}`;
    });
    const one = forwarded === '' ? undefined : this.#client(forwardedHops(forwarded));
    const other = forwardedFor === '' ? undefined : this.#client(forwardedFor.split(',').map(addressOfHop));
    // Proxies write one of them and pass the other on as anybody has sent it.
    if (forwarded !== '' && forwardedFor !== '' && one !== other) return peer;
    return one ?? other ?? peer;
  }

  /** Undefined if a hop that counts does not say who it is. */
  #client(hops: readonly (string | undefined)[]): string | undefined {
    let client: string | undefined;
    for (let at = hops.length - 1; at >= 0; at -= 1) {
      client = hops[at];
      if (client === undefined || !this.has(client)) return client;
    }
    return client;
  }
}

/** The address of a request's client. It stays the same for the whole request. */
export function clientAddress(res: HttpResponse, req: HttpRequest, proxies: TrustedProxies | undefined): string {
  if (res.clientAddress !== undefined) return res.clientAddress;
  const peer = remoteAddress(res);
  if (!proxies) return peer;
  // It outlives the headers that it may be part of.
  res.clientAddress = ownText(proxies.clientOf(peer, res, req));
  return res.clientAddress;
}

/** Whom the PROXY protocol has named; undefined if nobody has spoken it. */
function proxiedAddress(res: HttpResponse): string | undefined {
  const text = res.getProxiedRemoteAddressAsText?.();
  return text && text.byteLength > 0 ? ipAddress(Buffer.from(text).toString()) : undefined;
}

const withPort = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([\d.:A-Fa-f]+)\])(?::\d{1,5})?$/;

/** `192.0.2.9`, `192.0.2.9:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; undefined for anything else. */
function addressOfHop(text: string): string | undefined {
  const hop = text.trim();
  const [, v4, v6] = withPort.exec(hop) ?? [];
  return ipAddress(v4 ?? v6 ?? hop);
}

/** A parameter of an element, and what follows it (RFC 7239 §4). */
const parameter = /[ \t]*(?:([!#$%&'*+\-.^_`|~\w]+)=(?:([!#$%&'*+\-.^_`|~\w]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?([;,]|$)/y;

/** Whom each element names; nobody at all if the header is malformed. */
function forwardedHops(header: string): (string | undefined)[] {
  const hops: (string | undefined)[] = [];
  let hop: string | undefined;
  parameter.lastIndex = 0;
  for (;;) {
    const match = parameter.exec(header);
    if (!match) return [];
    const [, name, token, quoted, end] = match;
    if (name?.toLowerCase() === 'for') hop = addressOfHop(token ?? quoted!.replaceAll(/\\(.)/g, '$1'));
    if (end === ';') continue;
    hops.push(hop);
    hop = undefined;
    if (end === '') return hops;
  }
}
