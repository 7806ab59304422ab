import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silent } from '../../../src/observe/logger.ts';
import { RepeatedLog } from '../../../src/observe/repeated.ts';

test('the first of a kind is logged at once, the rest counted, and a kind that has ended begins anew', () => {
  const lines: unknown[] = [];
  const log = { ...silent, warning: (message: string, fields?: object) => void lines.push([message, fields]) };
  const due: (() => void)[] = [];
  const repeated = new RepeatedLog((_ms, callback) => void due.push(callback));
  const pass = () => due.shift()!();
  const warn = (kind: string, n: number) => repeated.warn(log, kind, `a ${kind}`, { n });
  for (let n = 1; n <= 3; n += 1) warn('fault', n);
  warn('failure', 1);
  assert.deepEqual(lines.splice(0), [
    ['a fault', { n: 1 }],
    ['a failure', { n: 1 }],
  ]);
  pass();
  pass();
  assert.deepEqual(lines.splice(0), [['a fault', { n: 1, times: 2 }]]);
  warn('fault', 4);
  assert.deepEqual(lines, []);
  pass();
  pass();
  assert.deepEqual(lines.splice(0), [['a fault', { n: 1, times: 1 }]]);
  assert.equal(due.length, 0);
  warn('fault', 5);
  assert.deepEqual(lines, [['a fault', { n: 5 }]]);
});

test('what was counted is told at once when the node ends, and once only', () => {
  const lines: unknown[] = [];
  const due: (() => void)[] = [];
  const log = { ...silent, warning: (message: string, fields = {}) => void lines.push([message, fields]) };
  const repeated = new RepeatedLog((_ms, callback) => {
    due.push(callback);
    return { cancel: () => void due.splice(due.indexOf(callback), 1) };
  });
  for (let n = 1; n <= 3; n += 1) repeated.warn(log, 'fault', 'a fault', { n });
  repeated.warn(log, 'failure', 'a failure', {});
  lines.length = 0;
  repeated.settle();
  // A timer would outlive the node.
  assert.deepEqual(due, []);
  assert.deepEqual(lines, [['a fault', { n: 1, times: 2 }]]);
});
