/**
 * The monitor for operators: `/monitor/<key>/…`, or `/monitor/…` with the key in an `Authorization: Bearer` header.
 *
 *   GET     /monitor/<key>                 all metrics of the node, as a tree
 *   GET     /monitor/<key>/<section>       those whose dotted path starts with the section
 *   DELETE  /monitor/<key>/<metric>        sets one counter to 0, empties one histogram
 *   GET     /monitor/<key>/crashes         the last crashes, newest first
 *   GET     /monitor/<key>/abandoned       handlers that still run although their actors have ended
 *   GET     /monitor/<key>/health          whether the node serves: 200, or 503 while it refuses new clients
 *   GET     /monitor/<key>/actors/<pid>    one actor
 *   GET     /monitor/<key>/actors          the busiest actors; `?sort=rate|mailbox`, `?limit=`, `?over=` ms of looking
 *   GET     /monitor/<key>/supervision     the live supervision tree; `?depth=` levels, `?limit=` children per supervisor,
 *                                          `?path=` from there down, `?sort=mailbox`; with `Accept: text/plain` drawn
 *
 * With `?cluster=true` metrics, health, supervision and busiest actors are those of all nodes: `{"nodes", "missing", …}`.
 */
import type { BusiestOptions, BusyActor } from '../kernel/busiest.ts';
import type { Log } from '../observe/logger.ts';
import type { MetricTree } from '../observe/metrics.ts';
import { expectedOrHidden } from '../observe/reference.ts';
import type { Reached } from './api-host.ts';
import {
  closeServer,
  createApp,
  defer,
  type HttpRequest,
  type HttpResponse,
  listen,
  methodOf,
  plainText,
  type Server,
  send,
  sendJson,
  type TlsFiles,
} from './http.ts';
import {
  answerError,
  Key,
  keyedPath,
  notFound,
  RequestError,
  unauthorized,
  wantsCluster,
  wrongMethod,
} from './keyed.ts';
import { busiestOptions, treeOptions } from './monitor-query.ts';
import { type TreeNode, treeText } from './tree-text.ts';

/** Which part of the supervision tree is shown: how many levels, how many children of each supervisor, from where, in what order. */
export interface TreeOptions {
  readonly depth?: number | undefined;
  readonly limit?: number | undefined;
  readonly path?: string | undefined;
  readonly sort?: 'mailbox' | undefined;
}

/** `draining`: new clients are refused; `degraded`: it serves, but not everything works. */
export interface Health {
  readonly status: 'ready' | 'draining' | 'degraded';
  readonly reasons: readonly string[];
}

export interface NodeHealth extends Health {
  readonly node: string;
  readonly version: string;
}

/** What the monitor shows. Rejections become the answer. */
export interface MonitorHost {
  /** The metrics under a dotted path; undefined if there are none. */
  metrics(section: string): Promise<MetricTree | undefined>;
  /** Sets a counter to 0, or empties a histogram; false if there is neither. */
  reset(path: string): Promise<boolean>;
  health(): NodeHealth;
  /** Read without asking any actor. */
  crashes(): readonly object[];
  abandoned(): readonly object[];
  /** Undefined if nothing is at that path. */
  supervision(options: TreeOptions): Promise<TreeNode | undefined>;
  /** One actor of this node; undefined if it has ended, or that is no address. Without asking the actor. */
  actor(pid: string): object | undefined;
  busiest(options: BusiestOptions): Promise<readonly BusyActor[]>;
  readonly cluster: {
    health(): Promise<Reached & { readonly health: Readonly<Record<string, NodeHealth>> }>;
    busiest(
      options: BusiestOptions,
    ): Promise<Reached & { readonly actors: Readonly<Record<string, readonly BusyActor[]>> }>;
    supervision(options: TreeOptions): Promise<Reached & { readonly trees: Readonly<Record<string, TreeNode>> }>;
    /** Those of all nodes as one tree. */
    metrics(section: string): Promise<Reached & { readonly metrics: MetricTree | undefined }>;
    reset(path: string): Promise<Reached & { readonly found: boolean }>;
  };
}

export interface MonitorSettings {
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly key: string;
  /** `/monitor/health` needs no key, and tells no reasons. Default false. */
  readonly publicHealth?: boolean | undefined;
  readonly host: MonitorHost;
  readonly log: Log;
}

const code = 'bad_monitor_request';

