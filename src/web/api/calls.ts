/**
 * The calls of the HTTP API, apart from how they arrive: by themselves or in a batch. A call is a section, an action, for
 * some sections the id of a client or channel, and a method; `cluster` extends it to all nodes where that is possible.
 */
import { HiveError } from '../../observe/errors.ts';
import { type ActionCall, toActionCalls } from '../../protocol/backend/action-call.ts';
import { askTimeoutMs, isAskTimeout, maxAskTimeoutMs } from '../../protocol/backend/ask-timeout.ts';
import { channelIds } from '../../protocol/backend/channel-expression.ts';
import { parseBackEndJson } from '../../protocol/json.ts';
import { type EventPacket, eventFromCompact, eventFromValue } from '../../protocol/packet.ts';
import { notFound, RequestError, wrongMethod } from '../http/api-key.ts';
import type { Headers } from '../http/http.ts';
import { type ApiHost, type ClusterHost, maxPage, type PageQuery, type Reached, type Unconfirmed } from './api-host.ts';

export interface Call {
  /** In lower case. */
  readonly method: string;
  /** `[section, action]` or `[section, action, id]`. */
  readonly segments: readonly string[];
  readonly cluster: boolean;
  /** Whether a publish is answered only when other nodes have it. */
  readonly confirm: boolean;
  /** The query, as it is. */
  readonly query: string;
  readonly body: CallBody;
}

/** What came with a call: text, or in a batch the value that it stands for. */
export class CallBody {
  readonly #text: string | undefined;
  readonly #value: unknown;

  private constructor(text: string | undefined, value: unknown) {
    this.#text = text;
    this.#value = value;
  }

  static readonly none = new CallBody('', undefined);

  static ofText(text: string): CallBody {
    return new CallBody(text, undefined);
  }

  /** A string is the text itself; absent means empty. */
  static ofValue(value: unknown): CallBody {
    if (value === undefined || typeof value === 'string') return new CallBody(value ?? '', undefined);
    return new CallBody(undefined, value);
  }

  get text(): string {
    return this.#text ?? JSON.stringify(this.#value);
  }

