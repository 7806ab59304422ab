/**
 * What the HTTP API and the monitor share: paths that start with a key, segments, methods, and the errors for both.
 *
 *     /api/<key>/<section>/<action>/<id>        /monitor/<key>/<section>
 */
import { timingSafeEqual } from 'node:crypto';
import { type ErrorCode, HiveError } from '../observe/errors.ts';
import { type Headers, type HttpRequest, type HttpResponse, sendError } from './http.ts';

/** The path's segments, decoded. One trailing slash is tolerated. @throws HiveError `code` for a malformed escape */
export function segmentsOf(req: HttpRequest, code: ErrorCode): string[] {
  const path = req.getUrl();
  const segments = path.slice(1, path.endsWith('/') ? -1 : undefined).split('/');
  if (!path.includes('%')) return segments;
  try {
    return segments.map(decodeURIComponent);
  } catch (error) {
    throw new HiveError(code, `The path ${path} has a malformed escape.`, { cause: error });
  }
}

/** Compares keys in a time that tells nothing about the right one. */
export class Key {
  readonly #key: Buffer;

  constructor(key: string) {
    this.#key = Buffer.from(key);
  }

  matches(given: string | undefined): boolean {
    const bytes = Buffer.from(given ?? '');
    const sameLength = bytes.length === this.#key.length;
    return timingSafeEqual(sameLength ? bytes : this.#key, this.#key) && sameLength;
  }
}

/** 401: the same answer whatever was asked for. */
export function sendUnauthorized(res: HttpResponse): void {
  sendError(res, new HiveError('unauthorized', 'The key is missing or wrong.'));
}

/** An error whose status is not that of its code: 404, 405 with `Allow`, 501. */
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

export function wrongMethod(code: ErrorCode, method: string, allowed: string): RequestError {
  return new RequestError(405, code, `The method ${method.toUpperCase()} is not supported here, only ${allowed}.`, [
    ['Allow', allowed],
  ]);
}
