/**
 * The monitor for operators: `/monitor/<key>/…`, or `/monitor/…` with the key in an `Authorization: Bearer` header.
 *
 *   GET     /monitor/<key>                 all metrics of the node, as a tree
 *   GET     /monitor/<key>/<section>       those whose dotted path starts with the section
 *   GET     /monitor/<key>/nodes[/<section>]  the same of each node for itself: `{"nodes": {<node>: <tree>}, "missing"}`;
 *                                          with `?buckets=true` histograms have their buckets
 *   GET     /monitor/<key>/prometheus      all metrics of the node, as text for Prometheus
 *   DELETE  /monitor/<key>/<metric>        sets one counter to 0, empties one histogram
 *   GET     /monitor/<key>/crashes         the last crashes, newest first
 *   GET     /monitor/<key>/abandoned       handlers that still run although their actors have ended
 *   GET     /monitor/<key>/health          whether the node serves: 200, or 503 while it refuses new clients
 *   GET     /monitor/<key>/alarms          the alarms that are set
 *   GET     /monitor/<key>/actors/<pid>    one actor, of any node
 *   GET     /monitor/<key>/actors          the busiest actors; `?sort=rate|mailbox`, `?limit=`, `?over=` ms of looking
 *   GET     /monitor/<key>/clients/<sid>   one client, on whichever node, with its state
 *   GET     /monitor/<key>/channels/<id>   the channels at and under an id, on all nodes, and who is in them
 *   GET     /monitor/<key>/supervision     the live supervision tree; `?depth=` levels, `?limit=` children per supervisor,
 *                                          `?path=` from there down, `?sort=mailbox`; with `Accept: text/plain` drawn
 *   GET     /monitor/<key>/dashboard[/<file>]  the page that shows all this
 *
 * With `?node=<name>` supervision, alarms, crashes and abandoned handlers are those of that node.
 * With `?cluster=true` metrics, health, alarms, supervision and busiest actors are those of all nodes: `{"nodes", "missing", …}`.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import { expectedOrHidden } from '../../observe/reference.ts';
import { sourceOf } from '../../observe/source.ts';
import type { TreeOptions } from '../../supervisors/tree.ts';
import {
  ApiKey,
  answerError,
  apiKeyPath,
  notFound,
  RequestError,
  unauthorized,
  wantsCluster,
  wrongMethod,
} from '../http/api-key.ts';
import { clientAddress, type TrustedProxies } from '../http/client-address.ts';
import {
  closeServer,
  defer,
  type HttpRequest,
  type HttpResponse,
  methodOf,
  plainText,
  type Server,
  send,
  sendJson,
  sendJsonText,
} from '../http/http.ts';
import { WrongKeys } from '../http/wrong-keys.ts';
import type { SocketLibrary, TlsFiles } from '../sockets/types.ts';
import { sendDashboard } from './dashboard.ts';
import { MetricPages } from './metric-pages.ts';
import type { Health, MonitorHost } from './monitor-host.ts';
import { busiestOptions, treeOptions, wantsBuckets } from './query.ts';
import { treeText } from './tree-text.ts';

export interface MonitorSettings {
  readonly sockets: SocketLibrary;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly key: string;
  /** `/monitor/health` needs no key, and tells no reasons. Default false. */
  readonly publicHealth?: boolean | undefined;
  readonly host: MonitorHost;
  readonly log: Log;
  /** Who is believed about where requests come from. */
  readonly proxies?: TrustedProxies | undefined;
}

const code = 'bad_monitor_request';

