/** The monitor of a real node: its metric tree, complete from the start, and every endpoint in success and failure. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seriesOf } from '../../src/observe/prometheus-families.ts';
import { version } from '../../src/version.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { metricNames, poolMetricNames } from '../support/metric-names.ts';
import { ask, type Failure, metric } from '../support/operator.ts';
import { parsePrometheus } from '../support/prometheus.ts';
import { SocketClient } from '../support/socket-clients.ts';

type Tree = { [segment: string]: Tree | number | string[] };

/** A list, or a histogram: no metric is in there. */
function isLeaf(value: Tree | string[]): value is string[] {
  return Array.isArray(value) || typeof value.p50 === 'number';
}

/** The dotted paths of all metrics. */
function paths(tree: Tree, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([segment, value]) => {
    const path = prefix === '' ? segment : `${prefix}.${segment}`;
    return typeof value === 'object' && !isLeaf(value) ? paths(value, path) : [path];
  });
}

/** The family of a metric, with and without what counters end in. */
function familyOf(path: string): RegExp {
  return new RegExp(`^${seriesOf(path).family.name}(?:_total)?$`);
}

interface Row {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** What the answer's JSON must be, or the code of its error. */
  readonly json?: unknown;
  readonly error?: string;
  readonly allow?: string;
}

const bad = 'bad_monitor_request';
const empty = { count: 0, sum: 0, p50: 0, p90: 0, p99: 0, max: 0 };
const one = { nodes: ['hive@127.0.0.1'], missing: [] };

