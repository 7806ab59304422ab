/**
 * `connector.http`: back ends that are HTTP servers (HTTP/1.1, keep-alive, no pipelining). A worker has a connection of its own,
 * unless `max_connections` allows fewer than there are workers: then they share them. Any status is an answer; only what keeps
 * the answer from coming is an error.
 */
import { type Static, Type } from 'typebox';
import { buildConnector, Client, Pool } from 'undici';
import { milliseconds, strictObject } from '../../../config/schema/fields.ts';
import { lookup } from '../../../kernel/lookups.ts';
import { textOf } from '../../../observe/thrown.ts';
import { Trouble } from '../../../observe/trouble.ts';
import type { Connector, ConnectorPlugin, PoolSetup, Refusal } from '../../types.ts';
import { probeTcp } from '../tcp/probe.ts';
import { defaultIdleMs, HttpConnection, idleMarginMs, longestIdleMs } from './connection.ts';
import { maxBodyBytes } from './exchange.ts';
import { prepareParser } from './response-parser.ts';
import { HttpWorker } from './worker.ts';

const argsSchema = strictObject({
  base_url: Type.String({
    minLength: 1,
    description: 'Start of every URL, `http:` or `https:`; endpoints are appended.',
  }),
  max_connection_timeout: milliseconds('Limit of one whole request.', { minimum: 1 }),
  max_connections: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100_000, description: 'Connections; default `size` + `overflow`.' }),
  ),
  max_idle: Type.Optional(
    milliseconds('How long a connection is kept without a request; default 4000, 0: not at all.', { minimum: 0 }),
  ),
  client: Type.Unsafe<'fast' | 'undici'>({
    enum: ['fast', 'undici'],
    default: 'fast',
    description: 'What makes the requests: sockets of Hive with the parser of undici (plain HTTP only), or undici.',
  }),
  max_connect_timeout: Type.Optional(
    milliseconds('Limit of establishing a connection; default `max_connection_timeout`.', { minimum: 1 }),
  ),
});

type HttpArgs = Static<typeof argsSchema>;

export const httpConnector: ConnectorPlugin<HttpArgs> = {
  args: argsSchema,
  argsCode: 'bad_http_connector_args',
  check: ({ base_url }) => refusalOf(base_url),
  probe({ base_url }) {
    const { hostname, protocol, port } = new URL(base_url);
    return probeTcp(hostname.replace(/^\[|\]$/g, ''), Number(port) || (protocol === 'https:' ? 443 : 80));
  },
  create: (pool) => new HttpConnector(pool),
};

function refusalOf(baseUrl: string): Refusal | undefined {
  const refuse = (reason: string): Refusal => ({ code: 'bad_http_connector_args', path: 'base_url', reason });
  if (!URL.canParse(baseUrl)) return refuse('is not a URL');
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refuse('must start with http:// or https://');
  if (url.username !== '' || url.password !== '') return refuse('must not contain a user name or password');
  if (url.hash !== '') return refuse('must not contain a fragment (#)');
  return undefined;
}

/** undici's words for it. */
function idleOptions(maxIdleMs: number | undefined): Partial<Client.Options> {
  if (maxIdleMs === 0) return { pipelining: 0 };
  return {
    keepAliveTimeout: maxIdleMs ?? defaultIdleMs,
    keepAliveMaxTimeout: maxIdleMs ?? longestIdleMs,
    keepAliveTimeoutThreshold: idleMarginMs,
  };
}

class HttpConnector implements Connector {
  readonly #pool: PoolSetup<HttpArgs>;
  readonly #url: URL;
  readonly #pathPrefix: string;
  readonly #connectTimeoutMs: number;
  /** undici's, for what is not the plain case. */
  readonly #options: Client.Options;
  readonly #shared: Pool | undefined;
  readonly #isFast: boolean;
  readonly #trouble = new Trouble();
  /** Of the workers that run. */
  readonly #own = new Set<Client | HttpConnection>();

  constructor(pool: PoolSetup<HttpArgs>) {
    const { base_url, max_connection_timeout, max_connections, max_connect_timeout, max_idle } = pool.args;
    const workers = Math.max(1, pool.size + pool.overflow);
    this.#pool = pool;
    this.#url = new URL(base_url);
    // Plain concatenation, as in 2014: what follows host and port is kept to the letter.
    this.#pathPrefix = base_url.replace(/^[a-z]+:\/*[^/?]*/i, '');
    this.#connectTimeoutMs = max_connect_timeout ?? max_connection_timeout;
    this.#options = {
      // One for all, so that they share TLS sessions.
      connect: buildConnector({ timeout: this.#connectTimeoutMs, lookup }),
      maxResponseSize: maxBodyBytes,
      // The exchange has one deadline for everything.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...idleOptions(max_idle),
    };
    this.#isFast = pool.args.client === 'fast' && this.#url.protocol === 'http:' && this.#hasParser();
    if (max_connections !== undefined && max_connections < workers) {
      this.#shared = new Pool(this.#url.origin, { pipelining: 1, ...this.#options, connections: max_connections });
    }
  }

  worker(): HttpWorker {
    const { args, name, services } = this.#pool;
    const dispatcher = this.#shared ?? this.#connection();
    return new HttpWorker({
      dispatcher,
      origin: this.#url.origin,
      pathPrefix: this.#pathPrefix,
      timeoutMs: args.max_connection_timeout,
      trouble: this.#trouble,
      counters: services.metrics.counters(`connectors.http.${name}`, ['sync_gets', 'sync_posts', 'async_posts']),
      leave: () => {
        if (!(dispatcher instanceof Pool)) void this.#close(dispatcher);
      },
    });
  }

  get problem(): string | undefined {
    return this.#trouble.reason;
  }

  #connection(): Client | HttpConnection {
    const connection = this.#isFast ? this.#fastConnection() : this.#undiciConnection();
    this.#own.add(connection);
    return connection;
  }

  #fastConnection(): HttpConnection {
    return new HttpConnection({
      url: this.#url,
      connectTimeoutMs: this.#connectTimeoutMs,
      maxBodyBytes,
      maxIdleMs: this.#pool.args.max_idle,
      wheel: this.#pool.services.timers,
    });
  }

  /** The parser is no public part of undici: without it undici does everything. */
  #hasParser(): boolean {
    try {
      prepareParser();
      return true;
    } catch (error) {
      const { log } = this.#pool.services;
      log.warning(`Pool ${this.#pool.name}: the fast client cannot be used, undici is: ${textOf(error)}`);
      return false;
    }
  }

  #undiciConnection(): Client {
    // A worker has one request under way, so nothing is pipelined; but with 1 every answer would be followed by a turn of the
    // event loop in which the connection counts as busy.
    return new Client(this.#url.origin, { pipelining: 2, ...this.#options });
  }

  #close(connection: Client | HttpConnection): void | Promise<void> {
    this.#own.delete(connection);
    return connection instanceof Client ? connection.destroy() : connection.close();
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#own, (connection) => this.#close(connection)));
    await this.#shared?.destroy();
  }
}
