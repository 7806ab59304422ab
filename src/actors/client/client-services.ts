/** What all clients of a node share: one object, so that a client holds one reference. */
import type { Config } from '../../config/types.ts';
import type { TimingWheel } from '../../kernel/timers.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { Trouble } from '../../observe/trouble.ts';
import type { PluginSet } from '../../plugins/plugin-set.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { Memberships } from '../contracts.ts';
import { AskServices } from './asks.ts';
import { DepartureTable } from './departure-table.ts';
import { type HookTable, withHooks } from './hook-table.ts';
import { ClientMetrics } from './metrics.ts';
import { SuspendedSessions } from './suspension.ts';
import { Users } from './users.ts';

export interface ClientServicesSetup {
  readonly config: Config;
  readonly plugins: PluginSet;
  readonly memberships: Memberships;
  /** Where sessions are kept for clients that return. */
  readonly sessions: SessionStore | undefined;
  /** Where they are stored, if they outlive the node. */
  readonly durable?: DurableSessions | undefined;
  readonly wheel: TimingWheel;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface ClientRecovery {
  readonly sessions: SessionStore;
  readonly wheel: TimingWheel;
  /** How long a session waits for its client, ms. */
  readonly windowMs: number;
}

export class ClientServices {
  /** Name of the node, as back ends get it. */
  readonly node: string;
  /** Of one event, and that the events may run which one dispatches. */
  readonly maxHooks: number;
  /** That one client may have hooks for. */
  readonly maxEvents: number;
  /** Whether clients may see what went wrong. */
  readonly showsErrors: boolean;
  /** Of one client in ten seconds; 0: no limit. */
  readonly maxErrors: number;
  readonly plugins: PluginSet;
  readonly memberships: Memberships;
  readonly log: Log;
  readonly metrics: ClientMetrics;
  readonly hooks: HookTable;
  readonly departures: DepartureTable;
  readonly asks: AskServices;
  /** Keys of states that channels show to those who are in them; undefined if none tells who is in it. */
  readonly shownKeys: ReadonlySet<string> | undefined;
  /** Whose sessions they are; undefined if the configuration does not say. */
  readonly users: Users | undefined;
  /** For those who may return; undefined if nobody may. */
  readonly recovery: ClientRecovery | undefined;
  readonly suspended = new SuspendedSessions();
  /** Where sessions are stored that outlive the node; undefined if none does. */
  readonly durable: DurableSessions | undefined;
  /** The store of state that does not open. */
  readonly stateTrouble = new Trouble();

  constructor({ config, plugins, memberships, sessions, durable, wheel, log, metrics }: ClientServicesSetup) {
    this.node = config.hive.name;
    this.maxHooks = config.clients.max_hooks_per_event;
    this.showsErrors = config.hive.mode === 'development';
    this.maxErrors = config.hive.max_client_errors;
    this.plugins = plugins;
    this.memberships = memberships;
    this.log = log.child({ component: 'clients' });
    this.metrics = new ClientMetrics(metrics);
    this.hooks = withHooks(new Map(), plugins.hooks, this.metrics);
    this.departures = new DepartureTable({
      retryMs: config.clients.departure_retry,
      maxWaiting: config.clients.departure_limit,
      metrics,
      log: this.log,
    });
    this.asks = new AskServices(wheel, metrics);
    const { user: key } = config.clients;
    this.users = key === undefined ? undefined : new Users({ key, log: this.log, metrics });
    const presences = Object.values(config.pubsub.channels).flatMap(({ presence }) => presence ?? []);
    this.shownKeys = presences.length === 0 ? undefined : new Set(presences.flatMap(({ info }) => info));
    this.durable = durable;
    const { recovery } = config.clients;
    const kept = sessions?.kept;
    metrics.gauge('clients.recovery.journal.entries', () => kept?.count ?? 0);
    metrics.gauge('clients.recovery.journal.bytes', () => kept?.bytes ?? 0);
    metrics.gauge('clients.recovery.journal.age_ms', () => Math.round(kept?.ageMs ?? 0), 'max');
    this.recovery = recovery && sessions && { sessions, wheel, windowMs: recovery.window };
    this.maxEvents = this.hooks.size + config.clients.max_added_events;
  }
}