/** @throws HiveError (rejection) `port_taken`, `file_error` */
export async function startMonitorServer(settings: MonitorSettings): Promise<Server> {
  const app = settings.sockets.createApp(settings.tls, settings.proxies !== undefined);
  const monitor = new MonitorPages(settings);
  app.any('/*', (res, req) => {
    defer(res);
    monitor
      .handle(res, req)
      .catch((error: unknown) => answerError(res, expectedOrHidden(error, 'A monitor request', settings.log)));
  });
  const listening = await app.listen(settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

/** A page that can only be read; `id` is the segment behind its name. */
type Page = (res: HttpResponse, req: HttpRequest, id: string) => void | Promise<void>;

class MonitorPages {
  readonly #host: MonitorHost;
  readonly #metrics: MetricPages;
  readonly #key: ApiKey;
  readonly #publicHealth: boolean;
  readonly #log: Log;
  readonly #wrongKeys = new WrongKeys();
  readonly #proxies: TrustedProxies | undefined;
  readonly #pages = new Map<string, Page>([
    ['supervision', (res, req) => this.#showSupervision(res, req)],
    ['nodes', (res, req) => this.#metrics.showNodes(res, '', wantsBuckets(req))],
    ['prometheus', (res) => this.#metrics.showPrometheus(res)],
    ['actors', (res, req) => this.#showBusiest(res, req)],
    ['dashboard', (res, req) => sendDashboard(res, req.getUrl(), undefined)],
    ['health', (res, req) => this.#showHealth(res, req)],
    ['alarms', (res, req) => this.#showAlarms(res, req)],
    ['crashes', async (res, req) => sendJson(res, 200, { crashes: await this.#host.crashes(this.#nodeIn(req)) })],
    ['abandoned', async (res, req) => sendJson(res, 200, { abandoned: await this.#host.abandoned(this.#nodeIn(req)) })],
  ]);
  readonly #pagesOf = new Map<string, Page>([
    ['actors', (res, _req, pid) => this.#showActor(res, pid)],
    ['dashboard', (res, req, file) => sendDashboard(res, req.getUrl(), file)],
    ['clients', (res, _req, sid) => this.#showClient(res, sid)],
    ['channels', (res, _req, id) => this.#showChannel(res, id)],
    ['nodes', (res, req, section) => this.#metrics.showNodes(res, sectionPath(section), wantsBuckets(req))],
  ]);

  constructor({ host, key, publicHealth = false, log, proxies }: MonitorSettings) {
    this.#host = host;
    this.#metrics = new MetricPages(host);
    this.#publicHealth = publicHealth;
    this.#key = new ApiKey(key);
    this.#log = log;
    this.#proxies = proxies;
  }

  /** Reads everything it needs of the request before the first pause. */
  async handle(res: HttpResponse, req: HttpRequest): Promise<void> {
    const method = methodOf(res, req);
    const { given, isAllowed, segments } = apiKeyPath(req, 'monitor', this.#key, code);
    if (this.#publicHealth && given === 'health' && segments.length === 0 && req.getMethod() === 'get') {
      const { status } = this.#host.health();
      return sendHealth(res, status, { status });
    }
    if (!isAllowed) {
      const source = sourceOf(clientAddress(res, req, this.#proxies));
      if (!this.#log.excess('Monitor request with a wrong key', source)) {
        this.#log.warning('Monitor request with a wrong key', { address: source });
      }
      return this.#wrongKeys.refuse(res, source, () => answerError(res, unauthorized(code)));
    }
    const [section = '', id, ...rest] = segments;
    const page = rest.length > 0 ? undefined : (id === undefined ? this.#pages : this.#pagesOf).get(section);
    if (page) {
      if (method !== 'get') throw wrongMethod(code, method, 'GET');
      return page(res, req, id ?? '');
    }
    if (id !== undefined) throw notFound(code);
    const cluster = wantsCluster(req.getQuery('cluster'), code);
    const path = sectionPath(section);
    const metrics = this.#metrics;
    if (method === 'get') return cluster ? metrics.showAll(res, path) : metrics.show(res, path);
    if (method === 'delete') return cluster ? metrics.resetAll(res, path) : metrics.reset(res, path);
    throw wrongMethod(code, method, 'GET, DELETE');
  }

  /** The query parameter `node`: who is asked, this node unless it says otherwise. */
  #nodeIn(req: HttpRequest): string {
    const node = req.getQuery('node') || this.#host.node;
    if (this.#host.isConnected(node)) return node;
    throw new RequestError(404, code, `No node ${node} is connected.`);
  }

  async #showActor(res: HttpResponse, pid: string): Promise<void> {
    const actor = await this.#host.actor(pid);
    if (!actor) throw new RequestError(404, code, 'No actor with that address is running on any connected node.');
    sendJson(res, 200, actor);
  }

  async #showClient(res: HttpResponse, sid: string): Promise<void> {
    try {
      sendJsonText(res, 200, await this.#host.client(sid));
    } catch (error) {
      if (!(error instanceof HiveError && error.code === 'bad_session_id')) throw error;
      throw new RequestError(404, code, 'No client with that session id is on any connected node.');
    }
  }

  async #showChannel(res: HttpResponse, id: string): Promise<void> {
    const view = await this.#host.channel(id);
    if (view.channels.length > 0) return sendJson(res, 200, view);
    throw new RequestError(404, code, 'No channel of that id, or under it, is on any connected node.');
  }

  async #showHealth(res: HttpResponse, req: HttpRequest): Promise<void> {
    if (wantsCluster(req.getQuery('cluster'), code)) return sendJson(res, 200, await this.#host.cluster.health());
    const health = this.#host.health();
    sendHealth(res, health.status, health);
  }

  async #showAlarms(res: HttpResponse, req: HttpRequest): Promise<void> {
    const cluster = wantsCluster(req.getQuery('cluster'), code);
    if (cluster && req.getQuery('node')) throw oneOrAll();
    const answer = cluster ? this.#host.cluster.alarms() : this.#host.alarms(this.#nodeIn(req));
    sendJson(res, 200, cluster ? await answer : { alarms: await answer });
  }

  async #showBusiest(res: HttpResponse, req: HttpRequest): Promise<void> {
    const options = busiestOptions(req);
    const cluster = wantsCluster(req.getQuery('cluster'), code);
    if (cluster) return sendJson(res, 200, await this.#host.cluster.busiest(options));
    sendJson(res, 200, { actors: await this.#host.busiest(options) });
  }

  #showSupervision(res: HttpResponse, req: HttpRequest): Promise<void> {
    const asText = /\btext\/plain\b/.test(req.getHeader('accept'));
    const options = treeOptions(req);
    const cluster = wantsCluster(req.getQuery('cluster'), code);
    if (cluster && req.getQuery('node')) throw oneOrAll();
    return cluster ? this.#showTrees(res, options, asText) : this.#showTree(res, options, this.#nodeIn(req), asText);
  }

  async #showTree(res: HttpResponse, options: TreeOptions, node: string, asText: boolean): Promise<void> {
    const tree = await this.#host.supervision(options, node);
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
}

/** One trailing dot is tolerated. */
function sectionPath(section: string): string {
  return section.endsWith('.') ? section.slice(0, -1) : section;
}

function sendHealth(res: HttpResponse, status: Health['status'], body: object): void {
  sendJson(res, status === 'draining' ? 503 : 200, body);
}

function oneOrAll(): HiveError {
  return new HiveError(code, 'Ask either one node or the whole cluster.');
}

function noSuchPath(): RequestError {
  return new RequestError(404, code, 'Nothing is at that path of the supervision tree.');
}
