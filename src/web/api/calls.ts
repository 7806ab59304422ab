/**
 * The calls of the HTTP API, apart from how they arrive: by themselves or in a batch. A call is a section, an action, for some of
 * them the id of a client or channel, and a method.
 */
import type { TSchema } from 'typebox';
import { notFound, RequestError, wrongMethod } from '../http/api-key.ts';
import type { ApiHost } from './api-host.ts';
import type { CallBody } from './call-body.ts';
import { type Answer, done, type Given, type Operation } from './operation.ts';
import { clientOperations } from './operations/clients.ts';
import { hiveOperations, routerOperations } from './operations/hive.ts';
import { presenceOperations } from './operations/presence.ts';
import { pubsubOperations } from './operations/pubsub.ts';
import { userOperations } from './operations/users.ts';
import { readQuery } from './query.ts';

export const operations: readonly Operation[] = [
  ...hiveOperations,
  ...routerOperations,
  ...clientOperations,
  ...pubsubOperations,
  ...presenceOperations,
  ...userOperations,
];

export const sections: readonly string[] = [...new Set(operations.map(({ path }) => path.split('/')[0]!))];

const each = operations.flatMap(({ method, path, query }) => {
  const endpoint = `${method} ${path}`;
  const { cluster } = query.properties as Readonly<Record<string, TSchema & { default?: unknown }>>;
  return cluster && cluster.default === false ? [endpoint, `${endpoint}?cluster=true`] : [endpoint];
});
/** `POST router/enable`, `POST router/enable?cluster=true`, …: everything that can be asked for. */
export const endpoints: readonly string[] = [...new Set(each)];

/** By path, with a slash at the end if an id follows: the operations of each method. */
const byPath = new Map<string, Map<string, Operation>>();
for (const operation of operations) {
  const place = operation.id === undefined ? operation.path : `${operation.path}/`;
  const methods = byPath.get(place);
  if (methods) methods.set(operation.method, operation);
  else byPath.set(place, new Map([[operation.method, operation]]));
}

/** What was asked for, but for the body, which may not be there yet. */
export interface Found {
  readonly operation: Operation;
  readonly section: string;
  readonly id: string;
  readonly query: unknown;
}

/** Of a call in a batch. */
export interface Call {
  readonly method: string;
  readonly segments: readonly string[];
  /** The query, as it is. */
  readonly query: string;
  readonly body: CallBody;
}

const code = 'bad_api_request';

/**
 * Finds what a call asks for.
 * @param method in upper case
 * @throws HiveError `bad_api_request`: 404 for a path of another shape, 501 for an unknown action, 405 for a wrong method, 400 for the query
 */
export function findCall(method: string, segments: readonly string[], query: string): Found {
  const [section = '', name, id] = segments;
  const path = name === undefined ? section : `${section}/${name}`;
  const methods = byPath.get(id === undefined ? path : `${path}/`);
  if (!methods || segments.length > 3 || id === '') throw nothingAt(section, name, id);
  const operation = methods.get(method);
  if (!operation) throw wrongMethod(code, method, [...methods.keys()].join(', '));
  return { operation, section, id: id ?? '', query: readQuery(operation.query, query, `${method} ${path}`) };
}

function nothingAt(section: string, name: string | undefined, id: string | undefined): RequestError {
  const isKnown = byPath.has(`${section}/${name}`) || byPath.has(`${section}/${name}/`);
  if (!name || isKnown || !sections.includes(section) || isNamed(section) !== (id !== undefined)) return notFound(code);
  return new RequestError(501, code, `There is no action ${name} in ${section}.`);
}

/** Whether the actions of a section are about one client or channel, as far as they are no lists. */
function isNamed(section: string): boolean {
  return operations.some(({ path, id }) => id !== undefined && path.startsWith(`${section}/`));
}

export function perform(host: ApiHost, { operation, id, query }: Found, body: CallBody): Answer | Promise<Answer> {
  return operation.run(host, { id, query, body } satisfies Given);
}

/** The answer to a publish that these nodes have not confirmed. */
export function publishAnswer(unconfirmed: readonly string[]): Answer {
  return unconfirmed.length === 0 ? done : { status: 200, body: { unconfirmed } };
}
