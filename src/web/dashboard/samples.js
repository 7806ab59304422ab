/** What the page keeps of the metric tree of one node. */

/**
 * @typedef {{ count: number, p50: number, p90: number, p99: number, max: number, buckets: [number, number][] }} Histogram
 * `buckets`: upper bound in ms, and how many
 * @typedef {{ kind: string, workers: number, capacity: number, busy: number, waiting: number, requests: number, errors: number,
 *   connected: number | undefined }} Pool
 * @typedef {ReturnType<typeof sampleOf>} Sample
 */

/** Of each kind, so many at most are kept: those used most. */
const mostKept = 100;

const isHistogram = (value) => Array.isArray(value?.buckets);

/** The value at a dotted path; where it is the prefix of another one, it is under the empty name. */
function at(tree, path) {
  let found = tree;
  for (const segment of path.split('.')) found = found?.[segment];
  return typeof found === 'object' && found !== null && '' in found ? found[''] : found;
}

function number(tree, path) {
  const found = at(tree, path);
  return typeof found === 'number' ? found : undefined;
}

/** Calls `visit` with each object of a tree and its path. Names of events and pools may have dots in them. */
function walk(tree, path, visit) {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree) || isHistogram(tree)) return;
  visit(tree, path);
  for (const [name, child] of Object.entries(tree)) walk(child, path === '' ? name : `${path}.${name}`, visit);
}

/** The histograms by what they are of: `hooks`, `hook <event>`, `pools`, `pool <kind>.<name>`, `publishes`, `confirmations`, `delay`, `away`, `stored`. */
function histogramsOf(tree) {
  const found = new Map();
  const add = (key, histogram) => isHistogram(histogram) && found.set(key, histogram);
  add('hooks', at(tree, 'clients.hooks.latency'));
  add('pools', at(tree, 'connectors.latency'));
  add('publishes', at(tree, 'pubsub.latency'));
  add('confirmations', at(tree, 'pubsub.confirmation_latency'));
  add('delay', at(tree, 'hive.event_loop.delay'));
  add('away', at(tree, 'clients.recovery.away'));
  add('stored', at(tree, 'clients.durable.journal.latency'));
  const several = new Map();
  const collect = (prefix, root) =>
    walk(root, '', (node, path) => {
      const histogram = at(node, 'latency');
      if (path !== '' && isHistogram(histogram)) several.set(`${prefix} ${path}`, histogram);
    });
  collect('hook', tree.clients?.hooks);
  collect('pool', tree.connectors);
  for (const [key, histogram] of mostOf(several, ({ count }) => count)) add(key, histogram);
  return found;
}

/** @returns {Map<string, Pool>} */
function poolsOf(tree) {
  const found = new Map();
  walk(tree.connectors, '', (node, path) => {
    if (typeof node.capacity !== 'number') return;
    const { workers = 0, capacity, busy = 0, waiting = 0, requests = 0, errors = 0, connected } = node;
    const kind = path.slice(0, path.indexOf('.'));
    found.set(path, { kind, workers, capacity, busy, waiting, requests, errors, connected });
  });
  return mostOf(found, ({ requests }) => requests);
}

function mostOf(map, measure) {
  if (map.size <= mostKept) return map;
  return new Map([...map].sort(([, a], [, b]) => measure(b) - measure(a)).slice(0, mostKept));
}

/** Where the numbers of delivery are: those that are added up for several nodes, and those of which the greatest counts. */
const deliverySums = {
  suspended: 'clients.states.suspended',
  recovered: 'clients.recovery.recovered',
  replayed: 'clients.recovery.events',
  expired: 'clients.recovery.expired',
  evicted: 'clients.recovery.evicted',
  lost: 'clients.recovery.lost',
  unknown: 'clients.recovery.unknown',
  ended: 'clients.recovery.ended',
  incomplete: 'clients.recovery.incomplete',
  tooMuch: 'clients.recovery.too_much',
  kept: 'clients.recovery.journal.entries',
  keptBytes: 'clients.recovery.journal.bytes',
  departures: 'clients.departures.waiting',
  departuresGivenUp: 'clients.departures.given_up',
  elsewhere: 'hive.relay.returned.owned',
  unacknowledged: 'pubsub.unacknowledged',
  unacknowledgedBytes: 'pubsub.unacknowledged_bytes',
  resent: 'pubsub.resent',
  gaps: 'pubsub.gaps',
  dropped: 'pubsub.dropped',
  missed: 'pubsub.missed',
  confirmed: 'pubsub.confirmed',
  unconfirmed: 'pubsub.unconfirmed',
};
const deliveryMaxima = {
  keptMs: 'clients.recovery.journal.age_ms',
  oldestDepartureMs: 'clients.departures.oldest_ms',
};

