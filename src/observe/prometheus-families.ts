/**
 * The metrics of Hive as Prometheus has them: a family of time series for each path, whose changing segments (an event, a pool)
 * are labels. What is in no row here (metrics of plugins) has its path as its name, and as a label.
 */

/** How a family is made from a metric. */
export interface Family {
  readonly name: string;
  readonly help: string;
  /** What one unit of the metric is of the family's: 0.001 for ms in seconds. */
  readonly scale: number;
  /** A gauge that only grows. */
  readonly counts: boolean;
  /** Of a histogram: bounds above those of all histograms, ms. */
  readonly furtherBounds: readonly number[];
  /** Of a list: the label that tells its members apart. */
  readonly member: string;
}

export interface Series {
  readonly family: Family;
  readonly labels: Readonly<Record<string, string>>;
}

interface Special {
  /** Without `hive_` and what the unit and kind append. */
  readonly name?: string;
  readonly unit?: 'seconds' | 'bytes';
  readonly scale?: number;
  readonly counts?: boolean;
  readonly furtherBounds?: readonly number[];
  readonly member?: string;
}

type Row = readonly [path: string, help: string, special?: Special];

const ms: Special = { unit: 'seconds', scale: 0.001 };
const bytes: Special = { unit: 'bytes' };

/** What may stand for a label; the names of events and pools may have dots. */
const labels: Readonly<Record<string, string>> = {
  alarm: '.+',
  event: '.+',
  hook: String.raw`hp\.(?:get|put|post)|pubsub\.(?:history|presence|publish|subscribe|unsubscribe)`,
  kind: '[^.]+',
  reason: 'dead|full|unknown_name|no_connection|failed|peers|actions',
  operation: 'sync_gets|sync_posts|async_posts|queries|send|recv',
  pool: '.+',
  prefix: '[^.]+',
  section: 'hive|router|clients|pubsub|users|batch',
  status: String.raw`[245]XX|\?\?\?`,
  transport: 'websocket|xhr_polling',
  state: 'generic|transient|waiting|suspended|polling',
};

