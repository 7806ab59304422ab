/** What no schema can say: values of different sections that do not go together. */
import type { ErrorCode } from '../observe/errors.ts';
import { checkExposure } from './exposure.ts';
import { pointerTo } from './json.ts';
import { lackOfFiles } from './machine.ts';
import { completeNodeName, parseNodeAddress } from './node-name.ts';
import type { Inconsistency, Report, Severity } from './report.ts';
import { parseSubnet } from './subnets.ts';
import { suggest } from './suggest.ts';
import type { Sections } from './types.ts';

export function findInconsistencies(sections: Sections): Inconsistency[] {
  const found: Inconsistency[] = [];
  const reporter = (severity: Severity, code: ErrorCode): Report => {
    return (section, pointer, reason, value, suggestion) => {
      const hint = suggestion === undefined ? {} : { suggestion };
      found.push({ section, pointer, code, reason, value, ...hint, severity });
    };
  };
  const refuse = reporter('error', 'invalid_config');
  const warn = reporter('warning', 'invalid_config');
  checkName(sections, reporter('error', 'cluster_error'), warn);
  checkPorts(sections, refuse);
  checkPeers(sections, refuse, warn);
  checkProxies(sections, refuse, warn);
  checkTimes(sections, warn);
  checkExposure(sections, { refuse, warn, note: reporter('note', 'invalid_config') });
  checkHooks(sections, refuse);
  checkDurable(sections, refuse);
  checkHistories(sections, refuse);
  checkEvents(sections, warn);
  checkNamesOfThings(sections, warn);
  checkGauges(sections, refuse);
  const lack = lackOfFiles(sections);
  if (lack) warn('hive', '/max_client_slots', lack, sections.hive.max_client_slots);
  return found;
}

function checkDurable({ clients, connectors }: Sections, refuse: Report): void {
  if (!clients.durable) return;
  const { connector } = clients.durable;
  const { pools } = connectors;
  const pool = Object.hasOwn(pools, connector) ? pools[connector] : undefined;
  const path = '/durable/connector';
  if (!pool)
    refuse('clients', path, 'there is no pool of that name', connector, suggest(connector, Object.keys(pools)));
  else if (pool.connector !== 'connector.redis') {
    refuse('clients', path, `the pool is a ${pool.connector}, not a connector.redis`, connector);
  }
}

/** The stores of histories. */
function checkHistories({ pubsub, connectors }: Sections, refuse: Report): void {
  const { pools } = connectors;
  for (const [prefix, { history }] of Object.entries(pubsub.channels)) {
    if (!history || history.store === 'memory') continue;
    const pool = Object.hasOwn(pools, history.store) ? pools[history.store] : undefined;
    const path = `${pointerTo('/channels', prefix)}/history/store`;
    if (!pool) {
      const meant = suggest(history.store, ['memory', ...Object.keys(pools)]);
      refuse('pubsub', path, 'it is neither memory nor the name of a pool', history.store, meant);
    } else if (pool.connector !== 'connector.redis') {
      refuse('pubsub', path, `the pool is a ${pool.connector}, not a connector.redis`, history.store);
    }
  }
}

function checkName({ hive }: Sections, refuse: Report, warn: Report): void {
  const name = completeNodeName(hive.name);
  if (name === undefined) {
    refuse('hive', '/name', "this machine's host name does not make a node name of it; write id@host", hive.name);
    return;
  }
  const secured = hive.cluster_cookie !== undefined || hive.cluster_tls !== undefined;
  if (!secured && !/@(?:127\.[\d.]+|localhost)$/.test(name)) {
    warn(
      'hive',
      '/cluster_name',
      `${name} listens for other nodes beyond this machine, and whoever knows the cluster's name can join: set cluster_cookie or cluster_tls`,
    );
  }
}

interface Listener {
  readonly section: 'hive' | 'api' | 'monitor';
  readonly key: 'port' | 'health_port';
  readonly host: string;
  readonly port: number;
}

function checkPorts({ hive, api, monitor }: Sections, refuse: Report): void {
  const listeners: Listener[] = [
    { section: 'hive', key: 'port', host: hive.host, port: hive.port },
    { section: 'api', key: 'port', host: api.host, port: api.port },
    { section: 'monitor', key: 'port', host: monitor.host, port: monitor.port },
  ];
  const { health_host: healthHost = monitor.host, health_port: healthPort } = monitor;
  if (healthPort !== undefined) {
    listeners.push({ section: 'monitor', key: 'health_port', host: healthHost, port: healthPort });
  }
  for (const [index, listener] of listeners.entries()) {
    const other = listeners.slice(0, index).find((earlier) => collide(earlier, listener));
    if (other)
      refuse(
        listener.section,
        `/${listener.key}`,
        `is already the port of ${other.section}.${other.key}`,
        listener.port,
      );
  }
  const { cluster_port_min: lowest, cluster_port_max: highest } = hive;
  if (lowest > highest) {
    refuse('hive', '/cluster_port_min', `must not be above cluster_port_max (${highest})`, lowest);
    return;
  }
  const taken = new Set(listeners.map((listener) => listener.port));
  const range = Array.from({ length: Math.min(highest - lowest + 1, taken.size + 1) }, (_, index) => lowest + index);
  if (lowest > 0 && range.every((port) => taken.has(port))) {
    refuse(
      'hive',
      '/cluster_port_min',
      'the range up to cluster_port_max has no port that is not configured elsewhere',
      lowest,
    );
  }
}

