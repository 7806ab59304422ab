/**
 * One node, from a checked configuration to its end:
 *
 *   log ─▶ metrics ─▶ kernel ─▶ tables and services of the node ─▶ root supervisor (starts everything else)
 *
 * The tables (sessions, channels, pools, cluster) belong to the node and not to the actors that fill them, so an actor that is
 * restarted finds what its predecessor knew.
 */
import { ClientServices } from '../actors/client/client-services.ts';
import { Departures } from '../actors/client/departures.ts';
import { SessionKeeper } from '../actors/client/session-keeper.ts';
import { Cluster } from '../actors/cluster/cluster.ts';
import { ClusterTable } from '../actors/cluster/cluster-table.ts';
import { alarmSpecs } from '../actors/monitor/alarm-specs.ts';
import { health } from '../actors/monitor/health.ts';
import { Monitor } from '../actors/monitor/monitor.ts';
import { monitorHost } from '../actors/monitor/monitor-host.ts';
import { ConnectorsManager } from '../actors/pools/manager.ts';
import { PoolTable } from '../actors/pools/pool-table.ts';
import { PubSubService } from '../actors/pubsub/pubsub.ts';
import { Relay } from '../actors/relay/relay.ts';
import { RelayService } from '../actors/relay/service.ts';
import { NodeApi } from '../actors/router/api-host.ts';
import { ClusterControl } from '../actors/router/cluster-control.ts';
import { Idempotency } from '../actors/router/idempotency.ts';
import type { Closing } from '../actors/router/leaving.ts';
import { Router } from '../actors/router/router.ts';
import { RouterService } from '../actors/router/service.ts';
import type { Config } from '../config/types.ts';
import type { Actor } from '../kernel/actor.ts';
import { IdSource } from '../kernel/ids.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { SupervisorMessage } from '../kernel/supervision.ts';
import type { AnyRef, ExitReason } from '../kernel/types.ts';
import { Alarms } from '../observe/alarms.ts';
import { HiveError } from '../observe/errors.ts';
import { openLogFiles } from '../observe/log-files.ts';
import type { Log } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { openFiles } from '../observe/open-files.ts';
import { PluginSet } from '../plugins/plugin-set.ts';
import type { PluginRegistry } from '../plugins/registry.ts';
import { supervisionTree } from '../supervisors/introspection.ts';
import { version } from '../version.ts';
import { Topics } from '../web/client/topics.ts';
import { Listeners } from '../web/listeners.ts';
import { checkServers, checksOf } from '../web/self-check.ts';
import { type ChosenSockets, chooseSockets, nativeHint } from '../web/sockets/choice.ts';
import { historyStores } from './histories.ts';
import { type Addresses, Servers } from './servers.ts';
import { keepSessions } from './sessions.ts';
import { names, poolSupervisor, rootSupervisor, type Workers } from './tree.ts';

export interface Node {
  /** `id@host`. */
  readonly name: string;
  /** Where its servers listen, with real ports where 0 was configured. */
  readonly addresses: Addresses;
  /** What holds its sockets: `uWebSockets 20.57.0`. */
  readonly sockets: string;
  /** Ends the node gracefully: new clients are refused, present ones asked to leave, everything stopped in reverse order. */
  stop(reason: string): void;
  /** How far that is; undefined while nobody has told it to stop. */
  readonly stopping: Closing | undefined;
  /** Resolves when everything has ended. */
  readonly ended: Promise<End>;
  readonly log: Log;
  /** Opens the log files anew. */
  reopenLogs(): void;
  /**
   * Writes what is still buffered before it returns: for a process that is about to end.
   * @param lastWords go to stderr behind all that
   */
  flushLogs(lastWords?: string): void;
}

/** `graceful`: it was told to stop; otherwise the root supervisor gave up, and the process should be started anew. */
export interface End {
  readonly graceful: boolean;
  readonly reason: ExitReason;
}

/**
 * Starts a node; resolves when it has seen that its servers answer.
 * @param registry what the configuration was checked against
 * @param chosen holds its sockets; the best that can be had unless told
 * @param signal aborted before that, it calls the start off: what was started is stopped again, and the promise rejects
 * @throws HiveError (rejection) `port_taken`, `name_taken`, `file_error`, `sockets_unavailable`, `not_answering`, …: the first thing that cannot be had; what was started is stopped again
 */