const rows: readonly Row[] = [
  ['hive.uptime', 'Time since the process started', ms],
  ['hive.total_processes', 'Running actors', { name: 'processes' }],
  ['hive.plugins', 'Plugins of all kinds'],
  ['hive.errors', 'Servers that failed to start'],
  ['hive.plugin_errors', 'Hooks and connectors requested at run time that do not exist'],
  ['hive.config_errors', 'Descriptors and arguments refused at run time'],
  ['hive.event_loop.delay', 'How late a 20 ms timer fires', ms],
  ['hive.event_loop.utilization', 'Fraction of the last second in which the event loop was busy'],
  ['hive.cpu.user', 'CPU time in user mode', { ...ms, counts: true }],
  ['hive.cpu.system', 'CPU time in the kernel', { ...ms, counts: true }],
  ['hive.open_files.open', 'Open files of the process, including sockets'],
  ['hive.open_files.limit', 'Limit of open files of the process; 0: none'],
  ['hive.memory.total', 'Resident memory', { ...bytes, name: 'memory_resident' }],
  ['hive.memory.processes', 'JavaScript heap in use', bytes],
  ['hive.memory.system', 'Resident memory other than the heap in use', bytes],
  ['hive.memory.binary', 'Array buffers', bytes],
  ['hive.memory.ets', 'Memory outside the JavaScript heap', bytes],
  ['hive.memory.code', 'Compiled code', bytes],
  ['hive.memory.atom', 'Always 0', bytes],
  ['hive.cluster.size', 'Connected nodes, including this one'],
  ['hive.cluster.nodes', 'The connected nodes, 1 each', { name: 'cluster_node' }],
  ['hive.cluster.calls', 'Calls to the routers of other nodes'],
  ['hive.cluster.casts', 'Publishes'],
  ['hive.cluster.errors', 'Failures to join the cluster'],
  ['hive.router.uptime', 'Time since the router started', ms],
  ['hive.router.msg_queue_length', 'Messages waiting for the router'],
  ['hive.router.current_clients', 'Clients'],
  ['hive.router.spawned_clients', 'Clients started'],
  ['hive.router.requests', 'Clients opened, calls about sessions, changes of admission'],
  ['hive.router.errors', 'Unknown sessions, and messages that are not requests'],
  ['hive.router.routed_msgs', 'Packets that went through the router'],
  ['hive.router.routed_events', 'Actions for clients'],
  ['hive.actors.running', 'Running actors'],
  ['hive.actors.abandoned', 'Actors that were stopped while a handler is still running'],
  ['hive.actors.crashes', 'Crashes of actors'],
  ['hive.actors.dead_letters', 'Messages that reached nobody'],
  ['hive.dead_letters.<reason>', 'Messages that reached nobody, by reason', { name: 'dead_letters' }],
  ['hive.actors.unexpected', 'Messages that an actor does not understand or does not accept from other nodes'],
  ['hive.distribution.sent', 'Messages sent to other nodes'],
  ['hive.distribution.received', 'Messages received from other nodes'],
  ['hive.distribution.errors', 'Messages between nodes that failed'],
  [
    'hive.distribution.queued_bytes',
    'Bytes waiting to be sent to other nodes',
    { ...bytes, name: 'distribution_queued' },
  ],
  [
    'hive.distribution.max_queued_bytes',
    'Bytes waiting to be sent to the node for which most are waiting',
    { ...bytes, name: 'distribution_max_queued' },
  ],
  ['hive.alarms.<alarm>.set', 'Whether an alarm is set', { name: 'alarm' }],
  ['hive.alarms.<alarm>.threshold', 'Value at which an alarm is set', { name: 'alarm_threshold' }],
  ['hive.log.lost', 'Log lines lost because the console or a log file did not accept them'],
  ['hive.log.counted', 'Log lines counted instead of written, because too many of their kind were provoked'],
  ['hive.relay.forwarded', 'Client requests relayed to the node that owns their session'],
  ['hive.relay.accepted', 'Relayed client requests accepted from other nodes'],
  ['hive.relay.lost', 'Relayed requests lost with their node'],
  ['hive.relay.errors', 'Failures between nodes'],
  ['hive.relay.entries', 'Open requests and sockets relayed from here'],
  ['hive.relay.owned', 'Open requests and sockets relayed to here'],
  ['hive.relay.returned.entries', 'Clients that have returned here, and whose sessions other nodes own'],
  ['hive.relay.returned.owned', 'Sessions whose clients have returned to other nodes'],
  [
    'hive.relay.waiting_bytes',
    'Bytes of clients that wait until other nodes have processed what was sent to them before',
  ],

  ['clients.total', 'Clients', { name: 'clients' }],
  ['clients.<transport>', 'Clients by transport', { name: 'clients_by_transport' }],
  ['clients.states.<state>', 'Clients by state', { name: 'clients_by_state' }],
  ['clients.states.transitions', 'Changes of state'],
  ['clients.errors', 'Errors reported to clients, and failed starts'],
  ['clients.state_mgr.requests', 'Operations on session state'],
  ['clients.state_mgr.init', 'States opened'],
  ['clients.state_mgr.get', 'States read'],
  ['clients.state_mgr.set', 'States changed'],
  ['clients.state_mgr.cleanup', 'States removed'],
  ['clients.state_mgr.errors', 'Failed operations on session state'],
  ['clients.events.total', 'Events handled', { name: 'clients_events' }],
  ['clients.events.external', 'Events from clients'],
  ['clients.events.internal', 'Actions and publishes'],
  ['clients.events.control', 'Terminations'],
  ['clients.events.errors', 'Events that failed'],
  ['clients.events.external_errors', 'Events from clients that failed'],
  ['clients.events.internal_errors', 'Actions and publishes that failed'],
  ['clients.events.control_errors', 'Terminations that failed'],
  ['clients.transports.http.requests', 'HTTP requests of clients'],
  ['clients.transports.http.errors', 'HTTP requests of clients that failed'],
  ['clients.transports.http.<status>', 'Answers to clients by status', { name: 'clients_transports_http_answers' }],
  ['clients.transports.http.hang_up', 'Requests whose client went away before the answer'],
  ['clients.transports.websocket.requests', 'WebSockets opened'],
  ['clients.transports.websocket.errors', 'WebSockets that failed'],
  ['clients.transports.websocket.frames', 'WebSocket frames received'],
  ['clients.transports.websocket.ok', 'Packets sent over WebSockets'],
  ['clients.transports.websocket.bad', 'Errors sent over WebSockets'],
  ['clients.transports.websocket.hang_up', 'WebSockets closed'],
  ['clients.transports.too_slow', 'Connections ended because too many bytes were waiting for the client'],
  ['clients.too_many_errors', 'Clients disconnected because of hive.max_client_errors'],
  ['clients.users.present', 'Users with sessions'],
  ['clients.users.sessions', 'Sessions of users'],
  ['clients.users.bad_ids', 'States whose id of a user is neither text nor a number'],
  ['clients.users.refused', 'Sessions refused because of clients.max_sessions_per_user'],
  ['clients.users.replaced', 'Sessions ended because of clients.max_sessions_per_user'],
  ['clients.asks.asked', 'Questions to clients'],
  ['clients.asks.answered', 'Questions that clients have answered'],
  ['clients.asks.unanswered', 'Questions that clients have not answered in time, or whose connection was lost'],
  ['clients.recovery.suspended', 'Sessions that lost their connection and waited for their client'],
  ['clients.recovery.recovered', 'Clients that returned to their sessions'],
  [
    'clients.recovery.away',
    'From the loss of the connection to the return of the client',
    { ...ms, furtherBounds: [120_000, 300_000, 600_000] },
  ],
  ['clients.recovery.events', 'Events that clients had missed and were sent when they returned'],
  ['clients.recovery.lost', 'Sessions that ended because something that was published to their channels was lost'],
  ['clients.recovery.expired', 'Sessions that ended because nobody had returned to them in time'],
  ['clients.recovery.evicted', 'Suspended sessions that ended because new clients needed their slots'],
  [
    'clients.recovery.unknown',
    'Clients that returned to a session of no node that could be reached, and became new ones',
  ],
  ['clients.recovery.ended', 'Clients that returned to a session that had ended, and became new ones'],
  [
    'clients.recovery.incomplete',
    'Clients that returned when not all that they had missed was kept, and became new ones',
  ],
  ['clients.recovery.too_much', 'Clients that had missed more than socketio.max_backpressure, and became new ones'],
  ['clients.recovery.journal.entries', 'Events that are kept for clients that return'],
  ['clients.recovery.journal.bytes', 'Memory that they take', { ...bytes, name: 'clients_recovery_journal' }],
  ['clients.recovery.journal.age_ms', 'Age of the oldest of them', { ...ms, name: 'clients_recovery_journal_age' }],
  ['clients.durable.up', 'Whether sessions are durable now'],
  ['clients.durable.down_ms', 'How long they have not been', { ...ms, name: 'clients_durable_down' }],
  ['clients.durable.lease.held', 'Whether the node has its lease'],
  ['clients.durable.lease.left_ms', 'Until the lease ends', { ...ms, name: 'clients_durable_lease_left' }],
  ['clients.durable.lease.owner', 'The name of the lease, in a label', { member: 'owner' }],
  ['clients.durable.leases_lost', 'Leases that have ended although the node goes on'],
  ['clients.durable.sessions', 'Sessions of this node that outlive it'],
  ['clients.durable.present', 'Sessions of this node that it has adopted from dead nodes'],
  ['clients.durable.unclaimed', 'Leases that have ended, and whose sessions nobody has claimed yet'],
  ['clients.durable.sweeps', 'Searches for dead nodes'],
  ['clients.durable.claimed', 'Sessions of dead nodes that this node has claimed'],
  ['clients.durable.contended', 'Sessions of dead nodes that another node had claimed first'],
  ['clients.durable.adopted', 'Claimed sessions that went on here'],
  ['clients.durable.departures', 'Claimed sessions that ended, and of which this node tells back ends'],
  [
    'clients.durable.incomplete.<reason>',
    'Claimed sessions that could not go on with all that their clients had missed',
    { name: 'clients_durable_incomplete' },
  ],
  ['clients.durable.claims_lost', 'Sessions of this node that others had claimed while it was silent'],
  ['clients.durable.handed_over', 'Sessions that this node has left to others when it was stopped or drained'],
  ['clients.durable.fenced', 'Writes that Redis refused because another node had claimed the session'],
  ['clients.durable.errors', 'Requests of durable sessions to Redis that failed'],
  ['clients.durable.journal.entries', 'Batches of events in the journal in Redis'],
  [
    'clients.durable.journal.bytes',
    'Memory that the journal takes in Redis',
    { ...bytes, name: 'clients_durable_journal' },
  ],
  ['clients.durable.journal.waiting', 'Events that are not in the journal in Redis yet'],
  [
    'clients.durable.journal.waiting_ms',
    'How long the first of them has waited',
    { ...ms, name: 'clients_durable_journal_waiting' },
  ],
  ['clients.durable.journal.latency', 'How long the first event of a batch waits until Redis has it', ms],
  ['clients.durable.journal.unstored', 'Events that were shown without being stored'],
  ['clients.departures.waiting', 'Clients that have gone and whose on_disconnect no back end has answered yet'],
  [
    'clients.departures.oldest_ms',
    'How long the oldest of them has waited',
    { ...ms, name: 'clients_departures_oldest' },
  ],
  ['clients.departures.told', 'Clients whose on_disconnect was answered'],
  ['clients.departures.repeated', 'Repeated attempts to run on_disconnect'],
  ['clients.departures.given_up', 'Clients whose on_disconnect was given up without an answer'],
  ['clients.transports.too_many_packets', 'Connections ended because of socketio.max_packets_per_second'],
  ['clients.transports.too_many_connections', 'Handshakes refused because of hive.max_connections_per_address'],
  ['clients.transports.too_many_handshakes', 'Handshakes refused because of hive.max_handshakes_per_address'],
  ['clients.transports.overruns', 'Connections ended because the client sent more than the relay to its node accepts'],
  ['clients.hooks.calls', 'Hook runs'],
  ['clients.hooks.errors', 'Failed hook runs'],
  ['clients.hooks.latency', 'The hooks of an event, first to last', ms],
  ['clients.hooks.<hook>', 'Runs by hook', { name: 'clients_hooks_runs' }],
  ['clients.hooks.<event>.calls', 'Hook runs by event', { name: 'clients_hooks_event_calls' }],
  ['clients.hooks.<event>.errors', 'Failed hook runs by event', { name: 'clients_hooks_event_errors' }],
  ['clients.hooks.<event>.latency', 'The hooks of one event', { ...ms, name: 'clients_hooks_event_latency' }],
  ['clients.hooks.<event>.<hook>', 'Runs by event and hook', { name: 'clients_hooks_event_runs' }],

  ['connectors.pools', 'Running pools'],
  ['connectors.requests', 'Operations on pools'],
  ['connectors.errors', 'Unknown pools, failed starts, attempts that were repeated'],
  ['connectors.uses', 'Pools looked up'],
  ['connectors.safe_transactions', 'Requests to pools'],
  ['connectors.unsafe_transactions', 'Always 0'],
  ['connectors.rents', 'Workers acquired'],
  ['connectors.returns', 'Workers released'],
  ['connectors.starts', 'Requests to start pools at run time'],
  ['connectors.stops', 'Requests to stop pools at run time'],
  ['connectors.latency', 'Requests to pools, from asking for a worker to the answer', ms],
  ['connectors.<kind>.<pool>.workers', 'Workers of a pool', { name: 'connectors_pool_workers' }],
  ['connectors.<kind>.<pool>.busy', 'Requests that have a worker', { name: 'connectors_pool_busy' }],
  ['connectors.<kind>.<pool>.capacity', 'Maximum number of workers of a pool', { name: 'connectors_pool_capacity' }],
  ['connectors.<kind>.<pool>.waiting', 'Requests that wait for a worker', { name: 'connectors_pool_waiting' }],
  ['connectors.<kind>.<pool>.connected', 'Workers that are connected', { name: 'connectors_pool_connected' }],
  ['connectors.<kind>.<pool>.requests', 'Requests to a pool', { name: 'connectors_pool_requests' }],
  ['connectors.<kind>.<pool>.errors', 'Requests to a pool that failed', { name: 'connectors_pool_errors' }],
  ['connectors.<kind>.<pool>.latency', 'Requests to a pool', { ...ms, name: 'connectors_pool_latency' }],
  ['connectors.<kind>.<pool>.<operation>', 'Operations of a pool', { name: 'connectors_pool_operations' }],

  ['pubsub.uptime', 'Time since the channel manager started', ms],
  ['pubsub.total_channels', 'Channels', { name: 'pubsub_channels' }],
  ['pubsub.requests', 'Calls of pub-sub'],
  ['pubsub.status', 'Subscribers counted'],
  ['pubsub.publish', 'Publishes made here'],
  ['pubsub.join', 'Joins'],
  ['pubsub.leave', 'Leaves'],
  ['pubsub.subscribe', 'Subscribe calls of the HTTP API'],
  ['pubsub.unsubscribe', 'Unsubscribe calls of the HTTP API'],
  ['pubsub.published_events', 'Events that this node was asked to publish or received from other nodes'],
  ['pubsub.deliveries', 'Events handed to subscribers on this node'],
  ['pubsub.missed', 'Subscriptions of this node that missed something published to their channel'],
  ['pubsub.unacknowledged', 'Publishes that other nodes have not acknowledged'],
  [
    'pubsub.unacknowledged_bytes',
    'Bytes of publishes that other nodes have not acknowledged',
    { ...bytes, name: 'pubsub_unacknowledged' },
  ],
  ['pubsub.resent', 'Publishes sent again to other nodes'],
  ['pubsub.gaps', 'Gaps of publishes that could not be kept for another node'],
  ['pubsub.dropped', 'Publishes lost in these gaps'],
  ['pubsub.confirmed', 'Publishes that all nodes confirmed'],
  ['pubsub.unconfirmed', 'Publishes that not all nodes confirmed'],
  ['pubsub.confirmation_latency', 'From accepting a publish to its confirmation by all nodes', ms],
  ['pubsub.presence.channels', 'Channels of which is known who is there'],
  ['pubsub.presence.members', 'Members of these on this node'],
  ['pubsub.presence.events', 'Changes of who is there that were told'],
  ['pubsub.history.channels', 'Histories in the memory of this node'],
  ['pubsub.history.entries', 'Entries of these'],
  ['pubsub.history.bytes', 'Bytes of these', { ...bytes, name: 'pubsub_history' }],
  ['pubsub.history.waiting', 'Publishes on their way to the homes of their channels'],
  ['pubsub.history.appended', 'Publishes that this node has numbered'],
  ['pubsub.history.moved', 'Histories sent to other nodes'],
  ['pubsub.history.resent', 'Batches of publishes sent again to homes'],
  ['pubsub.history.dropped', 'Publishes lost because too many waited for homes'],
  ['pubsub.history.repaired', 'Entries that channels here had missed and were read'],
  ['pubsub.history.replayed', 'Entries replayed to new subscribers'],
  ['pubsub.latency', 'From accepting a publish to handing it to the clients here', ms],
  ['pubsub.errors', 'Refused or failed requests'],
  ['pubsub.channels.<prefix>.total_channels', 'Channels by prefix', { name: 'pubsub_prefix_channels' }],
  ['pubsub.channels.<prefix>.subscribed_clients', 'Subscriptions by prefix', { name: 'pubsub_prefix_subscriptions' }],
  ['pubsub.channels.<prefix>.requests', 'Requests handled by channels', { name: 'pubsub_prefix_requests' }],
  ['pubsub.channels.<prefix>.errors', 'Crashes of channels', { name: 'pubsub_prefix_errors' }],
  ['pubsub.channels.<prefix>.status', 'Channels counted', { name: 'pubsub_prefix_status' }],
  ['pubsub.channels.<prefix>.subscribe', 'Subscribes by prefix', { name: 'pubsub_prefix_subscribe' }],
  ['pubsub.channels.<prefix>.unsubscribe', 'Unsubscribes by prefix', { name: 'pubsub_prefix_unsubscribe' }],
  ['pubsub.channels.<prefix>.publish', 'Publishes by prefix', { name: 'pubsub_prefix_publish' }],
  ['pubsub.channels.<prefix>.published_events', 'Events by prefix', { name: 'pubsub_prefix_published_events' }],

  ['api.idempotency.keys', 'Idempotency keys that are kept'],
  ['api.idempotency.bytes', 'Memory of their answers', { name: 'api_idempotency_answers', ...bytes }],
  ['api.idempotency.replayed', 'Calls that were answered as the first one with their key'],
  ['api.idempotency.reused', 'Calls with the key of another one'],
  ['api.idempotency.uncertain', 'Calls of which is not known whether they have been carried out'],
  ['api.requests', 'Calls of the HTTP API'],
  ['api.errors', 'Calls of the HTTP API that failed'],
  ['api.<section>.requests', 'Calls of the HTTP API by section', { name: 'api_section_requests' }],
  ['api.<section>.errors', 'Failed calls of the HTTP API by section', { name: 'api_section_errors' }],
];