function collide(a: Listener, b: Listener): boolean {
  const everywhere = (host: string) => host === '0.0.0.0' || host === '::';
  return a.port !== 0 && a.port === b.port && (a.host === b.host || everywhere(a.host) || everywhere(b.host));
}

function checkPeers({ hive }: Sections, refuse: Report, warn: Report): void {
  const self = completeNodeName(hive.name);
  const names = hive.cluster_nodes.map((node) => parseNodeAddress(node)?.name);
  if (names.length > 0 && names.every((name) => name === self)) {
    warn('hive', '/cluster_nodes', 'names only this node itself, so it connects with none', hive.cluster_nodes);
  }
  for (const [index, node] of hive.cluster_nodes.entries()) {
    if (!parseNodeAddress(node)) refuse('hive', `/cluster_nodes/${index}`, 'the port must be within 1..65535', node);
  }
}

function checkProxies({ hive }: Sections, refuse: Report, warn: Report): void {
  for (const [index, proxy] of hive.trusted_proxies.entries()) {
    const pointer = `/trusted_proxies/${index}`;
    const subnet = parseSubnet(proxy);
    if (!subnet) refuse('hive', pointer, 'must be an IP address or a range like 10.0.0.0/8 or 2001:db8::/32', proxy);
    else if (subnet.prefix === 0) warn('hive', pointer, 'trusts everybody: clients choose their addresses', proxy);
  }
}

function checkTimes({ socketio }: Sections, warn: Report): void {
  const { heartbeat_timeout: heartbeat, reconnect_timeout: reconnect } = socketio;
  if (reconnect < heartbeat) {
    const reason = `is below heartbeat_timeout (${heartbeat}): 0.9 clients will drop idle connections`;
    warn('socketio', '/reconnect_timeout', reason, reconnect);
  }
}

function checkHooks({ clients }: Sections, refuse: Report): void {
  const { hooks, max_hooks_per_event: max } = clients;
  for (const [event, list] of Object.entries(hooks)) {
    const reason = `has ${list.length} hooks, more than max_hooks_per_event (${max})`;
    if (list.length > max) refuse('clients', pointerTo('/hooks', event), reason);
  }
}

/** What the server itself calls hooks for. */
const ownEvents = ['on_connect', 'on_disconnect', 'on_terminate', 'on_suspend', 'on_recover'];
/** Socket.IO keeps these for itself: no client can send an event of that name. */
const reservedEvents = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting']);

function checkEvents({ clients }: Sections, warn: Report): void {
  for (const event of Object.keys(clients.hooks)) {
    if (ownEvents.includes(event)) continue;
    const pointer = pointerTo('/hooks', event);
    const meant = suggest(reservedEvents.has(event) ? `on_${event}` : event, ownEvents);
    if (reservedEvents.has(event)) warn('clients', pointer, 'no client can send this event', undefined, meant);
    else if (meant !== undefined && /^on/i.test(event) && Math.abs(meant.length - event.length) <= 1) {
      warn('clients', pointer, 'is none of the events of the server, which start with on_', undefined, meant);
    }
  }
}

function checkNamesOfThings({ connectors, pubsub }: Sections, warn: Report): void {
  for (const [name, pool] of Object.entries(connectors.pools)) {
    if (pool.size + pool.overflow === 0) warn('connectors', pointerTo('/pools', name), 'is a pool without workers');
  }
  for (const prefix of Object.keys(pubsub.channels)) {
    if (prefix === '' || prefix.includes('.')) {
      const reason = 'matches no channel: a prefix is the part of a channel id before the first dot';
      warn('pubsub', pointerTo('/channels', prefix), reason);
    }
  }
}

/** What has no dot is no metric, and may be the name of an alarm. Whether there is a metric of that path is seen when the node runs. */
function checkGauges({ monitor }: Sections, refuse: Report): void {
  for (const [path, threshold] of Object.entries(monitor.alarms.gauges)) {
    if (path.includes('.')) continue;
    const reason = 'is no metric: paths have dots, like plugins.shop.open_orders';
    refuse('monitor', pointerTo('/alarms/gauges', path), reason, threshold);
  }
}
