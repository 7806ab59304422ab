/** What is read of a client's request before its handler returns; afterwards the request is gone. */
import type { HttpRequest, HttpResponse } from './http.ts';
import { remoteAddress } from './http.ts';
import type { ClientProtocol, Handshake } from './sessions.ts';

export type Query = Record<string, string>;

/** Decodes a query string. Of repeated keys the first counts; what is not percent-encoded properly stays as it is. */
export function parseQuery(text: string | undefined): Query {
  const query: Query = Object.create(null);
  // The library's types keep silent about it, but without `?` there is no string.
  if (!text) return query;
  let hasRest = false;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (key === '' || key in query) hasRest = true;
    else query[key] = equals < 0 ? '' : decode(pair.slice(equals + 1));
  }
  // A part of a string keeps the whole of it in memory. Without the rest, the parts are as long as the whole.
  if (hasRest) for (const key in query) query[key] = Buffer.from(query[key]!).toString();
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

/** The handshake as back ends see it, but for the auth payload, which comes later if at all. */
export function readHandshake(
  req: HttpRequest,
  res: HttpResponse,
  query: Query,
  transport: string,
  protocol: ClientProtocol,
): Handshake {
  const headers: Record<string, string> = Object.create(null);
  req.forEach((name, value) => {
    headers[name] = value;
  });
  return { auth: undefined, query, headers, address: remoteAddress(res), transport, protocol };
}