/** @throws HiveError (rejection) `port_taken`, `file_error` */
export async function startMonitorServer(settings: MonitorSettings): Promise<Server> {
  const app = createApp(settings.tls);
  const monitor = new MonitorPages(settings);
  app.any('/*', (res, req) => {
    defer(res);
    monitor
      .handle(res, req)
      .catch((error: unknown) => answerError(res, expectedOrHidden(error, 'A monitor request', settings.log)));
  });
  const listening = await listen(app, settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

class MonitorPages {
  readonly #host: MonitorHost;
  readonly #key: Key;
  readonly #publicHealth: boolean;
  readonly #log: Log;

  constructor({ host, key, publicHealth = false, log }: MonitorSettings) {
    this.#host = host;
    this.#publicHealth = publicHealth;
    this.#key = new Key(key);
    this.#log = log;
  }

  /** Reads everything it needs of the request before the first pause. */
  async handle(res: HttpResponse, req: HttpRequest): Promise<void> {
    const method = methodOf(res, req);
    const { key, segments } = keyedPath(req, 'monitor', code);
    if (this.#publicHealth && key === 'health' && segments.length === 0 && req.getMethod() === 'get') {
      const { status } = this.#host.health();
      return sendHealth(res, status, { status });
    }
    if (!this.#key.matches(key)) {
      this.#log.warning('Monitor request with a wrong key');
      throw unauthorized(code);
    }
    const [section = '', ...rest] = segments;
    if (section === 'actors' && rest.length === 1) {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      return this.#showActor(res, rest[0]!);
    }
    if (rest.length > 0) throw notFound(code);
    const cluster = wantsCluster(req.getQuery('cluster'), code);
    if (section === 'actors') {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      return this.#showBusiest(res, busiestOptions(req), cluster);
    }
    if (section === 'supervision') {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      const asText = /\btext\/plain\b/.test(req.getHeader('accept'));
      const options = treeOptions(req);
      return cluster ? this.#showTrees(res, options, asText) : this.#showTree(res, options, asText);
    }
    if (section === 'health') {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      if (cluster) return sendJson(res, 200, await this.#host.cluster.health());
      const health = this.#host.health();
      return sendHealth(res, health.status, health);
    }
    if (section === 'crashes' || section === 'abandoned') {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      return sendJson(res, 200, { [section]: this.#host[section]() });
    }
    const path = section.endsWith('.') ? section.slice(0, -1) : section;
    if (method === 'get') return cluster ? this.#showAll(res, path) : this.#show(res, path);
    if (method === 'delete') return cluster ? this.#resetAll(res, path) : this.#reset(res, path);
    throw wrongMethod(code, method, 'GET, DELETE');
  }

  #showActor(res: HttpResponse, pid: string): void {
    const actor = this.#host.actor(pid);
    if (!actor) throw new RequestError(404, code, 'No actor with that address is running on this node.');
    sendJson(res, 200, actor);
  }

  async #showBusiest(res: HttpResponse, options: BusiestOptions, cluster: boolean): Promise<void> {
    if (cluster) return sendJson(res, 200, await this.#host.cluster.busiest(options));
    sendJson(res, 200, { actors: await this.#host.busiest(options) });
  }

  async #showTree(res: HttpResponse, options: TreeOptions, asText: boolean): Promise<void> {
    const tree = await this.#host.supervision(options);
    if (!tree) throw noSuchPath();
    if (asText) send(res, 200, treeText(tree), plainText);
    else sendJson(res, 200, tree);
  }

  async #showTrees(res: HttpResponse, options: TreeOptions, asText: boolean): Promise<void> {
    const { nodes, missing, trees } = await this.#host.cluster.supervision(options);
    const drawn = Object.values(trees);
    if (drawn.length === 0) throw noSuchPath();
    if (asText) send(res, 200, drawn.map(treeText).join('\n'), plainText);
    else sendJson(res, 200, { nodes, missing, trees });
  }

  async #show(res: HttpResponse, path: string): Promise<void> {
    const tree = await this.#host.metrics(path);
    if (!tree) throw noMetric(path);
    sendJson(res, 200, tree);
  }

  async #showAll(res: HttpResponse, path: string): Promise<void> {
    const { nodes, missing, metrics } = await this.#host.cluster.metrics(path);
    if (!metrics) throw noMetric(path);
    sendJson(res, 200, { nodes, missing, metrics });
  }

  async #reset(res: HttpResponse, path: string): Promise<void> {
    if (!(await this.#host.reset(path))) throw await this.#noCounter(path);
    send(res, 200, '', plainText);
  }

  async #resetAll(res: HttpResponse, path: string): Promise<void> {
    const { nodes, missing, found } = await this.#host.cluster.reset(path);
    if (!found) throw await this.#noCounter(path);
    sendJson(res, 200, { nodes, missing });
  }

  async #noCounter(path: string): Promise<RequestError> {
    const exists = path === '' || (await this.#host.metrics(path)) !== undefined;
    if (!exists) return noMetric(path);
    return new RequestError(
      400,
      code,
      `${path || 'The whole tree'} is neither a counter nor a histogram; only they can be reset.`,
    );
  }
}

function noMetric(path: string): RequestError {
  return new RequestError(404, code, `There is no metric ${path}.`);
}

function sendHealth(res: HttpResponse, status: Health['status'], body: object): void {
  sendJson(res, status === 'draining' ? 503 : 200, body);
}

function noSuchPath(): RequestError {
  return new RequestError(404, code, 'Nothing is at that path of the supervision tree.');
}
