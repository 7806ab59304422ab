/** Section `monitor`: metrics and the supervision tree over HTTP. */
import { Type } from 'typebox';
import { acceptors, accessKey, host, mapOf, milliseconds, port, strictObject, tls } from './fields.ts';

/** A threshold that is a share of what there may be. */
function share(defaultShare: number, description: string) {
  return Type.Number({
    default: defaultShare,
    minimum: 0,
    maximum: 1,
    description: `${description} 0 = no such alarm.`,
  });
}

const alarms = strictObject(
  {
    // Some slots are left for who reconnects while somebody has a look.
    clients: share(0.9, 'Clients, as a share of `hive.max_client_slots`.'),
    // A tenth of what a mailbox holds; a burst is smaller, or over before the next look.
    mailbox: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Messages waiting for one actor; most actors accept at most 100,000. 0 = no such alarm.',
    }),
    // Users notice; garbage collection seldom takes so long, and not one look in a hundred.
    event_loop_delay: Type.Integer({
      default: 200,
      minimum: 0,
      maximum: 60_000,
      description:
        'Delay of the event loop: 99th percentile of `hive.event_loop.delay` since the last check. Milliseconds. 0 = no such alarm.',
    }),
    // A healthy Redis takes a few; users notice.
    journal_delay: Type.Integer({
      default: 250,
      minimum: 0,
      maximum: 60_000,
      description:
        'How long events wait until Redis has stored them (`clients.durable`): 99th percentile of `clients.durable.journal.latency` since the last check. Milliseconds. 0 = no such alarm.',
    }),
    // From a half on publishes are dropped.
    queue: share(0.4, 'Bytes waiting for one other node, as a share of `hive.cluster_max_queue`.'),
    // Less than what is left is needed for a collection.
    memory: share(
      0.85,
      'Memory: the JavaScript heap in use as a share of its limit, or resident memory as a share of what the container (cgroup) may use, whichever is higher.',
    ),
    // Before clients are refused, which is at seven eighths.
    open_files: share(0.8, 'Open files and sockets, as a share of the limit (`ulimit -n`).'),
    gauges: mapOf(
      Type.Number({ minimum: 0 }),
      'Thresholds for other metrics, such as those of plugins: path of a gauge or counter → threshold. 0 = no such alarm.',
      { default: {} },
    ),
    clear: Type.Number({
      default: 0.9,
      minimum: 0.01,
      maximum: 1,
      description: 'Share of its threshold below which an alarm is cleared.',
    }),
    interval: milliseconds('Time between two checks of the values.', { default: 5000, minimum: 100 }),
  },
  { default: {}, description: 'Thresholds at which alarms are set.' },
);

export const monitorSchema = strictObject(
  {
    host: host('127.0.0.1'),
    port: port('TCP port of the monitor; 0 = any free one.', { default: 1234 }),
    tls: tls('the monitor'),
    acceptors,
    hash: accessKey('Key that requests to the monitor must carry. A secret; at least 8 characters.'),
    public_health: Type.Optional(
      Type.Boolean({ description: 'Whether `/monitor/health` answers without the key, for probes. Absent: no.' }),
    ),
    health_port: Type.Optional(
      port(
        'TCP port that serves only `/live` and `/ready`, for probes, without a key and over plain HTTP. Absent: none.',
      ),
    ),
    health_host: Type.Optional(
      Type.String({ minLength: 1, description: 'Address to listen on for `health_port`. Absent: that of `host`.' }),
    ),
    alarms,
    initialize_counters: Type.Optional(
      Type.Boolean({ description: 'Accepted from 2014 configurations; has no effect: counters always exist.' }),
    ),
  },
  { description: 'Metrics and the supervision tree over HTTP.' },
);
