/** Every metric that a node with the default configuration shows before anything has happened. */
const groups: Readonly<Record<string, string>> = {
  hive: 'uptime errors total_processes plugins plugin_errors config_errors',
  'hive.cluster': 'size nodes calls casts errors',
  'hive.memory': 'total processes system atom binary code ets',
  'hive.router': 'uptime msg_queue_length spawned_clients current_clients requests routed_msgs routed_events errors',
  clients: 'total websocket xhr_polling errors',
  'clients.states': 'generic transient waiting polling transitions',
  'clients.state_mgr': 'requests init get set cleanup errors',
  'clients.events': 'total external internal control errors external_errors internal_errors control_errors',
  'clients.transports.http': 'requests errors 2XX 4XX 5XX ??? hang_up',
  'clients.transports.websocket': 'requests errors frames ok bad hang_up',
  'clients.hooks': 'calls errors hp.get hp.put hp.post pubsub.publish pubsub.subscribe pubsub.unsubscribe',
  connectors: 'requests errors pools starts stops uses safe_transactions unsafe_transactions rents returns',
  pubsub: 'uptime requests errors total_channels status publish join leave subscribe unsubscribe published_events',
  'pubsub.channels.ping':
    'requests errors total_channels status subscribe unsubscribe publish published_events subscribed_clients',
  api: 'requests errors',
  'api.hive': 'requests errors',
  'api.router': 'requests errors',
  'api.pubsub': 'requests errors',
  'api.clients': 'requests errors',
};

/** Those that the 2014 server did not have. */
const newGroups: Readonly<Record<string, string>> = {
  'api.batch': 'requests errors',
  'api.users': 'requests errors',
  'api.idempotency': 'keys bytes replayed reused uncertain',

  clients: 'too_many_errors',
  'clients.asks': 'asked answered unanswered',
  'clients.departures': 'waiting oldest_ms told repeated given_up',
  'clients.states': 'suspended',
  'clients.transports': 'too_slow too_many_packets too_many_connections too_many_handshakes overruns',
  'clients.hooks': 'latency pubsub.history pubsub.presence',
  connectors: 'latency',
  pubsub:
    'latency deliveries missed unacknowledged unacknowledged_bytes resent gaps dropped confirmed unconfirmed confirmation_latency',
  'clients.recovery.journal': 'entries bytes age_ms',
  'clients.recovery': 'suspended recovered away events expired evicted unknown ended incomplete too_much lost',
  'hive.actors': 'running abandoned crashes dead_letters unexpected',
  'hive.dead_letters': 'dead full unknown_name no_connection',
  'hive.event_loop': 'delay utilization',
  'hive.cpu': 'user system',
  'hive.open_files': 'open limit',
  'hive.log': 'lost counted',
  'hive.distribution': 'sent received errors queued_bytes max_queued_bytes',
  'hive.relay': 'forwarded accepted lost errors entries owned waiting_bytes',
  'hive.relay.returned': 'entries owned',
  ...Object.fromEntries(
    ['clients', 'mailbox', 'event_loop_delay', 'queue', 'memory', 'open_files'].map((alarm) => [
      `hive.alarms.${alarm}`,
      'set threshold',
    ]),
  ),
  ...Object.fromEntries(
    // The configured events: shown before their first use.
    ['subscribe', 'unsubscribe', 'ping'].map((event) => [`clients.hooks.${event}`, 'calls errors latency']),
  ),
};

function names(of: Readonly<Record<string, string>>): string[] {
  return Object.entries(of).flatMap(([prefix, list]) => list.split(' ').map((name) => `${prefix}.${name}`));
}

export const metricNames: readonly string[] = [...names(groups), ...names(newGroups)];

/** Those of a node that has channels with a history. */
export const historyMetricNames: readonly string[] = names({
  'pubsub.history': 'channels entries bytes waiting appended moved resent dropped repaired replayed',
});

/** Those of a node that tells who is in channels. */
export const presenceMetricNames: readonly string[] = names({ 'pubsub.presence': 'channels members events' });

/** Those of a node with `clients.user`. */
export const userMetricNames: readonly string[] = names({
  'clients.users': 'present sessions bad_ids refused replaced',
});

/** Those that some configurations have. */
export const optionalMetricNames: readonly string[] = [
  ...historyMetricNames,
  ...presenceMetricNames,
  ...userMetricNames,
];

/** Those of a node with `clients.durable`. */
export const durableMetricNames: readonly string[] = names({
  'clients.durable':
    'up down_ms leases_lost sessions present unclaimed sweeps claimed contended adopted departures claims_lost handed_over fenced errors',
  'clients.durable.lease': 'held left_ms owner',
  'clients.durable.incomplete': 'failed peers actions',
  'clients.durable.journal': 'entries bytes waiting waiting_ms latency unstored',
  'hive.alarms.journal_delay': 'set threshold',
});

/** What each pool shows under `connectors.<kind>.<pool>`. */
export const poolMetricNames = {
  http: [
    'workers',
    'capacity',
    'busy',
    'waiting',
    'requests',
    'errors',
    'latency',
    'sync_gets',
    'sync_posts',
    'async_posts',
  ],
  redis: ['workers', 'capacity', 'busy', 'waiting', 'requests', 'errors', 'latency', 'queries', 'connected'],
  tcp: ['workers', 'capacity', 'busy', 'waiting', 'requests', 'errors', 'latency', 'send', 'recv'],
} as const;
