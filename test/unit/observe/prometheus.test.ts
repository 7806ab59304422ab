import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upperBound } from '../../../src/observe/histogram.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { prometheusText } from '../../../src/observe/prometheus.ts';
import { seriesOf } from '../../../src/observe/prometheus-families.ts';
import { durableMetricNames, metricNames, optionalMetricNames, poolMetricNames } from '../../support/metric-names.ts';
import { parsePrometheus } from '../../support/prometheus.ts';

const about = { version: '1.0.0', node_version: '24.1.0', sockets: 'uWebSockets 20.57.0' };

async function scraped(metrics: Metrics) {
  const { type, text } = await prometheusText(metrics, about, { ready: false, degraded: true });
  assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
  const families = parsePrometheus(text);
  assert.deepEqual(families.get('hive_info')?.samples, [{ name: 'hive_info', labels: about, value: 1 }]);
  const states = families.get('hive_health')?.samples.map(({ labels, value }) => [labels.state, value]);
  assert.deepEqual(states, [
    ['ready', 0],
    ['degraded', 1],
  ]);
  families.delete('hive_info');
  families.delete('hive_health');
  return families;
}

test('every metric of the tree has a family with a help of its own', () => {
  const pools = Object.entries(poolMetricNames).flatMap(([kind, names]) =>
    names.map((name) => `connectors.${kind}.web.${name}`),
  );
  for (const path of [...metricNames, ...durableMetricNames, ...optionalMetricNames, ...pools]) {
    const { family, labels } = seriesOf(path);
    assert.ok(!('path' in labels), `${path} has a row`);
    assert.match(family.name, /^hive_[a-z0-9_]+(?<!_total)$/);
    assert.doesNotMatch(family.name, /_(bytes|seconds)_\1$/);
  }
});

test('counters end in _total, durations are in seconds, lists are one series each', async () => {
  const metrics = new Metrics();
  metrics.counter('hive.errors').value = 3;
  metrics.gauge('hive.uptime', () => 1500);
  metrics.gauge('hive.cpu.user', () => 250);
  metrics.gauge('hive.memory.total', () => 1024);
  metrics.gauge('hive.cluster.nodes', () => ['a@h', 'b@h']);
  const families = await scraped(metrics);
  const shown = [...families].map(([name, { type, samples }]) => [name, type, samples.map(({ value }) => value)]);
  assert.deepEqual(shown, [
    ['hive_errors_total', 'counter', [3]],
    ['hive_uptime_seconds', 'gauge', [1.5]],
    ['hive_cpu_user_seconds_total', 'counter', [0.25]],
    ['hive_memory_resident_bytes', 'gauge', [1024]],
    ['hive_cluster_node', 'gauge', [1, 1]],
  ]);
  assert.equal(families.get('hive_uptime_seconds')!.help, 'Time since the process started.');
  assert.deepEqual(
    families.get('hive_cluster_node')!.samples.map(({ labels }) => labels),
    [{ node: 'a@h' }, { node: 'b@h' }],
  );
});

test('events, pools and prefixes are labels, whatever they are called', async () => {
  const metrics = new Metrics();
  const events = ['ping', 'a.b', 'hp', 'latency', 'calls', '<event>', 'say "hi"', 'back\\slash', 'new\nline', 'ü{}='];
  for (const event of events) {
    metrics.counter(`clients.hooks.${event}.calls`);
    metrics.counter(`clients.hooks.${event}.hp.get`);
    metrics.histogram(`clients.hooks.${event}.latency`);
  }
  metrics.counter('clients.hooks.calls');
  metrics.counter('clients.hooks.hp.get');
  metrics.histogram('clients.hooks.latency');
  for (const pool of ['web', 'web.eu']) metrics.counter(`connectors.http.${pool}.sync_gets`);
  metrics.gauge('pubsub.channels.news.total_channels', () => 1);
  const families = await scraped(metrics);
  const labels = (name: string) => families.get(name)!.samples.map((sample) => sample.labels);
  assert.deepEqual(
    labels('hive_clients_hooks_event_calls_total'),
    events.map((event) => ({ event })),
  );
  assert.deepEqual(
    labels('hive_clients_hooks_event_runs_total'),
    events.map((event) => ({ event, hook: 'hp.get' })),
  );
  assert.deepEqual([...new Set(labels('hive_clients_hooks_event_latency_seconds').map(({ event }) => event))], events);
  assert.deepEqual(labels('hive_clients_hooks_calls_total'), [{}]);
  assert.deepEqual(labels('hive_clients_hooks_runs_total'), [{ hook: 'hp.get' }]);
  assert.deepEqual(labels('hive_connectors_pool_operations_total'), [
    { kind: 'http', pool: 'web', operation: 'sync_gets' },
    { kind: 'http', pool: 'web.eu', operation: 'sync_gets' },
  ]);
  assert.deepEqual(labels('hive_pubsub_prefix_channels'), [{ prefix: 'news' }]);
});

test('histograms have exact cumulative buckets in seconds', async () => {
  const metrics = new Metrics();
  const latency = metrics.histogram('pubsub.latency');
  for (const ms of [0.004, 0.2, 0.3, 2.4, 2.6, 70_000]) latency.record(ms);
  const { samples } = (await scraped(metrics)).get('hive_pubsub_latency_seconds')!;
  const below = Object.fromEntries(samples.map(({ name, labels, value }) => [labels.le ?? name, value]));
  assert.deepEqual(
    ['0.00001', '0.00025', '0.0005', '0.0025', '0.005', '60', '+Inf'].map((le) => below[String(Number(le) || le)]),
    [1, 2, 3, 4, 5, 5, 6],
  );
  assert.equal(below.hive_pubsub_latency_seconds_count, 6);
  assert.ok(Math.abs(below.hive_pubsub_latency_seconds_sum! - 70.005504) < 1e-9);
  const ends = new Set(Array.from({ length: 820 }, (_, bucket) => upperBound(bucket)));
  for (const { labels } of samples.filter(({ labels }) => labels.le && labels.le !== '+Inf')) {
    assert.ok(ends.has(Math.round(Number(labels.le) * 1e6) / 1000), `${labels.le} s is the end of a bucket`);
  }
});

test('times that may be long have bounds for them', async () => {
  const metrics = new Metrics();
  for (const ms of [90_000, 500_000]) metrics.histogram('clients.recovery.away').record(ms);
  const { samples } = (await scraped(metrics)).get('hive_clients_recovery_away_seconds')!;
  const below = Object.fromEntries(samples.map(({ labels, value }) => [labels.le, value]));
  assert.deepEqual(
    ['60', '120', '300', '600', '+Inf'].map((le) => below[le]),
    [0, 1, 1, 2, 2],
  );
});

test('metrics of plugins have their path as name and label, and spoil nothing', async () => {
  const metrics = new Metrics();
  metrics.counter('plugins.weather.calls').value = 1;
  metrics.gauge('plugins.a-b', () => 1);
  metrics.gauge('plugins.a.b', () => 2);
  metrics.histogram('plugins.a_b').record(1);
  const families = await scraped(metrics);
  assert.deepEqual(
    [...families.keys()],
    ['hive_plugins_weather_calls_total', 'hive_plugins_a_b', 'hive_plugins_a_b_histogram'],
  );
  assert.deepEqual(
    families.get('hive_plugins_a_b')!.samples.map(({ labels }) => labels),
    [{ path: 'plugins.a-b' }, { path: 'plugins.a.b' }],
  );
});
