/** The monitor's pages about metrics. */

import { RequestError } from '../http/api-key.ts';
import { type HttpResponse, send, sendJson } from '../http/http.ts';
import type { MonitorHost } from './monitor-host.ts';

const code = 'bad_monitor_request';

export class MetricPages {
  readonly #host: MonitorHost;

  constructor(host: MonitorHost) {
    this.#host = host;
  }

  async show(res: HttpResponse, path: string): Promise<void> {
    const tree = await this.#host.metrics(path);
    if (!tree) throw noMetric(path);
    sendJson(res, 200, tree);
  }

  async showAll(res: HttpResponse, path: string): Promise<void> {
    const { nodes, missing, metrics } = await this.#host.cluster.metrics(path);
    if (!metrics) throw noMetric(path);
    sendJson(res, 200, { nodes, missing, metrics });
  }

  async showNodes(res: HttpResponse, path: string, withBuckets: boolean): Promise<void> {
    const { nodes, missing } = await this.#host.cluster.nodes(path, withBuckets);
    if (Object.values(nodes).every((tree) => Object.keys(tree).length === 0)) throw noMetric(path);
    sendJson(res, 200, { nodes, missing });
  }

  async showPrometheus(res: HttpResponse): Promise<void> {
    const { type, text } = await this.#host.prometheus();
    send(res, 200, text, type);
  }

  async reset(res: HttpResponse, path: string): Promise<void> {
    if (!(await this.#host.reset(path))) throw await this.#noCounter(path);
    send(res, 200);
  }

  async resetAll(res: HttpResponse, path: string): Promise<void> {
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
