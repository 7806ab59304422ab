/** `connector.redis`: a Redis server, the master that Sentinels name, or a Cluster. Each worker of a pool has connections of its own. */
import { type Static, Type } from 'typebox';
import { maxTimeMs, milliseconds, strictObject } from '../../../config/schema/fields.ts';
import type { ConnectorPlugin, PoolSetup, Refusal } from '../../types.ts';
import { probeTcp } from '../tcp/probe.ts';
import { type HostPort, nameOf, type RedisAddress, type RedisPlace } from './address.ts';
import { RedisOutage } from './outage.ts';
import { type RedisServer, RedisWorker } from './worker.ts';

const places = (description: string, defaultPort: number) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: `${description}, each as \`host:port\` or \`host\` (port ${defaultPort}).`,
    }),
  );

const argsSchema = strictObject({
  host: Type.Optional(Type.String({ minLength: 1, description: 'Host name or address of the server.' })),
  port: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 65_535, description: 'TCP port of the server; default 6379.' }),
  ),
  url: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Instead of `host`: `redis://user:password@host:port/database`, or `rediss:` for TLS.',
    }),
  ),
  sentinels: places('Instead of `host`: Sentinels, which know the master', 26_379),
  master_name: Type.Optional(Type.String({ minLength: 1, description: "The Sentinels' name of the master." })),
  sentinel_username: Type.Optional(Type.String({ minLength: 1, description: 'User at the Sentinels.' })),
  sentinel_password: Type.Optional(Type.String({ minLength: 1, description: 'Password at the Sentinels.' })),
  cluster: places('Instead of `host`: some nodes of a Cluster', 6379),
  database: Type.Optional(
    Type.Integer({ minimum: 0, maximum: maxTimeMs, description: 'Number of the database; default 0.' }),
  ),
  password: Type.Optional(Type.String({ description: 'Password; without it, or empty: none.' })),
  username: Type.Optional(Type.String({ minLength: 1, description: "User of Redis' access control lists." })),
  tls: Type.Boolean({ default: false, description: 'Encrypt the connections and verify the servers.' }),
  restart_timeout: milliseconds('Age at which a worker is replaced by a new one; 0: never.', {
    minimum: 0,
    default: 0,
  }),
  reconnect_timeout: milliseconds('Pause between attempts to connect.', { minimum: 0 }),
  max_reconnect_timeout: milliseconds(
    'How long commands wait for a lost connection to come back. Also the limit of an answer, but at least 1 s.',
    { minimum: 0, default: 5000 },
  ),
});

type RedisArgs = Static<typeof argsSchema>;

/** `reconnect_timeout` 0 must not become a busy loop. */
const minReconnectMs = 100;
const minReplyMs = 1000;
/** Limits of establishing a connection, login included: enough for a slow network, short enough to notice a dead host. */
const connectMs = { min: 1000, max: 5000 };
const defaultPort = 6379;
const defaultSentinelPort = 26_379;

export const redisConnector: ConnectorPlugin<RedisArgs> = {
  args: argsSchema,
  argsCode: 'bad_redis_connector_args',
  check,
  async probe(args) {
    const { place } = addressOf(args);
    if (place.kind === 'server') return probeTcp(place.host, place.port);
    const all = place.kind === 'cluster' ? place.nodes : place.sentinels;
    await Promise.any(all.map(({ host, port }) => probeTcp(host, port))).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  },
  create(pool) {
    const server = serverOf(pool);
    return {
      worker: () => new RedisWorker(server),
      get problem() {
        const { reason } = server.outage;
        return reason === undefined ? undefined : `${nameOf(server.address.place)} is unreachable: ${reason}`;
      },
      close() {},
    };
  },
};

function refuse(path: string, reason: string): Refusal {
  return { code: 'bad_redis_connector_args', path, reason };
}