const rows: readonly Row[] = [
  {
    title: 'one metric',
    method: 'GET',
    path: 'api.clients.requests',
    status: 200,
    json: { api: { clients: { requests: 0 } } },
  },
  {
    title: 'a section',
    method: 'GET',
    path: 'api.clients',
    status: 200,
    json: { api: { clients: { requests: 0, errors: 0 } } },
  },
  {
    title: 'a section with a trailing dot',
    method: 'GET',
    path: 'api.clients.',
    status: 200,
    json: { api: { clients: { requests: 0, errors: 0 } } },
  },
  {
    title: 'a list',
    method: 'GET',
    path: 'hive.cluster.nodes',
    status: 200,
    json: { hive: { cluster: { nodes: ['hive@127.0.0.1'] } } },
  },
  {
    title: 'a section of the cluster',
    method: 'GET',
    path: 'hive.cluster.size?cluster=true',
    status: 200,
    json: { ...one, metrics: { hive: { cluster: { size: 1 } } } },
  },
  {
    title: 'a section of each node',
    method: 'GET',
    path: 'nodes/hive.cluster.size',
    status: 200,
    json: { nodes: { 'hive@127.0.0.1': { hive: { cluster: { size: 1 } } } }, missing: [] },
  },
  {
    title: 'a histogram of each node with its buckets',
    method: 'GET',
    path: 'nodes/pubsub.latency?buckets=true',
    status: 200,
    json: {
      nodes: {
        'hive@127.0.0.1': { pubsub: { latency: { count: 0, sum: 0, p50: 0, p90: 0, p99: 0, max: 0, buckets: [] } } },
      },
      missing: [],
    },
  },
  { title: 'each node with neither', method: 'GET', path: 'nodes?buckets=1', status: 400, error: bad },
  { title: 'an unknown section of each node', method: 'GET', path: 'nodes/nothing', status: 404, error: bad },
  { title: 'more than a section of each node', method: 'GET', path: 'nodes/api/clients', status: 404, error: bad },
  { title: 'each node by DELETE', method: 'DELETE', path: 'nodes', status: 405, error: bad, allow: 'GET' },
  {
    title: 'text for Prometheus by DELETE',
    method: 'DELETE',
    path: 'prometheus',
    status: 405,
    error: bad,
    allow: 'GET',
  },
  { title: 'a part of a segment', method: 'GET', path: 'api.clie', status: 404, error: bad },
  { title: 'an unknown section', method: 'GET', path: 'nothing', status: 404, error: bad },
  { title: 'an unknown section of the cluster', method: 'GET', path: 'nothing?cluster=true', status: 404, error: bad },
  { title: 'slashes as separators', method: 'GET', path: 'api/clients', status: 404, error: bad },
  {
    title: 'a cluster that is neither true nor false',
    method: 'GET',
    path: 'api?cluster=yes',
    status: 400,
    error: bad,
  },
  { title: 'a counter set to 0', method: 'DELETE', path: 'hive.errors', status: 200 },
  {
    title: 'a counter set to 0 on all nodes',
    method: 'DELETE',
    path: 'hive.errors?cluster=true',
    status: 200,
    json: one,
  },
  { title: 'a histogram emptied', method: 'DELETE', path: 'clients.hooks.ping.latency', status: 200 },
  {
    title: 'an empty histogram',
    method: 'GET',
    path: 'pubsub.latency',
    status: 200,
    json: { pubsub: { latency: empty } },
  },
  {
    title: 'an empty histogram of the cluster',
    method: 'GET',
    path: 'pubsub.latency?cluster=true',
    status: 200,
    json: { ...one, metrics: { pubsub: { latency: empty } } },
  },
  { title: 'a part of a histogram', method: 'GET', path: 'pubsub.latency.p50', status: 404, error: bad },
  { title: 'a gauge set to 0', method: 'DELETE', path: 'clients.total', status: 400, error: bad },
  { title: 'a section set to 0', method: 'DELETE', path: 'api', status: 400, error: bad },
  { title: 'a section set to 0 on all nodes', method: 'DELETE', path: 'api?cluster=true', status: 400, error: bad },
  { title: 'everything set to 0', method: 'DELETE', path: '', status: 400, error: bad },
  { title: 'an unknown metric set to 0', method: 'DELETE', path: 'brand.new', status: 404, error: bad },
  { title: 'what a DELETE might have made', method: 'GET', path: 'brand', status: 404, error: bad },
  { title: 'a metric by POST', method: 'POST', path: 'api', status: 405, error: bad, allow: 'GET, DELETE' },
  {
    title: 'the tree to a depth that is no number',
    method: 'GET',
    path: 'supervision?depth=all',
    status: 400,
    error: bad,
  },
  {
    title: 'the tree of an unknown node',
    method: 'GET',
    path: 'supervision?node=x@127.0.0.1',
    status: 404,
    error: bad,
  },
  { title: 'the crashes of an unknown node', method: 'GET', path: 'crashes?node=x@127.0.0.1', status: 404, error: bad },
  {
    title: 'the tree of one node and of all',
    method: 'GET',
    path: 'supervision?node=hive@127.0.0.1&cluster=true',
    status: 400,
    error: bad,
  },
  { title: 'no alarms', method: 'GET', path: 'alarms', status: 200, json: { alarms: [] } },
  {
    title: 'no alarms of the cluster',
    method: 'GET',
    path: 'alarms?cluster=true',
    status: 200,
    json: { ...one, alarms: { 'hive@127.0.0.1': [] } },
  },
  {
    title: 'alarms of this node by its name',
    method: 'GET',
    path: 'alarms?node=hive@127.0.0.1',
    status: 200,
    json: { alarms: [] },
  },
  { title: 'alarms of an unknown node', method: 'GET', path: 'alarms?node=x@127.0.0.1', status: 404, error: bad },
  {
    title: 'alarms of one node and of all',
    method: 'GET',
    path: 'alarms?cluster=true&node=hive@127.0.0.1',
    status: 400,
    error: bad,
  },
  { title: 'alarms by DELETE', method: 'DELETE', path: 'alarms', status: 405, error: bad, allow: 'GET' },
  { title: 'one alarm', method: 'GET', path: 'alarms/clients', status: 404, error: bad },
  {
    title: 'a threshold',
    method: 'GET',
    path: 'hive.alarms.clients',
    status: 200,
    json: { hive: { alarms: { clients: { set: 0, threshold: 0.9 } } } },
  },
  {
    title: 'crashes of this node by its name',
    method: 'GET',
    path: 'crashes?node=hive@127.0.0.1',
    status: 200,
    json: { crashes: [] },
  },
  { title: 'a tree half flat', method: 'GET', path: 'supervision?flat=1', status: 400, error: bad },
  { title: 'the tree by DELETE', method: 'DELETE', path: 'supervision', status: 405, error: bad, allow: 'GET' },
];

