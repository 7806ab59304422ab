import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../../src/observe/metrics.ts';

const plain = (tree: unknown) => JSON.parse(JSON.stringify(tree)) as unknown;
const empty = { count: 0, sum: 0, p50: 0, p90: 0, p99: 0, max: 0 };
const once = (ms: number) => ({ count: 1, sum: ms, p50: ms, p90: ms, p99: ms, max: ms });

test('counters, gauges and histograms are leaves of one tree', () => {
  const metrics = new Metrics();
  metrics.counter('a.calls').value += 2;
  metrics.gauge('a.nodes', () => ['x']);
  metrics.histogram('a.latency').record(3);
  assert.deepEqual(plain(metrics.tree()), { a: { calls: 2, nodes: ['x'], latency: once(3) } });
  assert.deepEqual(plain(metrics.tree('a.latency')), { a: { latency: once(3) } });
  assert.equal(metrics.tree('a.latency.p50'), undefined);
});

test('a histogram whose path is a prefix of other metrics is found under the empty name', () => {
  for (const first of ['latency', 'latency.calls'] as const) {
    const metrics = new Metrics();
    if (first === 'latency') metrics.histogram('hooks.latency').record(1);
    metrics.counter('hooks.latency.calls');
    metrics.histogram('hooks.latency').record(1);
    metrics.reset('hooks.latency');
    metrics.histogram('hooks.latency.latency');
    assert.deepEqual(plain(metrics.tree()), { hooks: { latency: { '': empty, calls: 0, latency: empty } } });
  }
});

test('a name is that of one kind of metric', () => {
  const metrics = new Metrics();
  const histogram = metrics.histogram('a');
  assert.equal(metrics.histogram('a'), histogram);
  assert.throws(() => metrics.counter('a'), /metric a is no counter/);
  metrics.counter('b');
  assert.throws(() => metrics.histogram('b'), /metric b is no histogram/);
});

test('histograms can be emptied and removed', () => {
  const metrics = new Metrics();
  metrics.histogram('pool.latency').record(1);
  assert.equal(metrics.reset('pool.latency'), true);
  assert.deepEqual(plain(metrics.tree()), { pool: { latency: empty } });
  metrics.remove('pool');
  assert.equal(metrics.tree(), undefined);
});

test('over several nodes numbers are added, some are the greatest, lists united, histograms added', () => {
  const nodes = [1, 2].map((ms) => {
    const metrics = new Metrics();
    metrics.counter('calls').value += ms;
    metrics.gauge('uptime', () => ms, 'max');
    metrics.gauge('names', () => [`node${ms}`]);
    metrics.histogram('latency').record(ms);
    return metrics;
  });
  const together = nodes[0]!.together(nodes.map((metrics) => metrics.values()));
  const latency = { count: 2, sum: 3, p50: 1.1, p90: 2, p99: 2, max: 2 };
  assert.deepEqual(plain(together), { calls: 3, uptime: 2, names: ['node1', 'node2'], latency });
});
