/**
 * A node of a simulation: everything between the socket library and the back end is the real thing, put together as src/node does it.
 * The back end answers from a function, after a while.
 */
import { ClientServices } from '../../src/actors/client/client-services.ts';
import type { DepartureTable } from '../../src/actors/client/departure-table.ts';
import { Departures } from '../../src/actors/client/departures.ts';
import { keeperName, SessionKeeper } from '../../src/actors/client/session-keeper.ts';
import { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import type { PoolTable } from '../../src/actors/pools/pool-table.ts';
import { managerName } from '../../src/actors/pubsub/manager.ts';
import { PubSubService } from '../../src/actors/pubsub/pubsub.ts';
import { Relay } from '../../src/actors/relay/relay.ts';
import { RelayService } from '../../src/actors/relay/service.ts';
import { Idempotency } from '../../src/actors/router/idempotency.ts';
import { Router } from '../../src/actors/router/router.ts';
import { RouterService } from '../../src/actors/router/service.ts';
import { routerName } from '../../src/actors/router/wire-messages.ts';
import type { Config } from '../../src/config/types.ts';
import type { Cell } from '../../src/kernel/cell.ts';
import { IdSource } from '../../src/kernel/ids.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { AnyRef, NodeName } from '../../src/kernel/types.ts';
import { keepSessions } from '../../src/node/sessions.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { PluginSet } from '../../src/plugins/plugin-set.ts';
import { PluginRegistry } from '../../src/plugins/registry.ts';
import type { Pools, Publication, Services } from '../../src/plugins/types.ts';
import type { Adopter } from '../../src/sessions/durable/adopter.ts';
import type { RedisCommand } from '../../src/sessions/durable/commands.ts';
import type { MemoryStoreSetup } from '../../src/sessions/memory-store.ts';
import type { SessionStore } from '../../src/sessions/session-store.ts';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import type { SessionHost } from '../../src/web/client/client-handle.ts';
import { relayName } from '../../src/web/client/relay/messages.ts';
import { startClientServer } from '../../src/web/client/server.ts';
import { Topics } from '../../src/web/client/topics.ts';
import { clientConfig } from '../support/plugins.ts';
import { known } from '../support/pubsub.ts';
import type { Machine, VirtualClock } from './clock.ts';
import type { Mesh } from './mesh.ts';
import { SimSockets } from './network.ts';
import { RedisLink, type RedisSite } from './redis/site.ts';
import type { Settings } from './settings.ts';

/** Where a node whose sessions outlive it runs, and keeps them. */
export interface Place {
  readonly machine: Machine;
  readonly redis: RedisSite;
  /** It goes on with a session of a node that is gone. `settled`: when its client may return. */
  claimed(node: SimNode, sid: string, settled: Promise<void> | undefined): void;
}

export const pingIntervalMs = 700;
export const pingTimeoutMs = 400;
/** How long a node waits for its first lease. */
const startMs = 400;
/** How long a channel without subscribers is kept. */
const channelTimeoutMs = 300;

/** What mutations put in the place of parts of a node. */
export interface Parts {
  readonly store?: (setup: MemoryStoreSetup) => SessionStore;
  readonly host?: (host: SessionHost, node: SimNode) => SessionHost;
  /** The answer to a client that returns comes behind what it has missed. */
  readonly answersLast?: boolean;
  /** Another command in the place of one that a node sends to Redis. */
  readonly command?: (command: RedisCommand) => RedisCommand;
}

export interface Answer {
  readonly status: number;
  /** Actions, as JSON text. */
  readonly body: string;
}

/** What a hook asks a back end. */
export interface Asked {
  readonly endpoint: string;
  readonly sid: string;
  /** The boot that asks. */
  readonly node: string;
  /** What is the same where something is told again. */
  readonly key: string;
  /** What it is of the events of its session, and why it has come about. */
  readonly event: string;
  readonly state: Readonly<Record<string, unknown>>;
}

export interface BackEnd {
  /** Answers what a hook asks. */
  asked(asked: Asked): Promise<Answer>;
  /** What must not happen in any run. */
  broken(what: string): void;
}

interface SimNodeSetup {
  readonly name: string;
  readonly boot: string;
  readonly settings: Settings;
  readonly clock: VirtualClock;
  readonly mesh: Mesh;
  readonly backEnd: BackEnd;
  readonly parts: Parts;
  /** Undefined where sessions end with their node. */
  readonly place: Place | undefined;
}

const names = { channels: 'hive_pubsub_channel_sup', clients: 'hive_clients' };

function configOf(settings: Settings, name: string): Config {
  const { bounds, maxBackpressure, maxSlots, isRecoverable, leaseMs } = settings;
  const post = (endpoint: string) => [{ hook: 'hp.post', args: { connector: 'backend', endpoint } }];
  const config = clientConfig(
    {
      max_hooks_per_event: 100,
      max_added_events: 100,
      ...(isRecoverable && { recovery: { window: bounds.windowMs, max_bytes: bounds.maxBytes } }),
      ...(leaseMs !== undefined && { durable: { connector: 'redis', lease: leaseMs } }),
      hooks: {
        on_connect: post('/on_connect'),
        on_disconnect: post('/on_disconnect'),
        on_suspend: post('/on_suspend'),
        on_recover: post('/on_recover'),
        slow: post('/slow'),
        ping: [{ hook: 'utils.echo', args: { name: 'pong', args: [] } }],
      },
      actions: {
        send: [{ action: 'action.send_event', args: null }],
        stop: [{ action: 'action.stop', args: null }],
        dispatch: [{ action: 'action.dispatch', args: null }],
        store: [{ action: 'action.update_state', args: null }],
        subscribe: [{ action: 'action.pubsub.subscribe', args: 'private' }],
      },
    },
    {
      name,
      cluster_name: 'simulation',
      max_client_slots: maxSlots,
      max_client_errors: 0,
      graceful_termination_timeout: 1000,
    },
  );
  const hive = {
    host: '127.0.0.1',
    port: 0,
    allowed_origins: ['*', null],
    max_connections_per_address: 0,
    max_handshakes_per_address: 0,
    trusted_proxies: [],
    drain_rate: 50,
  };
  const socketio = {
    path: '/socket.io',
    protocols: ['eio4'],
    transports: ['websocket'],
    namespaces: ['/'],
    connect_timeout: 3000,
    ping_interval: pingIntervalMs,
    ping_timeout: pingTimeoutMs,
    max_payload: 10_000,
    max_backpressure: maxBackpressure,
    max_packets_per_second: 0,
    compression: false,
    session_timeout: 1_000_000,
  };
  const pubsub = {
    channels: { room: { privilege: 'public', timeout: channelTimeoutMs } },
    history_max_bytes: 1024 * 1024,
    max_subscriptions_per_client: 1000,
    max_channels_per_client: 1000,
  };
  return { ...config, hive: { ...config.hive, ...hive }, socketio, pubsub } as unknown as Config;
}

/** Anything logged as a crash breaks the run: nobody kills with an error here. */
function logOf(broken: (what: string) => void): Log {
  const log: Log = {
    ...silent,
    crash: (message, fields) => broken(`a crash: ${message} ${text(fields)}`),
    critical: (message) => broken(`critical: ${message}`),
    emergency: (message) => broken(`emergency: ${message}`),
    child: () => log,
  };
  return log;
}

function text(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.stack : String(value)}`)
    .join(' ');
}

export class SimNode {
  readonly kernel: Kernel;
  readonly metrics = new Metrics();
  readonly sockets: SimSockets;
  readonly pubsub: PubSubService;
  readonly router: RouterService;
  readonly services: ClientServices;
  /** Undefined if nobody may return. */
  readonly store: SessionStore | undefined;
  readonly machine: Machine | undefined;
  readonly #clock: VirtualClock;
  /** Its name and which of its lives it is. */
  readonly boot: string;
  readonly #departures: DepartureTable;
  readonly #isAlone: boolean;
  #isHalted = false;

  private constructor({ name, boot, settings, clock, mesh, backEnd, parts, place }: SimNodeSetup) {
    const { metrics } = this;
    const machine = place?.machine;
    this.boot = boot;
    this.machine = machine;
    this.#clock = clock;
    this.#isAlone = settings.nodes === 1;
    const log = logOf((what) => {
      if (!this.#isHalted) backEnd.broken(what);
    });
    const config = configOf(settings, name);
    const kernel = new Kernel({ node: name, log, metrics });
    const ids = new IdSource(name, kernel.creation);
    this.kernel = kernel;
    const cluster = new ClusterTable(kernel.node, kernel.creation);
    const relays = new RelayService({ kernel, cluster, maxQueueBytes: 1_000_000, log, metrics });
    const pools = poolsOf(backEnd, this.boot, place, parts.command);
    const made = parts.store?.({ bounds: settings.bounds, tag: ids.tag, wheel: kernel.wheel });
    const kept = keepSessions({ config, ids, kernel, pools: pools as unknown as PoolTable, log, metrics });
    const { durable } = kept;
    const sessions = made ?? kept.sessions;
    this.store = sessions;
    const topics = new Topics(sessions);
    this.pubsub = new PubSubService({
      kernel,
      config: config.pubsub,
      links: {
        ...settings.links,
        stored: durable && sessions && (() => sessions.settled()?.then(() => durable.own.adoption)),
      },
      cluster,
      fanout: topics,
      packetsFor: (actions) => plugins.packetsFor(actions),
      channelSupervisor: kernel.remote(kernel.node, names.channels),
      log,
      metrics,
    });
    const { pubsub } = this;
    const services: Services = {
      config,
      timers: kernel.wheel,
      log,
      metrics,
      pools,
      pubsub,
    };
    const plugins = new PluginSet(new PluginRegistry(), services);
    const clients = { config, plugins, memberships: pubsub, sessions, durable, wheel: kernel.wheel, log, metrics };
    this.services = new ClientServices(clients);
    this.#departures = this.services.departures;
    this.router = new RouterService({
      idempotency: new Idempotency({ kernel, cluster, ttlMs: 300_000, maxKeys: 1000, log, metrics }),
      config,
      kernel,
      ids,
      clients: this.services,
      supervisor: names.clients,
      cluster,
      channels: pubsub,
      obstacle: () => undefined,
      farewells: () => [],
      stop: () => {},
      log,
      metrics,
    });
    const { adoptions } = this.router;
    const adopter: Adopter = {
      adopt: (claimed) => {
        const source = adoptions.adopt(claimed);
        place?.claimed(this, claimed.sid, adoptions.settled(claimed.sid));
        return source;
      },
      lives: (boot, tag) => adoptions.lives(boot, tag),
      start: () => adoptions.start(),
      catchUp: () => adoptions.catchUp(),
    };
    const keepers = durable
      ? [{ id: keeperName, name: keeperName, start: () => new SessionKeeper(durable, adopter, undefined, startMs) }]
      : [];
    this.sockets = new SimSockets(clock, machine);
    this.sockets.answersLast = parts.answersLast ?? false;
    this.#start = async () => {
      const root = new Supervisor({
        intensity: 1000,
        periodMs: 1000,
        children: [
          { id: names.channels, name: names.channels, type: 'supervisor', start: () => new DynamicSupervisor() },
          { id: managerName, name: managerName, start: () => pubsub.manager() },
          { id: names.clients, name: names.clients, type: 'supervisor', start: () => new DynamicSupervisor() },
          { id: routerName, name: routerName, start: () => new Router(this.router) },
          { id: relayName, name: relayName, start: () => new Relay(relays) },
          { id: 'hive_departures', name: 'hive_departures', start: () => new Departures(this.#departures) },
          ...keepers,
        ],
      });
      await kernel.spawn(root, { label: 'root' });
      const host = parts.host?.(this.router, this) ?? this.router;
      const newId = () => ids.next();
      const { sockets } = this;
      const server = await startClientServer({
        sockets,
        config,
        host,
        topics,
        newId,
        wheel: kernel.wheel,
        metrics,
        log,
        relays,
      });
      this.#close = async () => {
        await this.router.close('stopped');
        await server.close();
        await this.router.release('stopped');
        await durable?.close();
      };
      mesh.attach(kernel, cluster, machine);
    };
  }

  readonly #start: () => Promise<void>;
  #close = async (): Promise<void> => {};

  /** Ends as src/node does it. Never resolves if it is killed meanwhile. */
  stop(): Promise<void> {
    return this.run(() => this.#close());
  }

  static async start(setup: SimNodeSetup): Promise<SimNode> {
    const { clock, place } = setup;
    const [node, started] = clock.on(place?.machine, () => {
      const made = new SimNode(setup);
      return [made, made.#start()];
    });
    await setup.clock.settle();
    await started;
    return node;
  }

  get name(): NodeName {
    return this.kernel.node;
  }

  /** Resolves to the nodes that have not confirmed it. */
  publish(
    prefixes: readonly string[],
    publication: Publication,
    confirm: boolean,
  ): Promise<readonly string[]> | undefined {
    if (!confirm) {
      this.pubsub.publish(prefixes, 'private', publication);
      return undefined;
    }
    const unconfirmed = known(this.pubsub.publishConfirmed(prefixes, 'private', publication));
    const stored = this.router.stored();
    return stored ? stored.then(() => unconfirmed ?? []) : unconfirmed;
  }

  /** Runs that at this node, as soon as it is not frozen; never on one that is gone. */
  run<Result>(called: () => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const call = () => {
        try {
          const result = this.#clock.on(this.machine, called);
          if (!this.machine || !(result instanceof Promise)) return resolve(result);
          // One that is no more answers nobody.
          result.then(
            (value) => this.machine!.whenAwake(() => resolve(value)),
            (error: unknown) => this.machine!.whenAwake(() => reject(error)),
          );
        } catch (error) {
          reject(error);
        }
      };
      if (this.machine) this.machine.whenAwake(call);
      else call();
    });
  }

  get isFrozen(): boolean {
    return this.machine?.isFrozen ?? false;
  }

  /** The actor of a channel, if it runs. */
  channel(id: string): Cell | undefined {
    const supervisor = this.kernel.whereis(names.channels) as Cell | undefined;
    const rows = (supervisor?.actor as DynamicSupervisor | undefined)?.children() ?? [];
    return rows.find((child) => child.id === id)?.ref as Cell | undefined;
  }

  /** The actor of pub-sub's manager. */
  get manager(): Cell | undefined {
    return this.kernel.whereis(managerName) as Cell | undefined;
  }

  /** The actor of a client, if it is there. */
  client(sid: string): Cell | undefined {
    try {
      return this.router.here.ref(sid) as unknown as Cell;
    } catch {
      return undefined;
    }
  }

  kill(actor: Cell): void {
    const ref = actor as unknown as AnyRef;
    this.kernel.exit(ref, ref, 'kill');
  }

  /** What is left of clients that have all gone; nothing, once enough time has passed. */
  get leftovers(): string[] {
    const { count, bytes } = this.store?.kept ?? { count: 0, bytes: 0 };
    const left = {
      clients: this.services.metrics.total,
      'clients in the registry': this.router.clients,
      suspended: this.services.suspended.size,
      departures: this.#departures.waiting,
      'journal entries': count,
      'journal bytes': bytes,
      sockets: this.sockets.open.length,
      'native topics': this.sockets.topics,
      channels: this.metrics.number('pubsub.total_channels') ?? 0,
      'kept publishes': this.metrics.number('pubsub.unacknowledged') ?? 0,
      'relayed clients': this.metrics.number('hive.relay.returned.entries') ?? 0,
      // Nodes look after one another.
      timers: this.#isAlone && !this.machine ? this.kernel.wheel.pending : 0,
    };
    return Object.entries(left).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  }

  counter(path: string): number {
    return this.metrics.counter(path).value;
  }

  halt(): void {
    this.#isHalted = true;
    if (this.machine) this.machine.isDead = true;
    this.sockets.lose();
    this.kernel.halt();
  }
}

interface HookRequest {
  readonly endpoint: string;
  readonly body?: string;
  readonly idempotencyKey?: string;
}

interface Metadata {
  readonly sid?: string;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly session?: { readonly epoch?: number; readonly event?: number };
  readonly trigger?: unknown;
}

function poolsOf(
  backEnd: BackEnd,
  node: string,
  place: Place | undefined,
  changed: (command: RedisCommand) => RedisCommand = (command) => command,
): Pools {
  const link = place && new RedisLink(place.redis, place.machine, (what) => backEnd.broken(what));
  const ask = async ({ endpoint, body = '{}', idempotencyKey: key = '' }: HookRequest): Promise<Answer> => {
    const { sid = '', state = {}, session = {}, trigger } = JSON.parse(body) as Metadata;
    const event = `${session.epoch}.${session.event} ${JSON.stringify(trigger)}`;
    const answer = await backEnd.asked({ endpoint, sid, node, key, event, state });
    if (place) await new Promise<void>((resolve) => place.machine.whenAwake(resolve));
    return answer;
  };
  return {
    get<Request, Reply>(name: string) {
      return {
        name,
        connector: name === 'redis' ? 'connector.redis' : 'connector.http',
        async request(request: Request) {
          if (name === 'redis')
            return (await link!.run((request as { commands: RedisCommand[] }).commands.map(changed))) as Reply;
          return (await ask(request as HookRequest)) as Reply;
        },
      };
    },
    start: async () => {},
    stop: async () => {},
    running: () => ({}),
  };
}
