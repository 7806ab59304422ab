/**
 * The monitor for operators: `/monitor/<key>/…`.
 *
 *   GET     /monitor/<key>                 all metrics of the node, as a tree
 *   GET     /monitor/<key>/<section>       those whose dotted path starts with the section
 *   DELETE  /monitor/<key>/<counter>       sets one counter to 0
 *   GET     /monitor/<key>/supervision     the live supervision tree; `?depth=` levels, `?limit=` children per supervisor
 */
import { HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import type { MetricTree } from '../observe/metrics.ts';
import {
  closeServer,
  createApp,
  defer,
  type HttpRequest,
  type HttpResponse,
  listen,
  type Server,
  send,
  sendError,
  sendJson,
} from './http.ts';
import { Key, RequestError, segmentsOf, sendUnauthorized, wrongMethod } from './keyed.ts';

/** What the monitor shows. Rejections become the answer. */
export interface MonitorHost {
  /** The metrics under a dotted path; undefined if there are none. */
  metrics(section: string): Promise<MetricTree | undefined>;
  /** Sets a counter to 0; false if there is no such counter. */
  reset(path: string): Promise<boolean>;
  supervision(options: { depth: number | undefined; limit: number | undefined }): Promise<unknown>;
}

export interface MonitorSettings {
  readonly address: string;
  readonly port: number;
  readonly key: string;
  readonly host: MonitorHost;
  readonly log: Log;
}

/** @throws HiveError `port_taken` (rejection) */
export async function startMonitorServer(settings: MonitorSettings): Promise<Server> {
  const app = createApp();
  const key = new Key(settings.key);
  app.any('/*', (res, req) => {
    defer(res);
    try {
      handle(settings, key, res, req)?.catch((error: unknown) => fail(settings.log, res, error));
    } catch (error) {
      fail(settings.log, res, error);
    }
  });
  const listening = await listen(app, settings.address, settings.port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}

function handle(
  { host, log }: MonitorSettings,
  key: Key,
  res: HttpResponse,
  req: HttpRequest,
): Promise<void> | undefined {
  const method = req.getMethod();
  const [root, given, section = '', ...rest] = segmentsOf(req, 'bad_monitor_request');
  if (root !== 'monitor') throw notFound();
  if (!key.matches(given)) {
    log.warning('monitor request with a wrong key');
    sendUnauthorized(res);
    return undefined;
  }
  if (rest.length > 0) throw notFound();
  if (section === 'supervision') {
    if (method !== 'get') throw wrongMethod('bad_monitor_request', method, 'GET');
    return showTree(host, res, number(req, 'depth'), number(req, 'limit'));
  }
  if (method === 'get') return showMetrics(host, res, section);
  if (method === 'delete') return reset(host, res, section);
  throw wrongMethod('bad_monitor_request', method, 'GET, DELETE');
}

async function showTree(host: MonitorHost, res: HttpResponse, depth?: number, limit?: number): Promise<void> {
  sendJson(res, 200, await host.supervision({ depth, limit }));
}

async function showMetrics(host: MonitorHost, res: HttpResponse, section: string): Promise<void> {
  const path = section.endsWith('.') ? section.slice(0, -1) : section;
  const tree = await host.metrics(path);
  if (!tree) throw new RequestError(404, 'bad_monitor_request', `There is no metric under ${path}.`);
  sendJson(res, 200, tree);
}

async function reset(host: MonitorHost, res: HttpResponse, path: string): Promise<void> {
  if (await host.reset(path)) return send(res, 200);
  const section = path === '' || (await host.metrics(path)) !== undefined;
  if (!section) throw new RequestError(404, 'bad_monitor_request', `There is no metric ${path}.`);
  throw new RequestError(
    400,
    'bad_monitor_request',
    `${path || 'The whole tree'} is no counter; only counters can be reset.`,
  );
}

/** A query parameter that must be a number. */
function number(req: HttpRequest, name: string): number | undefined {
  const text = req.getQuery(name);
  if (!text) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new HiveError('bad_monitor_request', `${name} must be a number, not ${text}.`);
  return Number(text);
}

function fail(log: Log, res: HttpResponse, error: unknown): void {
  if (!(error instanceof HiveError)) {
    log.error('monitor request failed', { reason: error instanceof Error ? error.stack : String(error) });
  }
  sendError(res, error, error instanceof RequestError ? error.headers : undefined);
}

function notFound(): RequestError {
  return new RequestError(404, 'bad_monitor_request', 'Nothing answers at this path.');
}
