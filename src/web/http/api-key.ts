/**
 * What the HTTP API and the monitor share: requests that carry a key, path segments, methods, and the errors for both. The
 * key stands in the path, as in 2014, or in a header, which keeps it out of the logs of proxies; then the path has none:
 *
 *     /api/<key>/<section>/<action>/<id>         /monitor/<key>/<section>
 *     /api/<section>/<action>/<id>               /monitor/<section>          with  Authorization: Bearer <key>
 */
import { type ErrorCode, HiveError } from '../../observe/errors.ts';
import { hasLargeHead, maxHeadBytes } from '../sockets/head-limit.ts';
import { type Headers, type HttpRequest, type HttpResponse, sendJson } from './http.ts';

/** A request's path, taken apart. */
export interface ApiKeyPath {
  /** What was given for a key. */
  readonly given: string | undefined;
  /** It is the right one. */
  readonly isAllowed: boolean;
  /** The right one stands in the path. */
  readonly isInPath: boolean;
  /** The segments behind the key, decoded. */
  readonly segments: readonly string[];
}

const bearer = 'bearer ';

/**
 * Key and segments of a request below `root`. One trailing slash is tolerated.
 * @throws HiveError `code` for a malformed escape, or (404) for a path that is not below `root`, or (431) for a large head
 */
export function apiKeyPath(req: HttpRequest, root: string, key: ApiKey, code: ErrorCode): ApiKeyPath {
  if (hasLargeHead(req)) throw largeHead(code);
  const segments = segmentsOf(req.getUrl(), code);
  if (segments.shift() !== root) throw notFound(code);
  const given = segments[0];
  if (key.matches(given)) return { given, isAllowed: true, isInPath: true, segments: segments.slice(1) };
  const authorization = req.getHeader('authorization');
  if (authorization.slice(0, bearer.length).toLowerCase() === bearer) {
    const token = authorization.slice(bearer.length).trim();
    return { given: token, isAllowed: key.matches(token), isInPath: false, segments };
  }
  return { given, isAllowed: false, isInPath: false, segments: segments.slice(1) };
}

/** The segments of a path that begins with a slash, decoded. @throws HiveError `code` for a malformed escape */
export function segmentsOf(path: string, code: ErrorCode): string[] {
  const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length;
  const segments: string[] = [];
  for (let at = 1; at <= end; ) {
    const slash = path.indexOf('/', at);
    const next = slash < 0 || slash > end ? end : slash;
    segments.push(path.slice(at, next));
    at = next + 1;
  }
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch (error) {
    // The path itself is not shown: it may hold the key.
    throw new HiveError(code, 'The path has a malformed escape.', { cause: error });
  }
}

/** The query parameter `cluster`. @throws HiveError `code` if it is neither true nor false */
export function wantsCluster(value: string | undefined, code: ErrorCode): boolean {
  if (!value || value === 'false') return false;
  if (value === 'true') return true;
  throw new HiveError(code, `cluster must be true or false, not ${value}.`);
}

/** The key of the API or the monitor. */
export class ApiKey {
  readonly #length: number;
  /** The code units of the key, filled up with zeros. */
  readonly #units: Uint16Array;

  constructor(key: string) {
    this.#length = key.length;
    this.#units = new Uint16Array(Math.max(minUnits, key.length));
    for (let at = 0; at < key.length; at += 1) this.#units[at] = key.charCodeAt(at);
  }

  /**
   * Whether that is the key. The time it takes depends on what is given alone: every unit is compared, wherever the first
   * difference is, and short keys take as long as those of `minUnits`.
   */
  matches(given = ''): boolean {
    const units = this.#units;
    let difference = this.#length ^ given.length;
    for (let at = 0; at < units.length; at += 1) {
      difference |= units[at]! ^ (at < given.length ? given.charCodeAt(at) : 0);
    }
    return difference === 0;
  }
}

const minUnits = 64;

/** An error whose status is not that of its code: 401, 404, 405 with `Allow`, 431, 501. */
export class RequestError extends HiveError {
  readonly #status: number;
  readonly headers: Headers;

  constructor(status: number, code: ErrorCode, description: string, headers: Headers = []) {
    super(code, description);
    this.#status = status;
    this.headers = headers;
  }

  override get status(): number {
    return this.#status;
  }
}

/** 401: the same answer whatever was asked for. */
export function unauthorized(code: ErrorCode): RequestError {
  return new RequestError(401, code, 'The key is missing or wrong.', [['WWW-Authenticate', 'Bearer']]);
}

export function wrongMethod(code: ErrorCode, method: string, allowed: string): RequestError {
  return new RequestError(405, code, `The method ${method.toUpperCase()} is not supported here, only ${allowed}.`, [
    ['Allow', allowed],
  ]);
}

export function notFound(code: ErrorCode): RequestError {
  return new RequestError(404, code, 'Nothing answers at this path.');
}

export function largeHead(code: ErrorCode): RequestError {
  return new RequestError(431, code, `The head of the request is larger than ${maxHeadBytes} bytes.`);
}

export function answerError(res: HttpResponse, error: HiveError): void {
  sendJson(res, error.status, error, error instanceof RequestError ? error.headers : undefined);
}
