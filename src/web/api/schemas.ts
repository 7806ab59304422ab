/** What several calls of the HTTP API take and answer. */
import { type TProperties, Type } from 'typebox';
import { askTimeoutMs, maxAskTimeoutMs } from '../../protocol/backend/ask-timeout.ts';
import { maxPage } from './api-host.ts';

export const event = Type.Object(
  {
    name: Type.String(),
    args: Type.Optional(Type.Unknown({ description: 'An array. Anything else is passed on as it is.' })),
  },
  { $id: 'Event', description: 'An event, as clients get it.' },
);

const action = Type.Object(
  {
    action: Type.String({ description: 'One of `clients.actions`.' }),
    args: Type.Unknown(),
    trigger_id: Type.Optional(Type.String({ description: "The client's packet that this answers." })),
  },
  { $id: 'Action', description: 'Something that a client is to do.' },
);

export const actions = Type.Union([action, Type.Array(action)], {
  $id: 'Actions',
  description: 'One action or several.',
});

export const channels = Type.Unknown({
  $id: 'Channels',
  description: 'A channel id, an array of them, or expressions for them: `["news.1", {"rooms": ["a", "b"]}]`.',
});

/** Who took part in something that concerned the cluster. */
export const reached = {
  nodes: Type.Array(Type.String(), { description: 'The nodes that took part.' }),
  missing: Type.Array(Type.String(), { description: 'Known nodes that did not.' }),
};

export const unconfirmed = Type.Object(
  { unconfirmed: Type.Array(Type.String(), { description: 'The nodes that have not confirmed it within a second.' }) },
  { $id: 'Unconfirmed', description: 'An empty body, unless there are such nodes.' },
);

/** Part of a list, in the order of ids. */
export function page<Name extends string>(name: Name, row: ReturnType<typeof Type.Object>) {
  return Type.Object({
    [name]: Type.Array(row),
    cursor: Type.Union([Type.String(), Type.Null()], { description: 'For the next part; null: this is the last one.' }),
    ...reached,
  });
}

/** Which part of a list is wanted. */
export const paging = {
  cursor: Type.String({ default: '', description: 'The `cursor` of the part before.' }),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: maxPage, description: 'Rows at most.' }),
} satisfies TProperties;

export const cluster = {
  cluster: Type.Boolean({ default: false, description: 'Whether all nodes are meant.' }),
} satisfies TProperties;

/** Of a list, which is that of the cluster anyway. */
export const wholeCluster = {
  cluster: Type.Boolean({ default: true, description: 'Lists are those of the cluster, whatever this says.' }),
} satisfies TProperties;

export const confirm = {
  confirm: Type.Enum(['cluster', 'node'], {
    default: 'cluster',
    description: 'When the call is answered: when other nodes have it (or a second later), or at once.',
  }),
} satisfies TProperties;

export const timeout = {
  timeout: Type.Integer({
    default: askTimeoutMs,
    minimum: 1,
    maximum: maxAskTimeoutMs,
    description: 'How long clients may take to answer. Milliseconds.',
  }),
} satisfies TProperties;

export const listedClient = Type.Object(
  {
    sid: Type.String(),
    user: Type.Union([Type.String(), Type.Null()], { description: 'The id of its user.' }),
    node: Type.String(),
    connected_at: Type.Integer({ description: 'Milliseconds since 1970.' }),
    suspended: Type.Boolean({ description: 'Whether it has no connection and may come back.' }),
  },
  { $id: 'Client' },
);
