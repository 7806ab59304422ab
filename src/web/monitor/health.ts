/**
 * What probes of orchestrators and load balancers ask, on a port of its own: without key, TLS or anything else to see.
 *
 *   GET  /live     200 `live`: the event loop serves, and the root supervisor runs, which the server is below
 *   GET  /ready    200 `ready` or `degraded`, or 503 `starting` or `draining`: whether new clients may be sent here
 */
import { closeServer, methodOf, plainText, type Server, sendAtOnce } from '../http/http.ts';
import type { SocketLibrary } from '../sockets/types.ts';
import type { Health } from './monitor-host.ts';

export interface HealthSettings {
  readonly sockets: SocketLibrary;
  readonly address: string;
  readonly port: number;
  readonly state: () => Health['status'] | 'starting';
}

/** @throws HiveError (rejection) `port_taken` */
export async function startHealthServer({ sockets, address, port, state }: HealthSettings): Promise<Server> {
  const app = sockets.createApp();
  app.any('/*', (res, req) => {
    const method = methodOf(res, req);
    const path = method === 'get' || method === 'head' ? req.getUrl() : '';
    if (path === '/live') return sendAtOnce(res, 200, 'live\n', plainText);
    if (path !== '/ready') return sendAtOnce(res, 404);
    const now = state();
    sendAtOnce(res, now === 'ready' || now === 'degraded' ? 200 : 503, `${now}\n`, plainText);
  });
  const listening = await app.listen(address, port);
  return { port: listening.port, stop: () => closeServer(app, listening) };
}
