/**
 * One node, from a checked configuration to its end:
 *
 *   log ─▶ metrics ─▶ kernel ─▶ tables and services of the node ─▶ root supervisor (starts everything else)
 *
 * The tables (sessions, channels, pools, cluster) belong to the node and not to the actors that fill them, so an actor that is
 * restarted finds what its predecessor knew.
 */
import { ClientServices } from '../actors/client/client-services.ts';
import { Cluster } from '../actors/cluster/cluster.ts';
import { ClusterTable } from '../actors/cluster/cluster-table.ts';
import { Listener, type Listening } from '../actors/listener.ts';
import { health } from '../actors/monitor/health.ts';
import { Monitor } from '../actors/monitor/monitor.ts';
import { monitorHost } from '../actors/monitor/monitor-host.ts';
import { ConnectorsManager } from '../actors/pools/manager.ts';
import { PoolTable } from '../actors/pools/pool-table.ts';
import { PubSubService } from '../actors/pubsub/pubsub.ts';
import { Relay } from '../actors/relay/relay.ts';
import { RelayService } from '../actors/relay/service.ts';
import { ClusterControl } from '../actors/router/cluster-control.ts';
import { Router } from '../actors/router/router.ts';
import { type Closing, RouterService } from '../actors/router/service.ts';
import type { Config } from '../config/types.ts';
import type { Actor } from '../kernel/actor.ts';
import { IdSource } from '../kernel/ids.ts';
import { Kernel } from '../kernel/kernel.ts';
import type { SupervisorMessage } from '../kernel/supervision.ts';
import type { ExitReason, Ref } from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import { openLogFiles } from '../observe/log-files.ts';
import type { Log } from '../observe/logger.ts';
import { Metrics } from '../observe/metrics.ts';
import { openFiles } from '../observe/open-files.ts';
import { PluginSet } from '../plugins/plugin-set.ts';
import type { PluginRegistry } from '../plugins/registry.ts';
import { supervisionTree } from '../supervisors/introspection.ts';
import { version } from '../version.ts';
import { startApiServer } from '../web/api/api.ts';
import type { ApiHost } from '../web/api/api-host.ts';
import { startClientServer } from '../web/client/server.ts';
import { Topics } from '../web/client/topics.ts';
import { TrustedProxies } from '../web/http/client-address.ts';
import { Listeners } from '../web/listeners.ts';
import { startHealthServer } from '../web/monitor/health.ts';
import { startMonitorServer } from '../web/monitor/monitor.ts';
import { checkServers, checksOf } from '../web/self-check.ts';
import { type ChosenSockets, chooseSockets, nativeHint } from '../web/sockets/choice.ts';
import { names, poolSupervisor, rootSupervisor, type Workers } from './tree.ts';