export async function startNode(
  config: Config,
  registry: PluginRegistry,
  chosen: ChosenSockets = chooseSockets(),
  signal?: AbortSignal,
): Promise<Node> {
  const { name } = config.hive;
  const metrics = new Metrics();
  const files = openLogFiles(config.log, { node: name }, metrics.counters('hive.log', ['lost', 'counted']));
  const { log } = files;
  const kernel = new Kernel({ node: name, log: log.child({ component: 'kernel' }), metrics });
  kernel.phase = 'starting';
  const ids = new IdSource(name, kernel.creation);
  const cluster = new ClusterTable(kernel.node, kernel.creation);
  const pools = new PoolTable(kernel, metrics);
  const { sessions, durable } = keepSessions({ config, ids, kernel, pools, log, metrics });
  const topics = new Topics(sessions);
  const pubsub = new PubSubService({
    kernel,
    config: config.pubsub,
    links: {
      maxBytes: config.hive.cluster_max_queue,
      resumeMs: config.hive.cluster_resume,
      stored: durable && sessions && (() => sessions.settled()?.then(() => durable.own.adoption)),
    },
    cluster,
    presence: { isDurable: durable !== undefined, graceMs: presenceGraceMs(config.clients.durable?.lease) },
    fanout: topics,
    packetsFor: (actions) => plugins.packetsFor(actions),
    channelSupervisor: kernel.remote(kernel.node, names.channels),
    historyStores: historyStores({ config, kernel, pools }),
    log: log.child({ component: 'pubsub' }),
    metrics,
  });
  const services = { config, kernel, timers: kernel.wheel, log, metrics, pools, pubsub };
  let plugins: PluginSet;
  try {
    plugins = new PluginSet(registry, services);
  } catch (error) {
    kernel.halt();
    await files.close();
    throw error;
  }
  const listeners = new Listeners(openFiles(), log.child({ component: 'web' }), metrics);
  const clients = new ClientServices({
    config,
    plugins,
    memberships: pubsub,
    sessions,
    durable,
    wheel: kernel.wheel,
    log,
    metrics,
  });
  const { ttl: ttlMs, max_keys: maxKeys } = config.api.idempotency;
  const routerLog = log.child({ component: 'router' });
  const router = new RouterService({
    idempotency: new Idempotency({ kernel, cluster, ttlMs, maxKeys, log: routerLog, metrics }),
    config,
    kernel,
    ids,
    clients,
    supervisor: names.clients,
    cluster,
    channels: pubsub,
    obstacle: () => listeners.shortage,
    farewells: () => relays.farewells,
    stop: (reason) => void stop(reason),
    log,
    metrics,
  });
  const relays = new RelayService({
    kernel,
    cluster,
    maxQueueBytes: config.hive.cluster_max_queue,
    log: log.child({ component: 'relay' }),
    metrics,
  });

  let root: AnyRef;
  const monitorLog = log.child({ component: 'monitor' });
  const { clear, interval: alarmsIntervalMs } = config.monitor.alarms;
  const specs = alarmSpecs({ config, kernel, metrics });
  const watched = {
    kernel,
    cluster,
    pools,
    refusal: () => router.refusal(),
    obstacle: () => listeners.shortage,
    problems: () => {
      const { reason } = clients.stateTrouble;
      const state = reason === undefined ? [] : [`the state of sessions cannot be stored: ${reason}`];
      const problem = durable?.problem;
      const sessions = problem === undefined ? [] : [`sessions are not durable: ${problem}`];
      const { connections } = router.drainage;
      const left = connections === 0 ? [] : [`sessions are handed over, connections left: ${connections}`];
      return [...left, ...state, ...sessions, ...files.problems()];
    },
    version,
    sockets: chosen.title,
    metrics,
    log: monitorLog,
    alarms: new Alarms({ specs, clear, log: monitorLog, metrics }),
    alarmsIntervalMs,
  };
  const clusterControl = new ClusterControl({
    kernel,
    cluster,
    router,
    graceMs: config.hive.graceful_termination_timeout,
    log: log.child({ component: 'cluster' }),
  });
  let started = false;
  const servers = new Servers({
    config,
    sockets: chosen.library,
    listeners,
    clients: router,
    topics,
    relays,
    ids,
    wheel: kernel.wheel,
    api: new NodeApi({ version, router, pubsub, plugins, cluster: clusterControl, missing: () => cluster.missing() }),
    monitor: monitorHost({ ...watched, client: (sid) => router.view(sid), lists: clusterControl }),
    health: () => (started ? health(watched).status : 'starting'),
    metrics,
    log: log.child({ component: 'web' }),
  });
  const workers: Workers = {
    health: servers.health,
    monitor: () => new Monitor(watched, (options) => supervisionTree(root, options)),
    cluster: () =>
      new Cluster({ config: config.hive, table: cluster, version, log: log.child({ component: 'cluster' }), metrics }),
    connectors: () =>
      new ConnectorsManager({
        table: pools,
        services,
        poolSupervisor: kernel.remote<SupervisorMessage>(kernel.node, names.pools),
        makeSupervisor: poolSupervisor as () => Actor<SupervisorMessage>,
        connector: (connector) => registry.connector(connector),
      }),
    router: () => new Router(router),
    departures: () => new Departures(clients.departures),
    sessions: durable && (() => new SessionKeeper(durable, router.adoptions, () => router.admits)),
    relay: () => new Relay(relays),
    pubsub: () => pubsub.manager(),
    history: pubsub.historian,
    presence: pubsub.presenceActor,
    monitorServer: () => servers.monitor(),
    api: () => servers.api(),
    web: () => servers.client(),
  };

  let graceful = false;
  let over = false;
  const stop = async (reason: string): Promise<void> => {
    if (graceful || over) return;
    graceful = true;
    kernel.phase = 'stopping';
    log.notice(`Stopping: ${reason}`);
    await router.close(reason);
    await pubsub.leaveHistories();
    if (durable) {
      await closeServers(kernel);
      await router.release(reason);
      await durable.close();
    }
    await kernel.stop(root, 'shutdown');
  };

  try {
    root = await startRoot(kernel, workers, signal);
    const keys = { apiKey: config.api.hash, monitorKey: config.monitor.hash };
    await checkServers(checksOf({ addresses: servers.addresses, ...keys, node: name, version }), metrics).catch(
      async (error: unknown) => {
        await kernel.stop(root, 'shutdown');
        throw error;
      },
    );
  } catch (error) {
    kernel.halt();
    listeners.end();
    await files.close();
    throw error;
  }
  const ended = new Promise<End>((resolve) => {
    kernel.onExit(root, async (reason) => {
      over = true;
      if (graceful) log.notice('Stopped');
      else log.emergency('The root supervisor gave up');
      kernel.repeated.settle();
      kernel.halt();
      listeners.end();
      await files.close();
      resolve({ graceful, reason });
    });
  });
  started = true;
  kernel.phase = 'running';
  log.notice(`Started version ${version}`, { sockets: chosen.title });
  const hint = nativeHint(chosen);
  if (hint !== undefined) log.notice(hint);
  return {
    name,
    addresses: servers.addresses,
    sockets: chosen.title,
    stop: (reason) => void stop(reason),
    get stopping() {
      return graceful ? router.closing : undefined;
    },
    ended,
    log,
    reopenLogs: () => files.reopen(),
    flushLogs: (lastWords) => files.flush(lastWords),
  };
}

/** How long members of a lost node count as present, ms: those that go on are at another one by then. */
function presenceGraceMs(leaseMs: number | undefined): number {
  return leaseMs === undefined ? 5000 : 2 * leaseMs + 5000;
}

/** Nobody reaches the node any more but other nodes: whatever is still asked of it would be lost. */
async function closeServers(kernel: Kernel): Promise<void> {
  const supervisor = kernel.whereis<SupervisorMessage>(names.serving);
  if (!supervisor) return;
  await kernel.ask(supervisor, { type: 'terminate_child', child: names.web }, Number.POSITIVE_INFINITY);
}

async function startRoot(kernel: Kernel, workers: Workers, signal: AbortSignal | undefined): Promise<AnyRef> {
  signal?.throwIfAborted();
  const supervisor = rootSupervisor(workers);
  const starting = kernel.spawn(supervisor, { name: names.root });
  const callOff = (): void => void kernel.stop(supervisor.self, 'shutdown');
  signal?.addEventListener('abort', callOff, { once: true });
  try {
    const root = await starting;
    if (!root) throw new HiveError('hive_error', 'The root supervisor did not start.');
    return root;
  } finally {
    signal?.removeEventListener('abort', callOff);
  }
}
