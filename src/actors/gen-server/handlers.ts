/** The requests of Erlang processes, by the registered name that answers them; docs/erlang.md describes them for users. */
import { atom, tuple } from '../../distribution/codec/terms.ts';
import type { AnyRef, NodeName } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Privilege, PubSub } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type { ChannelAnswers, UsersHost } from '../../web/api/api-host.ts';
import type { ChannelRow, ClusterView } from '../contracts.ts';
import type { PageRequest } from '../pages.ts';
import { GenServerApi } from './gen-server-api.ts';
import type { Subscriptions } from './subscriptions.ts';
import { actionsIn, eventIn, historyQueryIn, pageIn, pidIn, textIn, textsIn, timeoutIn } from './values.ts';

/** What Erlang processes may do to clients, wherever these live. */
export interface RouterApiHost {
  runActions(sid: string, actions: readonly ActionCall[]): Promise<void>;
  subscribe(sid: string, channels: readonly string[]): Promise<void>;
  unsubscribe(sid: string, channels: readonly string[]): Promise<void>;
  ask(sid: string, event: EventPacket, timeoutMs: number): Promise<string>;
  whereis(sid: string): Promise<AnyRef>;
  /** Clients of this node. */
  readonly clients: number;
  readonly lists: {
    clients(channel: string, user: string, page: PageRequest): readonly (readonly [string, number, boolean, unknown])[];
  };
  send(sid: string, event: EventPacket): Promise<void>;
  disconnect(sid: string): Promise<void>;
  readonly users: UsersHost;
  readonly channelAsks: { ask(channel: string, event: EventPacket, timeoutMs: number): Promise<ChannelAnswers> };
}

function threeOf([sid, connectedAt, isSuspended]: readonly [string, number, boolean, unknown]) {
  return tuple(sid, connectedAt, isSuspended);
}

export function routerApi(routes: RouterApiHost, log: Log): GenServerApi {
  return new GenServerApi(
    {
      'act/2': (sid, actions) => routes.runActions(textIn(sid), actionsIn(actions)),
      'subscribe/2': (sid, channels) => routes.subscribe(textIn(sid), textsIn(channels)),
      'unsubscribe/2': (sid, channels) => routes.unsubscribe(textIn(sid), textsIn(channels)),
      'ask/3': (sid, event, timeout) => routes.ask(textIn(sid), eventIn(event), timeoutIn(timeout)).then(JSON.parse),
      'ask_channel/3': (channel, event, timeout) =>
        routes.channelAsks.ask(textIn(channel), eventIn(event), timeoutIn(timeout)),
      'whereis/1': (sid) => routes.whereis(textIn(sid)),
      'count/0': () => routes.clients,
      'clients/3': (channel, after, limit) =>
        routes.lists.clients(textIn(channel), '', pageIn(after, limit)).map(threeOf),
      'user_clients/3': (user, after, limit) =>
        routes.lists.clients('', textIn(user), pageIn(after, limit)).map(threeOf),
      'send/2': (sid, event) => routes.send(textIn(sid), eventIn(event)),
      'disconnect/1': (sid) => routes.disconnect(textIn(sid)),
      'user_act/2': (user, actions) => routes.users.runActions(textIn(user), actionsIn(actions)),
      'user_send/2': (user, event) => routes.users.send(textIn(user), eventIn(event)),
      'user_disconnect/1': (user) => routes.users.disconnect(textIn(user)),
    },
    log,
  );
}

/** With the rights of a back end: private channels, too. */
export function pubsubApi(
  pubsub: Pick<PubSub, 'publish' | 'history' | 'presence'> & {
    clearHistory(channel: string, privilege: Privilege): Promise<void>;
    status(prefix: string): number;
    list(prefix: string, page: PageRequest): readonly ChannelRow[];
  },
  subscriptions: Subscriptions,
  log: Log,
): GenServerApi {
  return new GenServerApi(
    {
      'publish/2': (channels, event) =>
        pubsub.publish(textsIn(channels), 'private', { type: 'event', packet: eventIn(event) }),
      'act/2': (channels, actions) =>
        pubsub.publish(textsIn(channels), 'private', { type: 'actions', actions: actionsIn(actions) }),
      'count/1': (channel) => pubsub.status(textIn(channel)),
      'channels/3': (prefix, after, limit) =>
        pubsub.list(textIn(prefix), pageIn(after, limit)).map(([id, subscriptions]) => tuple(id, subscriptions)),
      'presence/3': (channel, after, limit) => pubsub.presence(textIn(channel), 'private', pageIn(after, limit)),
      'history/2': (channel, query) => pubsub.history(textIn(channel), 'private', historyQueryIn(query)),
      'clear_history/1': (channel) => pubsub.clearHistory(textIn(channel), 'private'),
      'subscribe/2': (process, channel) => subscriptions.subscribe(pidIn(process), textIn(channel)),
      'unsubscribe/2': (process, channel) => subscriptions.unsubscribe(pidIn(process), textIn(channel)),
    },
    log,
  );
}

export function clusterApi(cluster: ClusterView, version: string, log: Log): GenServerApi {
  const names = (nodes: readonly NodeName[]) => nodes.map((node) => atom(node));
  return new GenServerApi(
    {
      'version/0': () => version,
      'nodes/0': () => names(cluster.nodes()),
      'missing/0': () => names(cluster.missing()),
      'owner/1': (sid) => {
        const owner = cluster.ownerOf(textIn(sid));
        if (owner === undefined) throw new HiveError('bad_session_id', 'No connected node has that session.');
        return atom(owner);
      },
    },
    log,
  );
}

export function monitorApi(metrics: Metrics, tree: (options: { depth?: number }) => unknown, log: Log): GenServerApi {
  const metricsUnder = (section: string): unknown => {
    const found = metrics.tree(section);
    if (found) return found;
    throw new HiveError('bad_monitor_request', `No metric is under ${section}.`, {
      summary: 'There is no such metric',
    });
  };
  return new GenServerApi(
    {
      'metrics/0': () => metricsUnder(''),
      'metrics/1': (section) => metricsUnder(textIn(section)),
      'reset/1': (path) => {
        const name = textIn(path);
        if (!metrics.reset(name))
          throw new HiveError('bad_monitor_request', `There is neither a counter nor a histogram ${name}.`, {
            summary: 'There is no such counter or histogram',
          });
      },
      'tree/0': () => tree({}),
      'tree/1': (depth) => {
        if (typeof depth === 'number' && depth >= 0) return tree({ depth });
        throw new HiveError('bad_request', 'The depth of the tree is a number.');
      },
    },
    log,
  );
}
