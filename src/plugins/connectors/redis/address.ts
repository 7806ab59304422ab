/**
 * Where Redis is, and the client that leads there. A client lives for one connection: ioredis would by itself connect again, queue
 * commands meanwhile and send those again that had no answer; all of that is switched off, because a command must never be
 * executed twice, and when to connect is the worker's business.
 */
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { AbstractConnector, Cluster, Redis, type RedisOptions } from 'ioredis';
import { find, lookup } from '../../../kernel/lookups.ts';
import './replies.ts';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export type RedisPlace =
  | ({ readonly kind: 'server' } & HostPort)
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly username: string | undefined;
      readonly password: string | undefined;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostPort[] };

export interface RedisAddress {
  readonly place: RedisPlace;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
  readonly connectTimeoutMs: number;
}

/** For error texts and the log. */
export function nameOf(place: RedisPlace): string {
  const list = (all: readonly HostPort[]): string => all.map(({ host, port }) => `${host}:${port}`).join(', ');
  if (place.kind === 'server') return `Redis at ${list([place])}`;
  if (place.kind === 'cluster') return `Redis Cluster at ${list(place.nodes)}`;
  return `Redis ${place.master} of the Sentinels ${list(place.sentinels)}`;
}

/** Connects as ioredis does by itself, but for the look-up of the name. */
class RedisDialer extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    super((options as RedisOptions).disconnectTimeout ?? 0);
    this.#options = options as RedisOptions;
  }

  async connect(): Promise<Socket> {
    const { host = 'localhost', port = 6379, tls } = this.#options;
    this.connecting = true;
    this.stream = tls ? tlsConnect({ host, port, ...tls, lookup }) : connect({ host, port, lookup });
    this.stream.once('error', (error) => {
      this.firstError = error;
    });
    return this.stream;
  }
}

/** The address with those of its Sentinels in place of their names, which ioredis would look up by itself. Fails if none has any. */
export async function withAddresses(address: RedisAddress): Promise<RedisAddress> {
  const { place } = address;
  if (place.kind !== 'sentinel' || address.tls) return address;
  const found = await Promise.allSettled(
    place.sentinels.map(async ({ host, port }) => ({ host: await addressOf(host), port })),
  );
  const sentinels = found.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (sentinels.length === 0) throw (found[0] as PromiseRejectedResult).reason;
  return { ...address, place: { ...place, sentinels } };
}

function addressOf(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    find(host, (error, addresses) => {
      const best = addresses.find(({ family }) => family === 4) ?? addresses[0];
      if (best) resolve(best.address);
      else reject(error);
    });
  });
}

/** @param attempt how many were made before: each begins with another one of several Sentinels */
export function clientFor(address: RedisAddress, attempt: number): Redis | Cluster {
  const { place, database, username, password, tls, connectTimeoutMs } = address;
  const common: RedisOptions = {
    username,
    password,
    connectTimeout: connectTimeoutMs,
    lazyConnect: true,
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    protocol: 2,
    ...(tls ? { tls: {} } : {}),
  };
  switch (place.kind) {
    case 'server':
      return new Redis({ ...common, Connector: RedisDialer, host: place.host, port: place.port, db: database });
    case 'sentinel': {
      const first = attempt % place.sentinels.length;
      return new Redis({
        ...common,
        db: database,
        sentinels: [...place.sentinels.slice(first), ...place.sentinels.slice(0, first)],
        name: place.master,
        sentinelUsername: place.username,
        sentinelPassword: place.password,
        sentinelCommandTimeout: connectTimeoutMs,
        sentinelRetryStrategy: () => null,
        ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: { lookup } } : {}),
      });
    }
    case 'cluster':
      return new Cluster([...place.nodes], {
        redisOptions: { ...common, Connector: RedisDialer },
        dnsLookup: (host, done) => find(host, (error, [first]) => done(error, first?.address ?? '', first?.family)),
        lazyConnect: true,
        clusterRetryStrategy: null,
        enableOfflineQueue: false,
        slotsRefreshTimeout: connectTimeoutMs,
        // It would send again what was lost with a connection, and may have been executed.
        retryDelayOnFailover: 0,
      });
  }
}
