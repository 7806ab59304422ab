/**
 * The servers of a node: for clients, API, monitor and probes. Each is an actor of the supervision tree that opens its port when it
 * starts and closes it when it ends; this says what they are made of, and where they listen.
 */
import { Listener, type Listening } from '../actors/listener.ts';
import type { Config } from '../config/types.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { TimingWheel } from '../kernel/timers.ts';
import type { Log } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import { startApiServer } from '../web/api/api.ts';
import type { ApiHost } from '../web/api/api-host.ts';
import type { SessionHost } from '../web/client/client-handle.ts';
import type { Relays } from '../web/client/relay/relay.ts';
import { startClientServer } from '../web/client/server.ts';
import type { Topics } from '../web/client/topics.ts';
import { TrustedProxies } from '../web/http/client-address.ts';
import type { Listeners } from '../web/listeners.ts';
import { type HealthSettings, startHealthServer } from '../web/monitor/health.ts';
import { startMonitorServer } from '../web/monitor/monitor.ts';
import type { MonitorHost } from '../web/monitor/monitor-host.ts';
import type { SocketLibrary } from '../web/sockets/types.ts';

export interface ServersSetup {
  readonly config: Config;
  readonly sockets: SocketLibrary;
  readonly listeners: Listeners;
  readonly clients: SessionHost;
  readonly topics: Topics;
  readonly relays: Relays;
  readonly ids: IdSource;
  readonly wheel: TimingWheel;
  readonly api: ApiHost;
  readonly monitor: MonitorHost;
  /** What probes are told. */
  readonly health: HealthSettings['state'];
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface Addresses {
  readonly client: string;
  readonly api: string;
  readonly monitor: string;
  readonly health?: string;
}

export class Servers {
  readonly #setup: ServersSetup;
  readonly #proxies: TrustedProxies | undefined;
  readonly #ports = { client: 0, api: 0, monitor: 0, health: 0 };

  constructor(setup: ServersSetup) {
    this.#setup = setup;
    this.#proxies = TrustedProxies.of(setup.config.hive.trusted_proxies);
  }

  /** Where they listen, with real ports where 0 was configured. */
  get addresses(): Addresses {
    const { hive, api, monitor } = this.#setup.config;
    const ports = this.#ports;
    return {
      client: urlOf(hive, ports.client),
      api: urlOf(api, ports.api),
      monitor: urlOf(monitor, ports.monitor),
      ...(monitor.health_port === undefined ? {} : { health: urlOf({ host: this.#healthHost }, ports.health) }),
    };
  }

  client(): Listener {
    const { config, sockets, listeners, clients, topics, relays, ids, wheel, metrics, log } = this.#setup;
    return this.#listener('client', async () => {
      const server = await startClientServer({
        sockets: listeners.keep(sockets, 'clients'),
        config,
        host: clients,
        topics,
        newId: () => ids.next(),
        wheel,
        metrics,
        log,
        relays,
      });
      return { port: server.port, stop: () => server.close() };
    });
  }

  api(): Listener {
    const { config, sockets, listeners, api, metrics, log } = this.#setup;
    const { host: address, port, tls, hash: key } = config.api;
    return this.#listener('api', () =>
      startApiServer({
        sockets: listeners.keep(sockets, 'api'),
        address,
        port,
        tls,
        key,
        host: api,
        metrics,
        log,
        proxies: this.#proxies,
      }),
    );
  }

  monitor(): Listener {
    const { config, sockets, listeners, monitor, log } = this.#setup;
    const { host: address, port, tls, hash: key, public_health: publicHealth } = config.monitor;
    return this.#listener('monitor', () =>
      startMonitorServer({
        sockets: listeners.keep(sockets, 'monitor'),
        address,
        port,
        tls,
        key,
        publicHealth,
        host: monitor,
        log,
        proxies: this.#proxies,
      }),
    );
  }

  /** Undefined if the configuration names no port for it. */
  get health(): (() => Listener) | undefined {
    const { config, sockets, listeners, health } = this.#setup;
    const { health_port: port } = config.monitor;
    if (port === undefined) return undefined;
    return () =>
      this.#listener('health', () =>
        startHealthServer({
          sockets: listeners.keep(sockets, 'monitor'),
          address: this.#healthHost,
          port,
          state: health,
        }),
      );
  }

  get #healthHost(): string {
    const { health_host: host, host: monitorHost } = this.#setup.config.monitor;
    return host ?? monitorHost;
  }

  #listener(server: keyof Addresses, start: () => Promise<Listening>): Listener {
    const errors = this.#setup.metrics.counter('hive.errors');
    return new Listener(async () => {
      try {
        const listening = await start();
        this.#ports[server] = listening.port;
        return listening;
      } catch (error) {
        errors.value += 1;
        throw error;
      }
    });
  }
}

function urlOf({ host, tls }: { host: string; tls?: unknown }, port: number): string {
  return `http${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