  /** @throws HiveError `invalid_json` */
  json(): unknown {
    if (this.#text === undefined) return this.#value;
    if (this.#text.trim() === '') throw new HiveError('invalid_json', 'The body is empty.');
    return parseBackEndJson(this.#text, 'The body is');
  }

  /** @throws HiveError `invalid_json`, `bad_external_event` */
  event(): EventPacket {
    const compact = this.#text === undefined ? undefined : eventFromCompact(this.#text);
    return compact ?? eventFromValue(this.json());
  }
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

export type Handler = (host: ApiHost, call: Call, id: string) => Answer | Promise<Answer>;

interface Action {
  readonly handler: Handler;
  /** What it does for the whole cluster; without, `cluster` is refused. */
  readonly cluster?: Handler;
  /** It publishes; without, `confirm` is refused. */
  readonly publishes?: true;
}

type Methods = Readonly<Record<string, Action>>;
type Actions = Readonly<Record<string, Methods>>;

const done: Answer = { status: 200 };

function reached({ nodes, missing, ...rest }: Reached, afterwards?: () => void): Answer {
  const body = { ...rest, nodes, missing };
  return afterwards ? { status: 200, body, afterwards } : { status: 200, body };
}

/** section → action → method → what is done. */
const actions = nested({
  hive: {
    version: { get: { handler: (host) => ({ status: 200, body: host.version }) } },
    stop: {
      post: {
        handler: (host) => ({ status: 200, afterwards: () => host.stop() }),
        // Closed first: clients of the first node would only move on to the next one.
        cluster: async ({ cluster }) => reached(await cluster.disable(), () => cluster.stop()),
      },
    },
  },
  router: {
    enable: {
      post: {
        handler: order((host) => host.enable()),
        cluster: async ({ cluster }) => reached(await cluster.enable()),
      },
    },
    disable: {
      post: {
        handler: order((host) => host.disable()),
        cluster: async ({ cluster }) => reached(await cluster.disable()),
      },
    },
    drain: {
      get: { handler: (host) => ({ status: 200, body: host.drainage }) },
      post: {
        handler: (host) => {
          host.drain();
          return { status: 200, body: host.drainage };
        },
      },
    },
    terminate: {
      post: {
        handler: order((host, { body }) => host.terminate(body.text)),
        cluster: async ({ cluster }, { body }) => reached(await cluster.disable(), () => cluster.terminate(body.text)),
      },
    },
  },
  clients: {
    '': { get: listing((cluster, page, query) => cluster.clients(query.get('channel') ?? '', page)) },
    action: {
      post: {
        handler: async (host, { body }, sid) => {
          await host.runActions(sid, actionsIn(body));
          return done;
        },
      },
    },
    ask: {
      post: {
        handler: async (host, { body, query }, sid) => {
          const answer = await host.ask(sid, body.event(), timeoutIn(new URLSearchParams(query)));
          return { status: 200, body: { args: JSON.parse(answer) } };
        },
      },
    },
  },
  pubsub: {
    channels: { get: listing((cluster, page, query) => cluster.channels(query.get('prefix') ?? '', page)) },
    action: {
      post: publication((host, { body, confirm }, channel) => host.publishActions(channel, actionsIn(body), confirm)),
    },
    publish: {
      post: publication((host, { body, confirm }, channel) => host.publishEvent(channel, body.event(), confirm)),
    },
    subscribe: {
      get: {
        handler: (host, _call, channel) => ({ status: 200, body: { subscribed_clients: host.subscribers(channel) } }),
        cluster: async ({ cluster }, _call, channel) => reached(await cluster.subscribers(channel)),
      },
      post: { handler: subscription((host, sid, channels) => host.subscribe(sid, channels)) },
      delete: { handler: subscription((host, sid, channels) => host.unsubscribe(sid, channels)) },
    },
  },
});

/** Rows of a list, unless the caller says how many. */
const usualPage = 100;

export const sections: readonly string[] = [...actions.keys()];

/** `POST router/enable`, `POST router/enable?cluster=true`, …: everything that can be asked for. */
export const endpoints: readonly string[] = [...actions].flatMap(([section, named]) =>
  [...named].flatMap(([name, methods]) =>
    [...methods].flatMap(([method, { cluster }]) => {
      const endpoint = `${method.toUpperCase()} ${name === '' ? section : `${section}/${name}`}`;
      return cluster ? [endpoint, `${endpoint}?cluster=true`] : [endpoint];
    }),
  ),
);

/** Sections whose actions name a client or channel in one more segment. */
const sectionsWithId = new Set(['clients', 'pubsub']);
/** Those that do not. */
const lists = new Set(['clients/', 'pubsub/channels']);

function nested(sections: Readonly<Record<string, Actions>>): Map<string, Map<string, Map<string, Action>>> {
  const mapOf = <Value, Mapped>(values: Readonly<Record<string, Value>>, map: (value: Value) => Mapped) =>
    new Map(Object.entries(values).map(([key, value]) => [key, map(value)]));
  return mapOf(sections, (section) => mapOf(section, (methods) => mapOf(methods, (action) => action)));
}

function order(carryOut: (host: ApiHost, call: Call, id: string) => void): Handler {
  return (host, call, id) => {
    carryOut(host, call, id);
    return done;
  };
}

function publication(publish: (host: ApiHost, call: Call, channel: string) => Unconfirmed | undefined): Action {
  const handler: Handler = (host, call, channel) => {
    const unconfirmed = publish(host, call, channel);
    return unconfirmed ? { status: 200, unconfirmed } : done;
  };
  return { handler, publishes: true };
}

/** Of the whole cluster, whether that is said or not. */
function listing(list: (cluster: ClusterHost, page: PageQuery, query: URLSearchParams) => Promise<Reached>): Action {
  const handler: Handler = async ({ cluster }, call) => {
    const query = new URLSearchParams(call.query);
    return { status: 200, body: await list(cluster, pageIn(query), query) };
  };
  return { handler, cluster: handler };
}

/** The query parameter `timeout`, ms. @throws HiveError `bad_api_request` */
function timeoutIn(query: URLSearchParams): number {
  const text = query.get('timeout') ?? '';
  const timeout = text === '' ? askTimeoutMs : Number(text);
  if (isAskTimeout(timeout)) return timeout;
  throw new HiveError(code, `timeout must be a number of milliseconds from 1 to ${maxAskTimeoutMs}, not ${text}.`);
}

/** The query parameters `cursor` and `limit`. @throws HiveError `bad_api_request` */
function pageIn(query: URLSearchParams): PageQuery {
  const text = query.get('limit') ?? '';
  const limit = text === '' ? usualPage : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPage) return { after: query.get('cursor') ?? '', limit };
  throw new HiveError(code, `limit must be a number from 1 to ${maxPage}, not ${text}.`);
}

/** The answer to a publish that these nodes have not confirmed. */
export function publishAnswer(unconfirmed: readonly string[]): Answer {
  return unconfirmed.length === 0 ? done : { status: 200, body: { unconfirmed } };
}

/** The query parameter `confirm`. @throws HiveError `bad_api_request` */
export function wantsConfirmation(value: string | undefined): boolean {
  if (!value || value === 'cluster') return true;
  if (value === 'node') return false;
  throw new HiveError(code, `confirm must be node or cluster, not ${value}.`);
}

function subscription(change: (host: ApiHost, sid: string, channels: string[]) => Promise<void>): Handler {
  return async (host, { body }, sid) => {
    let expression: unknown;
    try {
      expression = body.json();
    } catch (error) {
      throw new HiveError('bad_request', 'The body is no JSON array of channel ids.', { cause: error });
    }
    const channels = channelIds(expression);
    if (channels.length === 0) throw new HiveError('bad_request', 'The body names no channel.');
    await change(host, sid, channels);
    return done;
  };
}

function actionsIn(body: CallBody): ActionCall[] {
  return toActionCalls(body.json());
}

const code = 'bad_api_request';

/**
 * Finds what a call asks for; the body need not be there yet.
 * @throws HiveError `bad_api_request`: 404 for a path of another shape, 501 for an unknown action, 405 for a wrong method
 */
export function findHandler({ method, segments, cluster, confirm }: Omit<Call, 'body'>): Handler {
  const section = segments[0] ?? '';
  const known = actions.get(section);
  const [, name = '', id] = segments;
  const methods = known?.get(name);
  const isNamed = sectionsWithId.has(section) && !lists.has(`${section}/${name}`);
  if (!known || segments.length > 3 || (id === undefined ? isNamed : !isNamed || id === '')) throw notFound(code);
  if (!methods) {
    if (name === '') throw notFound(code);
    throw new RequestError(501, code, `There is no action ${name} in ${section}.`);
  }
  const action = methods.get(method);
  if (!action) throw wrongMethod(code, method, [...methods.keys()].join(', ').toUpperCase());
  if (!confirm && !action.publishes) {
    throw new HiveError(code, `${section}/${name} publishes nothing that could be confirmed.`);
  }
  if (!cluster) return action.handler;
  if (action.cluster) return action.cluster;
  throw new HiveError(code, `${section}/${name} cannot be asked of the whole cluster with ${method.toUpperCase()}.`);
}