/** @typedef {Record<keyof typeof deliverySums | keyof typeof deliveryMaxima, number>} Delivery */

/** @returns {Delivery} */
function deliveryOf(tree) {
  const paths = Object.entries({ ...deliverySums, ...deliveryMaxima });
  return /** @type {Delivery} */ (Object.fromEntries(paths.map(([name, path]) => [name, number(tree, path) ?? 0])));
}

/** Of several nodes together. @param {Delivery[]} nodes @returns {Delivery} */
export function deliveryOfAll(nodes) {
  const together = deliveryOf({});
  for (const node of nodes) {
    for (const name of Object.keys(deliverySums)) together[name] += node[name];
    for (const name of Object.keys(deliveryMaxima)) together[name] = Math.max(together[name], node[name]);
  }
  return together;
}

/** Where those of durable sessions are: likewise. Of the lease the shortest counts. */
const durableSums = {
  up: 'up',
  sessions: 'sessions',
  present: 'present',
  sweeps: 'sweeps',
  claimed: 'claimed',
  contended: 'contended',
  adopted: 'adopted',
  departures: 'departures',
  failed: 'incomplete.failed',
  peers: 'incomplete.peers',
  actions: 'incomplete.actions',
  claimsLost: 'claims_lost',
  fenced: 'fenced',
  handedOver: 'handed_over',
  errors: 'errors',
  leasesLost: 'leases_lost',
  entries: 'journal.entries',
  bytes: 'journal.bytes',
  waiting: 'journal.waiting',
  unstored: 'journal.unstored',
};
const durableMaxima = { downMs: 'down_ms', waitingMs: 'journal.waiting_ms' };

/** @typedef {Record<keyof typeof durableSums | keyof typeof durableMaxima | 'leaseMs', number> & { owners: string[] }} Durable */

/** @returns {Durable | undefined} undefined of a node without durable sessions */
function durableOf(tree) {
  const root = tree.clients?.durable;
  if (typeof root?.up !== 'number') return undefined;
  const paths = Object.entries({ ...durableSums, ...durableMaxima, leaseMs: 'lease.left_ms' });
  const numbers = Object.fromEntries(paths.map(([name, path]) => [name, number(root, path) ?? 0]));
  const owners = at(root, 'lease.owner');
  return /** @type {Durable} */ ({ ...numbers, owners: Array.isArray(owners) ? owners : [] });
}

/** Of several nodes together. @param {(Durable | undefined)[]} nodes @returns {Durable | undefined} */
export function durableOfAll(nodes) {
  const [first, ...others] = nodes.filter((node) => node !== undefined);
  if (!first) return undefined;
  const all = { ...first };
  for (const node of others) {
    for (const name of Object.keys(durableSums)) all[name] += node[name];
    for (const name of Object.keys(durableMaxima)) all[name] = Math.max(all[name], node[name]);
    all.leaseMs = Math.min(all.leaseMs, node.leaseMs);
    all.owners = [...all.owners, ...node.owners];
  }
  return all;
}

/** How many alarms are set. Their names may have dots in them. */
function alarmsOf(tree) {
  let found = 0;
  walk(tree.hive?.alarms, '', (node) => {
    if (node.set === 1 && typeof node.threshold === 'number') found += 1;
  });
  return found;
}

export function sampleOf(tree) {
  return {
    uptime: number(tree, 'hive.uptime') ?? 0,
    clients: number(tree, 'clients.total') ?? 0,
    events: number(tree, 'clients.events.total') ?? 0,
    publishes: number(tree, 'pubsub.published_events') ?? 0,
    deliveries: number(tree, 'pubsub.deliveries') ?? 0,
    memory: number(tree, 'hive.memory.total') ?? 0,
    use: number(tree, 'hive.event_loop.utilization') ?? 0,
    delivery: deliveryOf(tree),
    durable: durableOf(tree),
    recovered: number(tree, 'clients.recovery.recovered') ?? 0,
    crashes: number(tree, 'hive.actors.crashes') ?? 0,
    alarms: alarmsOf(tree),
    abandoned: number(tree, 'hive.actors.abandoned') ?? 0,
    /** @type {Map<string, Histogram>} */
    histograms: histogramsOf(tree),
    pools: poolsOf(tree),
  };
}