function check(args: RedisArgs): Refusal | undefined {
  const ways = (['host', 'url', 'sentinels', 'cluster'] as const).filter((way) => args[way] !== undefined);
  if (ways.length === 0)
    return refuse('host', 'is missing: one of host, url, sentinels and cluster says where Redis is');
  if (ways.length > 1) return refuse(ways[1]!, `must not be there next to ${ways[0]}: both say where Redis is`);
  const [way] = ways;
  if (args.port !== undefined && way !== 'host') return refuse('port', 'belongs to host');
  if (way !== 'sentinels')
    for (const key of ['master_name', 'sentinel_username', 'sentinel_password'] as const)
      if (args[key] !== undefined) return refuse(key, 'belongs to sentinels');
  if (way === 'url') return checkUrl(args);
  if (way === 'sentinels' && args.master_name === undefined)
    return refuse('master_name', 'is missing: Sentinels may know several masters');
  if (way === 'cluster' && (args.database ?? 0) !== 0) return refuse('database', 'must be 0: a Cluster has no other');
  if (way === 'cluster' || way === 'sentinels') {
    const at = args[way]!.findIndex((text) => hostPort(text, defaultPort) === undefined);
    if (at >= 0) return refuse(`${way}[${at}]`, 'is not host:port');
  }
  return undefined;
}

function checkUrl({ url, database, username, password }: RedisArgs): Refusal | undefined {
  const parsed = URL.canParse(url!) ? new URL(url!) : undefined;
  if (!parsed || parsed.hostname === '') return refuse('url', 'is not a URL with a host');
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:')
    return refuse('url', 'must start with redis:// or rediss://');
  if (!/^\/?\d*$/.test(parsed.pathname))
    return refuse('url', 'has something behind the host that is no database number');
  if (decoded(parsed.username) === undefined || decoded(parsed.password) === undefined)
    return refuse('url', 'has a user name or password with a wrong % in it');
  if (parsed.search !== '' || parsed.hash !== '') return refuse('url', 'must end with the database');
  for (const [key, inUrl, value] of [
    ['database', parsed.pathname.slice(1), database],
    ['username', parsed.username, username],
    ['password', parsed.password, password],
  ] as const)
    if (inUrl !== '' && value !== undefined) return refuse(key, 'is in the url already');
  return undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `host`, `host:port` or `[address]:port`. */
function hostPort(text: string, port: number): HostPort | undefined {
  const parts = /^(?:\[([\da-f:.]+)\]|([^\s:[\]/@]+))(?::(\d{1,5}))?$/i.exec(text);
  if (!parts || Number(parts[3] ?? 0) > 65_535) return undefined;
  return { host: parts[1] ?? parts[2]!, port: Number(parts[3] ?? port) };
}

function placeOf({
  host,
  port,
  sentinels,
  master_name,
  sentinel_username,
  sentinel_password,
  cluster,
}: RedisArgs): RedisPlace {
  const all = (texts: readonly string[], usual: number): HostPort[] => texts.map((text) => hostPort(text, usual)!);
  if (cluster) return { kind: 'cluster', nodes: all(cluster, defaultPort) };
  if (!sentinels) return { kind: 'server', host: host!, port: port ?? defaultPort };
  return {
    kind: 'sentinel',
    sentinels: all(sentinels, defaultSentinelPort),
    master: master_name!,
    username: sentinel_username,
    password: sentinel_password,
  };
}

function addressOf(args: RedisArgs): RedisAddress {
  const connectTimeoutMs = Math.min(connectMs.max, Math.max(connectMs.min, args.max_reconnect_timeout));
  const given = {
    username: args.username,
    password: args.password === '' ? undefined : args.password,
    database: args.database ?? 0,
    tls: args.tls,
    connectTimeoutMs,
  };
  if (args.url === undefined) return { ...given, place: placeOf(args) };
  const { protocol, hostname, port, username, password, pathname } = new URL(args.url);
  return {
    place: { kind: 'server', host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || defaultPort) },
    username: username === '' ? given.username : decoded(username),
    password: password === '' ? given.password : decoded(password),
    database: pathname.length > 1 ? Number(pathname.slice(1)) : given.database,
    tls: args.tls || protocol === 'rediss:',
    connectTimeoutMs,
  };
}

function serverOf({ name, args, services }: PoolSetup<RedisArgs>): RedisServer {
  const connected = new Set<RedisWorker>();
  services.metrics.gauge(`connectors.redis.${name}.connected`, () => connected.size);
  return {
    address: addressOf(args),
    reconnectMs: Math.max(minReconnectMs, args.reconnect_timeout),
    maxReconnectMs: args.max_reconnect_timeout,
    replyMs: Math.max(minReplyMs, args.max_reconnect_timeout),
    restartMs: args.restart_timeout,
    outage: new RedisOutage(),
    connected,
    queries: services.metrics.counter(`connectors.redis.${name}.queries`),
    log: services.log.child({ pool: name }),
    attempts: 0,
  };
}
