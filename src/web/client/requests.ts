/** What is read of a client's request before its handler returns; afterwards the request is gone. */

import { largeHead } from '../http/api-key.ts';
import type { HttpRequest } from '../http/http.ts';
import { ownText } from '../http/own-text.ts';
import { HeadSize } from '../sockets/head-limit.ts';
import type { ClientProtocol, Handshake } from './client-handle.ts';

export type Query = Record<string, string>;

/** What is left of headers and query that nobody wants, or nobody wants any more. */
export const nothing: Query = Object.freeze(Object.create(null));

/**
 * Decodes a query string. Of repeated keys the first counts; what is not percent-encoded properly stays as it is. Whoever keeps
 * it, keeps `ownTexts` of it.
 */
export function parseQuery(text: string | undefined): Query {
  const query: Query = Object.create(null);
  // The library's types keep silent about it, but without `?` there is no string.
  if (!text) return query;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (key !== '' && !(key in query)) query[key] = equals < 0 ? '' : decode(pair.slice(equals + 1));
  }
  return query;
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text; // malformed: no reason to refuse a client whose application sends such parameters
  }
}

/**
 * The handshake as back ends see it, but for the auth payload, which comes later if at all.
 * @param isWanted whether anybody will ask for headers and query; otherwise they are not kept
 * @throws RequestError (431)
 */
export function readHandshake(
  req: HttpRequest,
  address: string,
  query: Query,
  transport: string,
  protocol: ClientProtocol,
  isWanted: boolean,
): Handshake {
  const size = new HeadSize(req);
  const headers: Query | undefined = isWanted ? Object.create(null) : undefined;
  req.forEach((name, value) => {
    size.add(name, value);
    if (headers) headers[name] = value;
  });
  if (size.isTooLarge) throw largeHead('bad_request');
  const kept = headers ? { query: ownTexts(query), headers } : { query: nothing, headers: nothing };
  return { auth: undefined, ...kept, address, transport, protocol };
}

/** A copy that does not keep the URL, of which only the parts are counted. */
export function ownTexts(query: Query): Query {
  const own: Query = Object.create(null);
  for (const key in query) own[ownText(key)] = ownText(query[key]!);
  return own;
}