const families = rows.map(([path, help, special = {}]) => {
  const { unit, scale = 1, counts = false, furtherBounds = [], member = 'node' } = special;
  const name = `hive_${special.name ?? nameOf(path)}${unit ? `_${unit}` : ''}`;
  return { path, pattern: patternOf(path), family: { name, help: `${help}.`, scale, counts, furtherBounds, member } };
});
const withLabels = families.filter(({ path }) => path.includes('<'));
const byPath = new Map(
  families.filter((family) => !withLabels.includes(family)).map(({ path, family }) => [path, { family, labels: {} }]),
);

function nameOf(path: string): string {
  return path.replace(/^hive\./, '').replaceAll(/[^a-zA-Z0-9_]/g, '_');
}

function patternOf(path: string): RegExp {
  const source = path
    .replaceAll('.', '\\.')
    .replaceAll(/<(\w+)>/g, (_, label: string) => `(?<${label}>${labels[label]})`);
  return new RegExp(`^${source}$`, 's');
}

/** Where a metric belongs. */
export function seriesOf(path: string): Series {
  const known = byPath.get(path);
  if (known) return known;
  for (const { pattern, family } of withLabels) {
    const found = pattern.exec(path);
    if (found) return { family, labels: { ...found.groups } };
  }
  // Two paths may become one name.
  return {
    family: {
      name: `hive_${nameOf(path)}`,
      help: `Metric ${path}.`,
      scale: 1,
      counts: false,
      furtherBounds: [],
      member: 'node',
    },
    labels: { path },
  };
}
