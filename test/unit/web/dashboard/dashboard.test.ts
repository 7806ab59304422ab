/** The arithmetic of the monitor's page, as the browser gets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const load = (name: string) => import(new URL(`../../../../src/web/dashboard/${name}.js`, import.meta.url).href);
const { History, together } = await load('history');
const { percentiles, since } = await load('percentiles');
const format = await load('format');

/** A histogram with so many values up to 1 ms, and so many up to 10 ms. */
function histogram(short: number, long: number) {
  const buckets = [[1, short] as const, [10, long] as const].filter(([, count]) => count > 0);
  return { count: short + long, sum: 0, p50: 1, p90: 10, p99: 10, max: long > 0 ? 10 : 1, buckets };
}

function tree({ uptime = 1000, events = 0, clients = 0, short = 0, long = 0 } = {}) {
  return {
    hive: { uptime, event_loop: { utilization: clients / 10 } },
    clients: {
      total: clients,
      events: { total: events },
      hooks: { calls: 0, latency: histogram(short, long), a: { b: { latency: histogram(short, long) } } },
    },
    connectors: {
      pools: 1,
      http: { web: { capacity: 3, workers: 2, busy: clients, waiting: 0, requests: 0, errors: 0 } },
    },
  };
}

test('rates are those since the round before, of each node and of all together', () => {
  const history = new History();
  history.add({ a: tree({ events: 100, clients: 1 }), b: tree({ events: 5, clients: 2 }) }, 10_000);
  assert.deepEqual([history.now('a').events, history.now(together).events], [null, null]);
  history.add(
    { a: tree({ uptime: 3000, events: 140, clients: 1 }), b: tree({ uptime: 3000, events: 15, clients: 2 }) },
    12_000,
  );
  assert.deepEqual([history.now('a').events, history.now('b').events, history.now(together).events], [20, 5, 25]);
  assert.deepEqual([history.now(together).clients, history.now(together).use], [3, 0.2]);
  assert.deepEqual(history.now(together).pools.get('http.web'), {
    kind: 'http',
    workers: 4,
    capacity: 6,
    busy: 3,
    waiting: 0,
    requests: 0,
    errors: 0,
  });
});

test('a node that was started anew, or is missing, has no rate', () => {
  const history = new History();
  history.add({ a: tree({ events: 100 }), b: tree({ events: 10 }) }, 10_000);
  history.add({ a: tree({ uptime: 500, events: 200 }) }, 12_000);
  assert.equal(history.now('a').events, null);
  assert.equal(history.now('b'), undefined);
  assert.deepEqual(
    history.series('b', (point: { events: number | null }) => point.events),
    [null, null],
  );
});

test('percentiles are those of what came in the last ten seconds; without, those since the start', () => {
  const history = new History();
  const at = (round: number, short: number, long: number) =>
    history.add({ a: tree({ uptime: 1000 + round * 2000, short, long }) }, round * 2000);
  at(0, 0, 100);
  at(1, 99, 101);
  const hooks = () => history.now('a').histograms.get('hooks');
  assert.deepEqual(hooks().lately, { count: 100, p50: 1, p90: 1, p99: 1 });
  assert.deepEqual([hooks().rate, hooks().ever.p50, hooks().max], [50, 10, 10]);
  assert.equal(history.now('a').histograms.get('hook a.b').lately.count, 100);
  for (let round = 2; round < 9; round += 1) at(round, 99, 101);
  assert.equal(hooks().lately, undefined);
  assert.equal(hooks().ever.count, 200);
});

test('delivery of several nodes: what is counted is added up, of ages the greatest is shown', () => {
  const of = (waiting: number, oldest: number, recovered: number) => ({
    hive: { uptime: 1000 * (1 + recovered) },
    clients: { departures: { waiting, oldest_ms: oldest }, recovery: { recovered } },
    pubsub: { gaps: recovered },
  });
  const history = new History();
  history.add({ a: of(0, 0, 0), b: of(1, 100, 1) }, 10_000);
  history.add({ a: of(2, 500, 4), b: of(3, 300, 3) }, 12_000);
  const { delivery, recovered } = history.now(together);
  const { departures, oldestDepartureMs } = delivery;
  assert.deepEqual([departures, oldestDepartureMs, delivery.recovered, recovered], [5, 500, 7, 3]);
  assert.equal(delivery.gaps, 7);
  assert.equal(history.now('b').delivery.departures, 3);
});

test('durable sessions of several nodes: of leases the shortest counts; nodes without them do not', () => {
  const of = (up: number, leftMs: number, downMs: number) => ({
    hive: { uptime: 1000 },
    clients: { durable: { up, down_ms: downMs, sessions: 5, lease: { left_ms: leftMs, owner: [`lease ${leftMs}`] } } },
  });
  const history = new History();
  history.add({ a: of(1, 900, 0), b: of(0, 0, 70), c: tree() }, 10_000);
  const { up, sessions, leaseMs, downMs, owners } = history.now(together).durable;
  assert.deepEqual([up, sessions, leaseMs, downMs, owners], [1, 10, 0, 70, ['lease 900', 'lease 0']]);
  assert.equal(history.now('c').durable, undefined);
});

test('a histogram that was emptied counts from nothing', () => {
  assert.deepEqual(since([[1, 5]], [[1, 3]]), [[1, 2]]);
  assert.deepEqual(since([[1, 2]], [[1, 3]]), [[1, 2]]);
  assert.deepEqual(since([[2, 1]], [[1, 3]]), [[2, 1]]);
  assert.deepEqual(percentiles([]), { count: 0, p50: null, p90: null, p99: null });
});

test('the history has an end', () => {
  const history = new History();
  for (let round = 0; round < 1000; round += 1) history.add({ a: tree({ uptime: round + 1 }) }, round * 2000);
  assert.equal(history.rounds.length, 151);
  for (let round = 0; round < 1000; round += 1) history.add({ a: tree({ uptime: round + 1 }) }, 2_000_000 + round);
  assert.equal(history.rounds.length, 200);
});

test('numbers are short', () => {
  const { age, bytes, count, decimal, milliseconds, percent, roundUp } = format;
  assert.deepEqual([0, 0.123, 1.26, 17.4, 64_000].map(decimal), ['0', '0.12', '1.3', '17', '64,000']);
  assert.deepEqual([0.42, 231, 1234].map(milliseconds), ['0.42 ms', '231 ms', '1.2 s']);
  assert.deepEqual([12, 128_400_000].map(bytes), ['12 B', '128 MB']);
  assert.deepEqual([5000, 65_000, 7_500_000, 90_000_000].map(age), ['5 s', '1 min', '2 h 5 min', '1 d 1 h']);
  assert.deepEqual([count(64_000), percent(0.123), count(undefined)], ['64,000', '12 %', '–']);
  assert.deepEqual([0, 0.3, 1, 24, 260].map(roundUp), [1, 0.5, 1, 25, 500]);
});
