/**
 * What the HTTP API and the monitor share: requests that carry a key, path segments, methods, and the errors for both. The
 * key stands in the path, as in 2014, or in a header, which keeps it out of the logs of proxies; then the path has none:
 *
 *     /api/<key>/<section>/<action>/<id>         /monitor/<key>/<section>
 *     /api/<section>/<action>/<id>               /monitor/<section>          with  Authorization: Bearer <key>
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type ErrorCode, HiveError } from '../observe/errors.ts';
import { type Headers, type HttpRequest, type HttpResponse, sendJson } from './http.ts';

/** A request's path, taken apart. */
export interface KeyedPath {
  readonly key: string | undefined;
  /** The segments behind the key, decoded. */
  readonly segments: readonly string[];
}

const bearer = 'bearer ';

/**
 * Key and segments of a request below `root`. One trailing slash is tolerated.
 * @throws HiveError `code` for a malformed escape, or (404) for a path that is not below `root`
 */
export function keyedPath(req: HttpRequest, root: string, code: ErrorCode): KeyedPath {
  const [first, ...segments] = segmentsOf(req.getUrl(), code);
  if (first !== root) throw notFound(code);
  const authorization = req.getHeader('authorization');
  if (authorization.slice(0, bearer.length).toLowerCase() === bearer) {
    return { key: authorization.slice(bearer.length).trim(), segments };
  }
  return { key: segments[0], segments: segments.slice(1) };
}

/** The segments of a path that begins with a slash, decoded. @throws HiveError `code` for a malformed escape */
export function segmentsOf(path: string, code: ErrorCode): string[] {
  const segments = path.slice(1, path.length > 1 && path.endsWith('/') ? -1 : undefined).split('/');
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

/** Compares keys in a time that tells nothing about the right one, not even its length. */
export class Key {
  readonly #digest: Buffer;

  constructor(key: string) {
    this.#digest = digest(key);
  }

  matches(given: string | undefined): boolean {
    return timingSafeEqual(digest(given ?? ''), this.#digest);
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** An error whose status is not that of its code: 401, 404, 405 with `Allow`, 501. */
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

export function answerError(res: HttpResponse, error: HiveError): void {
  sendJson(res, error.status, error, error instanceof RequestError ? error.headers : undefined);
}
