/**
 * Which pages may talk to the server: `hive.allowed_origins`, and what browsers must be told about it (Fetch standard,
 * "CORS protocol"). An origin is refused before anything else happens, and a refusal carries no CORS headers.
 */
import type { Headers } from './http.ts';

/** Answers to requests without an origin need no CORS headers, but caches must know that others do. */
const sameOrigin: Headers = [['Vary', 'Origin']];

export class Origins {
  readonly #exact = new Set<string>();
  /** `.example.com` for `*.example.com`. */
  readonly #suffixes: string[] = [];
  /** `http://localhost` for `http://localhost:*`. */
  readonly #anyPort = new Set<string>();
  #any = false;
  #absent = false;

  /**
   * @param allowed exact origins, `http://localhost:*` for every port, `*` for any, `*.example.com` for every subdomain with
   * any scheme and port, `null` for requests without an `Origin` header
   */
  constructor(allowed: readonly (string | null)[]) {
    for (const entry of allowed) {
      if (entry === null) this.#absent = true;
      else if (entry === '*' || entry === '*.*') this.#any = true;
      else if (entry.startsWith('*.')) this.#suffixes.push(entry.slice(1).toLowerCase());
      else if (entry.endsWith(':*')) this.#anyPort.add(entry.slice(0, -2));
      else this.#exact.add(entry);
    }
  }

  /** @param origin the header's value; empty: the request has none */
  allows(origin: string): boolean {
    if (origin === '') return this.#absent;
    return this.#any || this.#exact.has(origin) || this.#hasAnyPort(origin) || this.#hasSuffix(origin);
  }

  #hasAnyPort(origin: string): boolean {
    return this.#anyPort.size > 0 && this.#anyPort.has(origin.replace(/:\d+$/, ''));
  }

  #hasSuffix(origin: string): boolean {
    if (this.#suffixes.length === 0) return false;
    const host = hostOf(origin);
    return host !== undefined && this.#suffixes.some((suffix) => host.endsWith(suffix));
  }
}

/** The host name in an origin, lower-case; undefined for `null` and other things that have none. */
function hostOf(origin: string): string | undefined {
  if (!URL.canParse(origin)) return undefined;
  const host = new URL(origin).hostname;
  return host === '' ? undefined : host;
}

/** The headers of every answer to an allowed origin. */
export function corsHeaders(origin: string): Headers {
  if (origin === '') return sameOrigin;
  return [
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Vary', 'Origin'],
  ];
}

/** The further headers of an answer to a pre-flight request, which may be remembered for ten minutes. */
export function preflightHeaders(requestedHeaders: string): Headers {
  return [
    ['Access-Control-Allow-Methods', 'GET, POST'],
    ['Access-Control-Allow-Headers', requestedHeaders === '' ? 'Content-Type' : requestedHeaders],
    ['Access-Control-Max-Age', '600'],
  ];
}
