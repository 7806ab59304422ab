import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloodLog } from '../../../src/observe/floods.ts';
import { type Level, silent } from '../../../src/observe/logger.ts';
import { Counter } from '../../../src/observe/metrics.ts';

function setUp() {
  const lines: { message: string; fields: Record<string, unknown> }[] = [];
  const log = {
    ...silent,
    warning: (message: string, fields = {}) => void lines.push({ message, fields }),
    error: (message: string, fields = {}) => void lines.push({ message: `error ${message}`, fields }),
  };
  const due: (() => void)[] = [];
  const counted = new Counter();
  const floods = new FloodLog((_ms, callback) => due.push(callback), counted);
  const excess = (kind: string, source: string, level: Level = 'warning') => floods.excess(log, kind, source, level);
  const passTime = () => {
    for (const callback of due.splice(0)) callback();
  };
  const logged = (kind: string, source: string, times: number): number => {
    let count = 0;
    for (let at = 0; at < times; at += 1) if (!excess(kind, source)) count += 1;
    return count;
  };
  return { lines, due, floods, counted, excess, passTime, logged };
}

test('of a kind and source fifty lines in ten seconds are logged, and the rest is told with its reference', () => {
  const { lines, due, counted, excess, passTime, logged } = setUp();
  assert.equal(logged('a fault', 'a', 1000), 50);
  assert.equal(logged('a fault', 'b', 3), 3);
  assert.equal(logged('a failure', 'a', 3), 3);
  const rest = excess('a fault', 'a');
  assert.equal(rest?.count, 951);
  assert.equal(counted.value, 951);
  passTime();
  assert.deepEqual(lines, [
    { message: 'a fault: 951 more in 10 s', fields: { source: 'a', reference: rest?.reference } },
  ]);
  // While it goes on, those who have stopped are forgotten.
  assert.equal(due.length, 1);
  assert.equal(logged('a fault', 'a', 60), 50);
  passTime();
  assert.equal(lines.at(-1)?.message, 'a fault: 10 more in 10 s');
  passTime();
  assert.deepEqual([due.length, lines.length], [0, 2]);
});

test('a level is that of the line', () => {
  const { lines, excess, passTime } = setUp();
  for (let at = 0; at < 51; at += 1) excess('a fault', 'a', 'error');
  passTime();
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['error a fault: 1 more in 10 s'],
  );
});

test('sources without number share one account, and take no memory without end', () => {
  const { lines, due, passTime, logged } = setUp();
  let count = 0;
  for (let source = 0; source < 5000; source += 1) count += logged('a fault', `source ${source}`, 1);
  assert.equal(count, 100 + 50);
  assert.equal(due.length, 1);
  passTime();
  assert.deepEqual(
    lines.map(({ message, fields }) => [message, fields.source]),
    [['a fault: 4850 more in 10 s', 'others']],
  );
});

test('whoever comes under ever new names costs no more lines for that', () => {
  const { lines, passTime, logged } = setUp();
  let count = 0;
  for (let source = 0; source < 50; source += 1) count += logged('a fault', `source ${source}`, 20);
  assert.equal(count, 500);
  assert.equal(logged('another fault', 'source 49', 20), 20);
  passTime();
  assert.equal(lines.length, 25);
  assert.equal(logged('a fault', 'source 49', 20), 20);
});

test('what was counted is told at once when the node ends, and once only', () => {
  const { lines, floods, passTime, logged } = setUp();
  logged('a fault', 'a', 60);
  logged('another fault', 'b', 5);
  floods.settle();
  passTime();
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['a fault: 10 more until the node stopped'],
  );
});
