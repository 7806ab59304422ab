/**
 * The whole supervision tree of a node on one screen.
 *
 *   hive_root_sup                            one_for_one
 *   ├─ hive_env_sup                          one_for_one      what all others rely on
 *   │  ├─ hive_health                                         for probes: opened first, closed last; only with a port
 *   │  ├─ hive_monitor                                        metrics, the view of this tree
 *   │  └─ hive_cluster                                        connections with other nodes
 *   └─ hive_sup                              one_for_one
 *      ├─ hive_connectors_sup                rest_for_one
 *      │  ├─ hive_connectors_pool_sup        dynamic          one supervisor per pool, over its workers
 *      │  └─ hive_connectors                                  starts and stops pools
 *      ├─ hive_router_sup                    one_for_one
 *      │  ├─ hive_client_sup                 partitions       one actor per client
 *      │  ├─ hive_router                                      acts on clients for other nodes
 *      │  ├─ hive_departures                                  repeats `on_disconnect` that no back end has answered
 *      │  ├─ hive_sessions                                    claims sessions of dead nodes; only with `clients.durable`
 *      │  └─ hive_relay                                       requests of clients whose session another node has
 *      ├─ hive_pubsub_sup                    one_for_one
 *      │  ├─ hive_pubsub_channel_sup         partitions       one actor per channel, and per Erlang subscriber
 *      │  ├─ hive_pubsub                                      starts channels, knows who has subscribers
 *      │  ├─ hive_history                                     what other nodes publish to channels with a history; only with such
 *      │  └─ hive_presence                                    who is in which channels; only if that is told of any
 *      └─ hive_web_sup                       one_for_one
 *         ├─ hive_monitor_server, hive_api                    for operators and back ends
 *         └─ hive_web                                         for clients: opened last, closed first
 *
 * The names, and how many restarts each supervisor allows, are those of 2014. Managers keep nothing that their restart could
 * lose (it is in tables of the node), so none of them takes its sibling down; only pools are built anew with their supervisor.
 */
import { keeperName } from '../actors/client/session-keeper.ts';
import { historyName } from '../actors/pubsub/history/history.ts';
import { presenceName } from '../actors/pubsub/presence/presence.ts';
import type { Actor } from '../kernel/actor.ts';
import type { ChildSpec } from '../kernel/supervision.ts';
import { DynamicSupervisor } from '../supervisors/dynamic-supervisor.ts';
import { PartitionSupervisor } from '../supervisors/partition-supervisor.ts';
import { type Strategy, Supervisor } from '../supervisors/supervisor.ts';

/** Names under which parts of the tree are found. */
export const names = {
  root: 'hive_root_sup',
  serving: 'hive_sup',
  web: 'hive_web_sup',
  pools: 'hive_connectors_pool_sup',
  clients: 'hive_client_sup',
  channels: 'hive_pubsub_channel_sup',
} as const;

/** Makes each worker's actor, once per incarnation. */
export interface Workers {
  monitor(): Actor<never>;
  cluster(): Actor<never>;
  /** Undefined if no port is configured for it. */
  readonly health: (() => Actor<never>) | undefined;
  connectors(): Actor<never>;
  router(): Actor<never>;
  departures(): Actor<never>;
  /** Undefined if sessions are not durable. */
  readonly sessions: (() => Actor<never>) | undefined;
  relay(): Actor<never>;
  pubsub(): Actor<never>;
  /** Undefined if no channel has a history. */
  readonly history: (() => Actor<never>) | undefined;
  /** Undefined if nobody is told who is in any channel. */
  readonly presence: (() => Actor<never>) | undefined;
  monitorServer(): Actor<never>;
  api(): Actor<never>;
  web(): Actor<never>;
}

const few = { intensity: 5, periodMs: 10_000 };
const some = { intensity: 10, periodMs: 10_000 };

export function rootSupervisor(workers: Workers): Supervisor {
  return new Supervisor({
    ...few,
    children: [
      supervisor('hive_env_sup', 'one_for_one', [
        ...(workers.health ? [worker('hive_health', workers.health)] : []),
        worker('hive_monitor', workers.monitor),
        worker('hive_cluster', workers.cluster),
      ]),
      supervisor(names.serving, 'one_for_one', [
        supervisor('hive_connectors_sup', 'rest_for_one', [
          { id: names.pools, name: names.pools, type: 'supervisor', start: () => new DynamicSupervisor(some) },
          worker('hive_connectors', workers.connectors),
        ]),
        supervisor('hive_router_sup', 'one_for_one', [
          partitions(names.clients, few),
          worker('hive_router', workers.router),
          worker('hive_departures', workers.departures),
          ...(workers.sessions ? [worker(keeperName, workers.sessions)] : []),
          worker('hive_relay', workers.relay),
        ]),
        supervisor('hive_pubsub_sup', 'one_for_one', [
          partitions(names.channels, some),
          worker('hive_pubsub', workers.pubsub),
          ...(workers.history ? [worker(historyName, workers.history)] : []),
          ...(workers.presence ? [worker(presenceName, workers.presence)] : []),
        ]),
        supervisor(names.web, 'one_for_one', [
          worker('hive_monitor_server', workers.monitorServer),
          worker('hive_api', workers.api),
          worker('hive_web', workers.web),
        ]),
      ]),
    ],
  });
}

/** The supervisor of one pool's workers. */
export function poolSupervisor(): DynamicSupervisor {
  return new DynamicSupervisor(some);
}

function supervisor(id: string, strategy: Strategy, children: readonly ChildSpec<never>[]): ChildSpec<never> {
  return { id, name: id, type: 'supervisor', start: () => new Supervisor({ ...few, strategy, children }) };
}

function partitions(id: string, partition: typeof few): ChildSpec<never> {
  return { id, name: id, type: 'supervisor', start: () => new PartitionSupervisor({ ...few, partition }) };
}

function worker(id: string, start: () => Actor<never>): ChildSpec<never> {
  return { id, name: id, start };
}
