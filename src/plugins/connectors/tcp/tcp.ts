/**
 * `connector.tcp`: back ends that speak frames over TCP. Either they connect to Hive, which listens on `port`, or, with a
 * `host`, Hive connects to them. A worker is a connection, and handles one request at a time.
 */
import { type Static, Type } from 'typebox';
import { milliseconds, port, strictObject } from '../../../config/schema/fields.ts';
import type { Config } from '../../../config/types.ts';
import type { ConnectionSource, ConnectorPlugin, PoolSetup, Refusal } from '../../types.ts';
import { TcpDialer } from './dialer.ts';
import { TcpListener } from './listener.ts';
import { probeTcp } from './probe.ts';
import type { TcpTerms } from './worker.ts';

const argsSchema = strictObject({
  port: port('Port to listen on, or of the back end.'),
  host: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'The back end to connect to. With `listening`: the address to listen on; default `0.0.0.0`.',
    }),
  ),
  listening: Type.Optional(
    Type.Boolean({ description: 'Whether back ends connect to Hive; default: if there is no `host`.' }),
  ),
  restart_timeout: milliseconds('Age at which a connection is closed, between requests; 0 = never.', { minimum: 0 }),
  max_connection_timeout: milliseconds('Limit of one request, and of establishing a connection.', {
    default: 5000,
    minimum: 1,
  }),
});

type TcpArgs = Static<typeof argsSchema>;

export const tcpConnector: ConnectorPlugin<TcpArgs> = {
  args: argsSchema,
  argsCode: 'bad_tcp_connector_args',
  check: (args, config) => (listens(args) ? checkListener(args, config) : checkDialer(args)),
  async probe(args) {
    // Whoever listens can only wait.
    if (!listens(args)) await probeTcp(args.host!, args.port);
  },
  create: (pool) => sourceOf(pool),
};

function listens({ listening, host }: TcpArgs): boolean {
  return listening ?? host === undefined;
}

function checkDialer({ host, port }: TcpArgs): Refusal | undefined {
  if (host === undefined) return refuse('host', 'is missing: without it Hive does not know where to connect to');
  if (port === 0) return refuse('port', 'must be the port of the back end');
  return undefined;
}

/** The port must not be that of anything else in this node. */
function checkListener(args: TcpArgs, { hive, api, monitor, connectors }: Config): Refusal | undefined {
  if (args.port === 0) return undefined;
  const servers = Object.entries({ hive, api, monitor });
  const [taken] = servers.find(([, { host, port }]) => collide(args, { host, port })) ?? [];
  if (taken !== undefined) return refuse('port', `is already the port of ${taken}.port`);
  const pools = Object.entries(connectors.pools).filter(([, pool]) => pool.connector === 'connector.tcp');
  // Args that are no configured pool's belong to one of run time: what it may meet then shows when it listens.
  if (!pools.some(([, pool]) => pool.args === args)) return undefined;
  for (const [name, pool] of pools) {
    const other = pool.args as TcpArgs;
    if (other === args) break;
    if (listens(other) && collide(args, other))
      return refuse('port', `is already the port of connectors.pools.${name}`);
  }
  return undefined;
}

function collide(a: { host?: string; port: number }, b: { host?: string; port: number }): boolean {
  const everywhere = (host = '0.0.0.0') => host === '0.0.0.0' || host === '::';
  return a.port === b.port && (a.host === b.host || everywhere(a.host) || everywhere(b.host));
}

function refuse(path: string, reason: string): Refusal {
  return { code: 'bad_tcp_connector_args', path, reason };
}

function sourceOf({ name, args, size, overflow, services }: PoolSetup<TcpArgs>): ConnectionSource {
  const terms: TcpTerms = {
    timeoutMs: args.max_connection_timeout,
    restartMs: args.restart_timeout,
    overflowIdleMs: services.config.connectors.overflow_idle,
    counters: services.metrics.counters(`connectors.tcp.${name}`, ['send', 'recv']),
    log: services.log.child({ pool: name }),
  };
  if (listens(args)) return new TcpListener(args.host ?? '0.0.0.0', args.port, terms);
  return new TcpDialer({ host: args.host!, port: args.port, size, max: Math.max(1, size + overflow) }, terms);
}
