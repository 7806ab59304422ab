/** The metrics under `clients.transports`, resolved once. */
import type { Metrics } from '../../observe/metrics.ts';

const httpNames = ['requests', 'errors', '2XX', '4XX', '5XX', '???', 'hang_up'] as const;
const socketNames = ['requests', 'errors', 'frames', 'ok', 'bad', 'hang_up'] as const;

export type ClientCounters = ReturnType<typeof clientCounters>;

export function clientCounters(metrics: Metrics) {
  return {
    http: metrics.counters('clients.transports.http', httpNames),
    websocket: metrics.counters('clients.transports.websocket', socketNames),
    /** Connections ended because the client read too slowly. */
    tooSlow: metrics.counter('clients.transports.too_slow'),
    /** Connections ended because the client sent too many packets in ten seconds. */
    tooManyPackets: metrics.counter('clients.transports.too_many_packets'),
    /** Handshakes refused because their address has as many connections as it may. */
    tooManyConnections: metrics.counter('clients.transports.too_many_connections'),
    /** Handshakes refused because their address sent too many in a second. */
    tooManyHandshakes: metrics.counter('clients.transports.too_many_handshakes'),
    /** Connections ended because the client sent more than the way to another node carries. */
    overruns: metrics.counter('clients.transports.overruns'),
  };
}
