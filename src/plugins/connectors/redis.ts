/** `connector.redis`: a Redis server. Each worker of a pool has a connection of its own. */
import { type Static, Type } from 'typebox';
import { maxTimeMs, milliseconds, strictObject } from '../../config/schema/fields.ts';
import type { ConnectorPlugin, PoolSetup } from '../types.ts';
import { RedisOutage } from './redis-outage.ts';
import { type RedisServer, RedisWorker } from './redis-worker.ts';
import { probeTcp } from './tcp-probe.ts';

const argsSchema = strictObject({
  host: Type.String({ minLength: 1, description: 'Host name or address of the server.' }),
  port: Type.Integer({ minimum: 0, maximum: 65_535, description: 'TCP port of the server.' }),
  database: Type.Integer({ minimum: 0, maximum: maxTimeMs, description: 'Number of the database.' }),
  password: Type.String({ description: 'Password; empty: none.' }),
  username: Type.Optional(Type.String({ minLength: 1, description: "User of Redis' access control lists." })),
  tls: Type.Boolean({ default: false, description: 'Encrypt the connection and verify the server.' }),
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
const connectMs = { least: 1000, most: 5000 };

export const redisConnector: ConnectorPlugin<RedisArgs> = {
  args: argsSchema,
  argsCode: 'bad_redis_connector_args',
  probe: ({ host, port }) => probeTcp(host, port),
  create(pool) {
    const server = serverOf(pool);
    return { worker: () => new RedisWorker(server), close() {} };
  },
};

function serverOf({ name, args, services }: PoolSetup<RedisArgs>): RedisServer {
  const connected = new Set<RedisWorker>();
  services.metrics.gauge(`connectors.redis.${name}.connected`, () => connected.size);
  return {
    address: {
      host: args.host,
      port: args.port,
      database: args.database,
      username: args.username,
      password: args.password === '' ? undefined : args.password,
      tls: args.tls,
      connectTimeoutMs: Math.min(connectMs.most, Math.max(connectMs.least, args.max_reconnect_timeout)),
    },
    reconnectMs: Math.max(minReconnectMs, args.reconnect_timeout),
    maxReconnectMs: args.max_reconnect_timeout,
    replyMs: Math.max(minReplyMs, args.max_reconnect_timeout),
    restartMs: args.restart_timeout,
    outage: new RedisOutage(),
    connected,
    queries: services.metrics.counter(`connectors.redis.${name}.queries`),
    log: services.log.child({ pool: name }),
  };
}
