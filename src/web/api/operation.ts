/**
 * One call of the HTTP API: where it is, what it takes, what it answers, and what it does. The schemas say it once: the query is read by
 * them, and the description for OpenAPI is made of them. Bodies are read by code of their own, which is faster; tests hold it and the schemas
 * together.
 *
 * A new call: an `operation({…})` in the file of its section under operations/, a method in `ApiHost` (or `ClusterHost`) that it runs, a row in
 * docs/http-api.md, rows in test/support/api-rows.ts, and a method in both clients under `clients/`.
 */
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import { Type } from 'typebox';
import type { ErrorCode } from '../../observe/errors.ts';
import type { Headers } from '../http/http.ts';
import type { ApiHost, Unconfirmed } from './api-host.ts';
import type { CallBody } from './call-body.ts';

/** What came with a call. */
export interface Given<Query = unknown> {
  /** The last segment of the path, decoded; '' if the path has none. */
  readonly id: string;
  readonly query: Query;
  readonly body: CallBody;
}

export interface Answer {
  readonly status: number;
  /** A string is plain text, undefined an empty body, anything else JSON. */
  readonly body?: unknown;
  readonly headers?: Headers;
  /** Answered when these are known, and named. */
  readonly unconfirmed?: Unconfirmed;
  /** What must wait until the answer is on its way: it may end the server. */
  readonly afterwards?: () => void;
}

export type Method = 'GET' | 'POST' | 'DELETE';

export interface Operation {
  /** Its name for programs. */
  readonly name: string;
  readonly method: Method;
  /** `section` or `section/action`. */
  readonly path: string;
  /** What the further segment of the path is, if it has one. */
  readonly id: string | undefined;
  /** One sentence in plain words. */
  readonly summary: string;
  readonly query: TObject;
  /** Absent: none is read. */
  readonly body: TSchema | undefined;
  /** Absent: an empty body. */
  readonly answer: TSchema | undefined;
  /** Beside those that every call may fail with. */
  readonly errors: readonly ErrorCode[];
  readonly run: (host: ApiHost, given: Given) => Answer | Promise<Answer>;
}

export function operation<Query extends TProperties = Record<never, never>>(made: {
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly id?: string;
  readonly summary: string;
  readonly query?: Query;
  readonly body?: TSchema;
  readonly answer?: TSchema;
  readonly errors?: readonly ErrorCode[];
  readonly run: (host: ApiHost, given: Given<Static<TObject<Query>>>) => Answer | Promise<Answer>;
}): Operation {
  const { id, body, answer, errors = [], query = {}, run } = made;
  return { ...made, id, body, answer, errors, query: Type.Object(query), run: run as Operation['run'] };
}

/** The answer of what says no more than that it is done. */
export const done: Answer = { status: 200 };

export function ok(body: unknown): Answer {
  return { status: 200, body };
}