describe('the monitor', () => {
  let node: DefaultNode;
  before(async () => {
    node = await DefaultNode.start((config) => {
      // However busy the machine is, nobody looks.
      config.monitor!.alarms = { interval: 3_600_000 };
      config.connectors!.pools = {
        web: {
          connector: 'connector.http',
          size: 1,
          overflow: 0,
          args: { base_url: 'http://127.0.0.1:9', max_connection_timeout: 1000, max_connections: 1 },
        },
      };
    });
  });
  after(() => node.stop());

  test('every metric is there from the start', async () => {
    const { json, type } = await ask(node, 'monitor', 'GET', '/monitor/KEY');
    assert.equal(type, 'application/json; charset=utf-8');
    const found = new Set(paths(json as Tree));
    const expected = [...metricNames, ...poolMetricNames.http.map((name) => `connectors.http.web.${name}`)];
    assert.deepEqual(
      expected.filter((name) => !found.delete(name)),
      [],
      'missing',
    );
    assert.deepEqual([...found], [], 'not in the table');
  });

  test('the metrics of each node are those of the node', async () => {
    const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY/nodes');
    const { nodes, missing } = json as { nodes: Record<string, Tree>; missing: string[] };
    assert.deepEqual([Object.keys(nodes), missing], [['hive@127.0.0.1'], []]);
    const all = (await ask(node, 'monitor', 'GET', '/monitor/KEY')).json as Tree;
    assert.deepEqual(paths(nodes['hive@127.0.0.1']!).sort(), paths(all).sort());
  });

  test('Prometheus reads what the tree shows', async () => {
    const { type, text } = await ask(node, 'monitor', 'GET', '/monitor/KEY/prometheus');
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
    const families = parsePrometheus(text);
    const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY');
    const { version: hive, node_version, sockets } = families.get('hive_info')!.samples[0]!.labels;
    assert.deepEqual([hive, node_version], [version, process.versions.node]);
    assert.match(sockets ?? '', /^\S+ .+$/);
    const health = families.get('hive_health')!.samples.map(({ labels, value }) => `${labels.state} ${value}`);
    assert.deepEqual(health, ['ready 1', 'degraded 0', 'draining 0']);
    for (const path of paths(json as Tree)) {
      assert.ok(
        [...families.keys()].some((name) => familyOf(path).test(name)),
        `${path} is there`,
      );
    }
    const samples = [...families.values()].flatMap((family) => family.samples);
    assert.deepEqual(
      samples.filter(({ labels }) => 'path' in labels),
      [],
      'every metric of the server has a family of its own',
    );
    const workers = samples.find(({ name }) => name === 'hive_connectors_pool_workers');
    assert.deepEqual(workers, {
      name: 'hive_connectors_pool_workers',
      labels: { kind: 'http', pool: 'web' },
      value: 1,
    });
    assert.ok(samples.find(({ name }) => name === 'hive_event_loop_delay_seconds_count')!.value > 0);
    assert.ok(samples.find(({ name }) => name === 'hive_uptime_seconds')!.value < 60);
  });

  for (const { title, method, path, status, json, error, allow = null } of rows) {
    test(`${title}: ${status}`, async () => {
      const given = await ask(node, 'monitor', method, `/monitor/KEY/${path}`);
      assert.equal(given.status, status, given.text);
      assert.equal(given.headers.get('allow'), allow);
      if (error !== undefined) assert.equal((given.json as Failure).error, error);
      else if (json !== undefined) assert.deepEqual(given.json, json);
      else assert.deepEqual([given.type, given.text], [null, '']);
    });
  }

  test('without the right key there is nothing to see', async () => {
    for (const path of ['/monitor', '/monitor/', '/monitor/wrong', '/monitor/wrong/supervision', '/monitor/hive']) {
      const { status, json } = await ask(node, 'monitor', 'GET', path);
      const { error, description } = json as Failure;
      assert.deepEqual({ path, status, error }, { path, status: 401, error: bad });
      assert.equal(typeof description, 'string');
    }
    assert.equal((await ask(node, 'monitor', 'GET', '/')).status, 404);
  });

  test('the key may come in a header; then the path has none', async () => {
    const headers = { authorization: `Bearer ${node.address('monitor', 'KEY').split(/:\d+/)[1]}` };
    const show = async (path: string) => (await ask(node, 'monitor', 'GET', path, undefined, headers)).json;
    assert.deepEqual(await show('/monitor/api.clients.errors'), { api: { clients: { errors: 0 } } });
    assert.ok(paths((await show('/monitor')) as Tree).length > 100);
  });

  test('gauges tell what is there now, whatever has happened to those that were', async () => {
    const read = async () => [
      await metric(node, 'clients.total'),
      await metric(node, 'clients.websocket'),
      await metric(node, 'clients.xhr_polling'),
      await metric(node, 'clients.states.waiting'),
      await metric(node, 'hive.router.current_clients'),
      await metric(node, 'pubsub.total_channels'),
      await metric(node, 'pubsub.channels.ping.subscribed_clients'),
    ];
    assert.deepEqual(await read(), [0, 0, 0, 0, 0, 0, 0]);
    const clients = [
      await SocketClient.connect('4.8 websocket', node.url),
      await SocketClient.connect('0.9 xhr-polling', node.url),
    ];
    assert.deepEqual(await read(), [2, 1, 1, 2, 2, 0, 0]);
    for (const client of clients) client.disconnect();
    await eventually(async () => (await metric(node, 'clients.total')) === 0, 'the end of the clients');
    assert.deepEqual(await read(), [0, 0, 0, 0, 0, 0, 0]);
  });

  test('the counters of an event appear when it is configured or used', async () => {
    const { json } = await ask(node, 'monitor', 'GET', '/monitor/KEY/clients.hooks.ping');
    assert.deepEqual(json, { clients: { hooks: { ping: { calls: 0, errors: 0, latency: empty } } } });
  });
});