export interface Node {
  /** `id@host`. */
  readonly name: string;
  /** Where its servers listen, with real ports where 0 was configured. */
  readonly addresses: {
    readonly client: string;
    readonly api: string;
    readonly monitor: string;
    readonly health?: string;
  };
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
  const { library: sockets } = chosen;
  const { name } = config.hive;
  const metrics = new Metrics();
  const files = openLogFiles(config.log, { node: name }, metrics.counters('hive.log', ['lost', 'counted']));
  const { log } = files;
  const kernel = new Kernel({ node: name, log: log.child({ component: 'kernel' }), metrics });
  kernel.phase = 'starting';
  const ids = new IdSource(name, kernel.creation);
  const cluster = new ClusterTable(kernel.node, kernel.creation);
  const pools = new PoolTable(kernel, metrics);
  const topics = new Topics();
  const pubsub = new PubSubService({
    kernel,
    config: config.pubsub,
    cluster,
    fanout: topics,
    packetsFor: (actions) => plugins.packetsFor(actions),
    channelSupervisor: kernel.remote(kernel.node, names.channels),
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
  const clients = new ClientServices({ config, plugins, memberships: pubsub, log, metrics });
  const router = new RouterService({
    config,
    kernel,
    ids,
    clients,
    supervisor: names.clients,
    cluster,
    subscribers: (channel) => pubsub.status(channel),
    obstacle: () => listeners.shortage,
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

  const ports = { client: 0, api: 0, monitor: 0, health: 0 };
  const monitorLog = log.child({ component: 'monitor' });
  const watched = {
    kernel,
    cluster,
    pools,
    refusal: () => router.refusal(),
    obstacle: () => listeners.shortage,
    problems: () => {
      const { reason } = clients.stateTrouble;
      const state = reason === undefined ? [] : [`the state of sessions cannot be stored: ${reason}`];
      return [...state, ...files.problems()];
    },
    version,
    sockets: chosen.title,
    metrics,
    log: monitorLog,
  };
  const monitor = monitorHost({ ...watched, client: (sid) => router.view(sid) });
  const webLog = log.child({ component: 'web' });
  const proxies = TrustedProxies.of(config.hive.trusted_proxies);
  const errors = metrics.counter('hive.errors');
  const listener = (start: () => Promise<Listening>): Listener =>
    new Listener(() =>
      start().catch((error: unknown) => {
        errors.value += 1;
        throw error;
      }),
    );
  const { health_port: healthPort, health_host: healthHost = config.monitor.host } = config.monitor;
  let started = false;
  const workers: Workers = {
    health:
      healthPort === undefined
        ? undefined
        : () =>
            listener(async () => {
              const state = () => (started ? health(watched).status : 'starting');
              const healthSockets = listeners.keep(sockets, 'monitor');
              const server = await startHealthServer({
                sockets: healthSockets,
                address: healthHost,
                port: healthPort,
                state,
              });
              ports.health = server.port;
              return server;
            }),
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
    relay: () => new Relay(relays),
    pubsub: () => pubsub.manager(),
    monitorServer: () =>
      listener(async () => {
        const { host: address, port, tls, hash: key, public_health: publicHealth } = config.monitor;
        const server = await startMonitorServer({
          sockets: listeners.keep(sockets, 'monitor'),
          address,
          port,
          tls,
          key,
          publicHealth,
          host: monitor,
          log: webLog,
          proxies,
        });
        ports.monitor = server.port;
        return server;
      }),
    api: () =>
      listener(async () => {
        const { host: address, port, tls, hash: key } = config.api;
        const apiSockets = listeners.keep(sockets, 'api');
        const server = await startApiServer({
          sockets: apiSockets,
          address,
          port,
          tls,
          key,
          host: api,
          metrics,
          log: webLog,
          proxies,
        });
        ports.api = server.port;
        return server;
      }),
    web: () =>
      listener(async () => {
        const newId = () => ids.next();
        const { wheel } = kernel;
        const clientSockets = listeners.keep(sockets, 'clients');
        const options = {
          sockets: clientSockets,
          config,
          host: router,
          topics,
          newId,
          wheel,
          metrics,
          log: webLog,
          relays,
        };
        const server = await startClientServer(options);
        ports.client = server.port;
        return { port: server.port, stop: () => server.close() };
      }),
  };

  const address = ({ host, tls }: { host: string; tls?: unknown }, port: number): string =>
    `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const addresses = () => ({
    client: address(config.hive, ports.client),
    api: address(config.api, ports.api),
    monitor: address(config.monitor, ports.monitor),
    ...(healthPort === undefined ? {} : { health: address({ host: healthHost }, ports.health) }),
  });

  let root: Ref<never>;
  let graceful = false;
  let over = false;
  const stop = async (reason: string): Promise<void> => {
    if (graceful || over) return;
    graceful = true;
    kernel.phase = 'stopping';
    log.notice(`Stopping: ${reason}`);
    await router.close(reason);
    await kernel.stop(root, 'shutdown');
  };
  const clusterControl = new ClusterControl({
    kernel,
    cluster,
    router,
    graceMs: config.hive.graceful_termination_timeout,
    log: log.child({ component: 'cluster' }),
  });
  const api: ApiHost = apiHost(router, pubsub, plugins, clusterControl);

  try {
    root = await startRoot(kernel, workers, signal);
    const keys = { apiKey: config.api.hash, monitorKey: config.monitor.hash };
    await checkServers(checksOf({ addresses: addresses(), ...keys, node: name, version }), metrics).catch(
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
    addresses: addresses(),
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

async function startRoot(kernel: Kernel, workers: Workers, signal: AbortSignal | undefined): Promise<Ref<never>> {
  signal?.throwIfAborted();
  const supervisor = rootSupervisor(workers);
  const starting = kernel.spawn(supervisor, { name: names.root });
  const callOff = (): void => void kernel.stop(supervisor.self as Ref<never>, 'shutdown');
  signal?.addEventListener('abort', callOff, { once: true });
  try {
    const root = await starting;
    if (!root) throw new HiveError('hive_error', 'The root supervisor did not start.');
    return root as Ref<never>;
  } finally {
    signal?.removeEventListener('abort', callOff);
  }
}

function apiHost(
  router: RouterService,
  pubsub: PubSubService,
  plugins: PluginSet,
  cluster: ApiHost['cluster'],
): ApiHost {
  return {
    version,
    stop: () => router.stop('shutdown'),
    enable: () => router.enable(),
    disable: () => router.disable(),
    terminate: (reason) => void router.terminate(reason),
    runActions(sid, actions) {
      plugins.check(actions);
      return router.runActions(sid, actions);
    },
    publishActions(channel, actions) {
      plugins.check(actions);
      pubsub.publish([channel], 'private', { type: 'actions', actions: actions });
    },
    publishEvent: (channel, packet) => pubsub.publish([channel], 'private', { type: 'event', packet }),
    subscribers: (channel) => pubsub.status(channel),
    subscribe: (sid, channels) => router.subscribe(sid, channels),
    unsubscribe: (sid, channels) => router.unsubscribe(sid, channels),
    cluster,
  };
}
