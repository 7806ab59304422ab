import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut } from '../../../src/bin/operator/cut.ts';
import { amount, bytes, duration, milliseconds } from '../../../src/bin/operator/formats.ts';
import { Readings } from '../../../src/bin/operator/readings.ts';
import { frameLines } from '../../../src/bin/top/frame.ts';
import { type NodeSample, perSecond, type Sample } from '../../../src/bin/top/sample.ts';

function node(node: string, uptime: number, events: number, rest: object = {}): NodeSample {
  const readings = new Readings({ hive: { uptime }, clients: { events: { total: events } }, ...rest });
  return { node, status: 'ready', reasons: [], version: '1.0.0', sockets: 'some', readings, alarms: [] };
}

const rate = (now: NodeSample[], before: NodeSample[]) => perSecond(now, before, 'clients.events.total');

test('rates are by the clock of each node, and added up', () => {
  const before = [node('a', 1000, 100), node('b', 50_000, 7)];
  assert.equal(rate([node('a', 3000, 140)], before), 20);
  assert.equal(rate([node('a', 3000, 140), node('b', 51_000, 12)], before), 25);
});

test('nodes that come, go or start anew make no rate of their own', () => {
  const before = [node('a', 1000, 100), node('b', 50_000, 7)];
  assert.equal(rate([node('a', 3000, 140), node('c', 10, 5000)], before), 20);
  assert.equal(rate([node('a', 500, 9000)], before), undefined);
  assert.equal(rate([], before), undefined);
});

test('a counter that was reset does not run backwards', () => {
  assert.equal(rate([node('a', 2000, 3)], [node('a', 1000, 100)]), 0);
});

test('pools are known by what they show, whatever their names', () => {
  const pool = { workers: 2, busy: 1, waiting: 0, requests: 9, errors: 3 };
  const latency = { count: 9, sum: 18, p50: 2, p90: 3, p99: 4, max: 5 };
  const connectors = { requests: 4, http: { back: { end: pool } }, redis: { db: { ...pool, connected: 0, latency } } };
  const pools = new Readings({ connectors }).pools();
  assert.deepEqual(
    pools.map(({ name, workers, errors, connected, latency }) => [name, workers, errors, connected, latency?.p99]),
    [
      ['http.back.end', 2, 3, undefined, undefined],
      ['redis.db', 2, 3, 0, 4],
    ],
  );
});

test('a frame tells that Redis is away, and cuts its lines', () => {
  const redis = { db: { workers: 2, busy: 0, waiting: 3, requests: 9, errors: 3, connected: 0 } };
  const one = node('a@b', 2000, 0, { connectors: { redis } });
  const now: Sample = { scope: 'asked', nodes: [one], total: one.readings, missing: [] };
  const frame = { before: now, now, busy: [], order: 'rate' } as const;
  const lines = frameLines(frame, 200).map(({ text }) => text);
  assert.equal(lines[0], 'a@b is ready, up 2 s, version 1.0.0');
  assert.ok(
    lines.some((line) => /^ +2 +0 +3 .* redis\.db: Redis is away$/.test(line)),
    lines.join('\n'),
  );
  // Nothing can have grown between a sample and itself.
  assert.ok(lines.includes('events      –, errors –'));
  for (const { text } of frameLines(frame, 10)) assert.ok(text.length <= 10);
});

test('a frame tells who is suspended, who returns, and what no back end has answered', () => {
  const recovery = { suspended: 9, recovered: 5, unknown: 1, ended: 2, incomplete: 0, too_much: 0 };
  const away = { count: 5, sum: 9000, p50: 1500, p90: 2000, p99: 2000, max: 2000 };
  const clients = (recovered: number) => ({
    clients: {
      total: 3,
      websocket: 1,
      xhr_polling: 1,
      events: { total: 0 },
      states: { suspended: 1 },
      recovery: { ...recovery, recovered, away },
      departures: { waiting: 4, oldest_ms: 65_000 },
    },
  });
  const sample = (one: NodeSample): Sample => ({ scope: 'asked', nodes: [one], total: one.readings, missing: [] });
  const before = sample(node('a@b', 1000, 0, clients(5)));
  const now = sample(node('a@b', 3000, 0, clients(9)));
  const lines = frameLines({ before, now, busy: [], order: 'rate' }, 200).map(({ text }) => text);
  assert.deepEqual(lines.slice(1, 4), [
    'clients     3: 1 WebSocket, 1 polling, 1 suspended',
    'returns     2/s, 3 not recovered since the start, away p50 1.5 s, p99 2 s, max 2 s',
    'departures  4 not answered by a back end, the oldest for 1 min 5 s',
  ]);
  const quiet = sample(node('a@b', 1000, 0));
  const [, first, second] = frameLines({ before: quiet, now: quiet, busy: [], order: 'rate' }, 200);
  assert.equal(first!.text, 'clients     0: 0 WebSocket, 0 polling');
  assert.match(second!.text, /^events /);
});

test('ids of clients cannot steer the terminal', () => {
  const mailbox = { length: 0, peak: 1 };
  const busy = [{ pid: '<a.1.0>', path: 'hive_root_sup/x\x1b]0;title\x07\ny', status: 'running', rate: 3, mailbox }];
  const one = node('a@b', 2000, 0);
  const now: Sample = { scope: 'asked', nodes: [one], total: one.readings, missing: [] };
  const last = frameLines({ before: now, now, busy, order: 'rate' }, 200).at(-1)!.text;
  assert.match(last, /<a\.1\.0> x\\u001b\]0;title\\u0007 y$/);
  assert.equal(cut('häßlich', 4), 'häß…');
  assert.equal(cut('kurz', 4), 'kurz');
});

test('numbers are short', () => {
  assert.deepEqual([0, 1.25, 99.94, 120.4, 9999, 12_345, 3_100_000].map(amount), [
    '0',
    '1.3',
    '99.9',
    '120',
    '9999',
    '12.3k',
    '3.1M',
  ]);
  assert.deepEqual([0, 999, 1000, 123_456_789].map(bytes), ['0 B', '999 B', '1 kB', '123 MB']);
  assert.deepEqual([0.4, 12, 2500].map(milliseconds), ['0.4 ms', '12 ms', '2.5 s']);
  assert.deepEqual([0, 59_999, 60_000, 90_061_000].map(duration), ['0 s', '59 s', '1 min', '1 d 1 h']);
});
