import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DepartureTable,
  type DepartureTableSetup,
  type Outcome,
  type WaitingDeparture,
} from '../../../../src/actors/client/departure-table.ts';
import { silent } from '../../../../src/observe/logger.ts';
import { Metrics } from '../../../../src/observe/metrics.ts';

/** A table on a clock that a test turns, and what it has told at which second. */
class Rig {
  readonly metrics = new Metrics();
  readonly told: string[] = [];
  readonly forgotten: string[] = [];
  readonly table: DepartureTable;
  /** What a back end says. */
  answer: (sid: string, isLast: boolean) => Outcome | Promise<Outcome> = (_, isLast) => (isLast ? 'lost' : 'repeat');
  nowMs = 0;

  constructor(setup: Partial<DepartureTableSetup> = {}) {
    const { metrics } = this;
    const now = () => this.nowMs;
    this.table = new DepartureTable({ retryMs: 600_000, maxWaiting: 1000, metrics, log: silent, now, ...setup });
  }

  leave(sid: string, bytes = 1024): void {
    const departure: WaitingDeparture & { isOver: boolean } = {
      ...{ shortSid: sid, bytes, since: 0, dueAt: 0, repeats: 0, isBeingTold: false, isOver: false },
      outliveActor() {},
      tell: (isLast) => {
        this.told.push(`${sid} ${this.nowMs / 1000}${isLast ? ' last' : ''}`);
        return this.answer(sid, isLast);
      },
      end() {
        departure.isOver = true;
      },
      forgetState: async () => void this.forgotten.push(sid),
    };
    this.table.add(departure);
  }

  /** Goes from one to the next that is due, until a time. */
  async until(ms: number): Promise<void> {
    // What was answered meanwhile is settled first.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      const inMs = this.table.dueInMs;
      if (inMs === undefined || this.nowMs + inMs > ms) break;
      this.nowMs += inMs;
      this.table.tellDue();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.nowMs = ms;
  }

  count(name: string): number | undefined {
    return this.metrics.number(`clients.departures.${name}`);
  }
}

test('pauses double from half a second to half a minute; the attempt that begins after the time is the last', async () => {
  const rig = new Rig({ retryMs: 120_000 });
  rig.leave('a');
  await rig.until(1_000_000);
  const times = [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 61.5, 91.5];
  assert.deepEqual(rig.told, [...times.map((time) => `a ${time}`), 'a 121.5 last']);
  assert.deepEqual(rig.forgotten, ['a']);
  assert.deepEqual(
    ['waiting', 'told', 'repeated', 'given_up'].map((name) => rig.count(name)),
    [0, 0, 9, 1],
  );
});

test('once answered it is forgotten, and is not told again', async () => {
  const rig = new Rig();
  rig.leave('a');
  await rig.until(1000);
  assert.deepEqual([rig.count('waiting'), rig.count('oldest_ms'), rig.forgotten], [1, 1000, []]);
  rig.answer = () => 'told';
  await rig.until(100_000);
  assert.deepEqual(rig.told, ['a 0.5', 'a 1.5']);
  assert.deepEqual(
    ['waiting', 'oldest_ms', 'told', 'given_up'].map((name) => rig.count(name)),
    [0, 0, 1, 0],
  );
  assert.deepEqual(rig.forgotten, ['a']);
});

test('so many are told at the same time, in the order in which they have left', async () => {
  const rig = new Rig();
  const answers: (() => void)[] = [];
  rig.answer = () => new Promise((resolve) => answers.push(() => resolve('told')));
  for (let client = 0; client < 40; client += 1) rig.leave(String(client));
  await rig.until(10_000);
  assert.equal(rig.told.length, 16);
  // Nothing is due as long as nobody answers.
  assert.equal(rig.table.dueInMs, undefined);
  answers[0]!();
  await rig.until(10_000);
  assert.equal(rig.told.length, 17);
  for (let next = 1; next < 40; next += 1) {
    answers[next]!();
    await rig.until(10_000);
  }
  assert.deepEqual(
    rig.told.map((line) => Number(line.split(' ')[0])),
    Array.from({ length: 40 }, (_, client) => client),
  );
  assert.equal(rig.count('told'), 40);
});

test('the oldest makes room for one too many, and for too many bytes', async () => {
  const rig = new Rig({ maxWaiting: 2 });
  for (const sid of ['a', 'b', 'c']) rig.leave(sid);
  assert.deepEqual([rig.forgotten, rig.count('waiting'), rig.count('given_up')], [['a'], 2, 1]);
  rig.leave('large', 64 * 1024 * 1024);
  assert.deepEqual([rig.forgotten, rig.count('waiting')], [['a', 'b', 'c'], 1]);
  rig.answer = () => 'told';
  await rig.until(1000);
  assert.deepEqual(rig.told, ['large 0.5']);
});

test('one that is given up while it is told counts once, whatever the answer', async () => {
  const rig = new Rig({ maxWaiting: 1 });
  let answer = (_: Outcome): void => {};
  rig.answer = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  rig.leave('a');
  await rig.until(500);
  assert.equal(rig.table.close(), 1);
  answer('told');
  await rig.until(1000);
  assert.deepEqual(
    ['waiting', 'told', 'given_up'].map((name) => rig.count(name)),
    [0, 0, 1],
  );
  assert.deepEqual(rig.forgotten, ['a']);
});

test('a node that stops tries all at once and every second; what is left then is given up, as is what comes later', async () => {
  const rig = new Rig();
  rig.leave('a');
  await rig.until(20_000);
  rig.leave('b');
  rig.told.length = 0;
  rig.table.hurry();
  await rig.until(22_600);
  assert.deepEqual(rig.told.toSorted(), ['a 20', 'a 21', 'a 22', 'b 20', 'b 21', 'b 22']);
  let isEmpty = false;
  rig.table.onEmpty(() => {
    isEmpty = true;
  });
  assert.equal(rig.table.close(), 2);
  assert.ok(isEmpty);
  rig.leave('c');
  assert.deepEqual([rig.count('waiting'), rig.count('given_up'), rig.forgotten], [0, 3, ['a', 'b', 'c']]);
  assert.ok(rig.table.isLastAttempt);
});

test('clients whose on_disconnect runs count as departures as long as there is room for those', () => {
  const rig = new Rig({ maxWaiting: 2 });
  const [one, two, three] = [{}, {}, {}];
  for (const client of [one, two, three]) rig.table.begin(client);
  assert.equal(rig.table.departing, 2);
  rig.leave('a');
  assert.equal(rig.table.departing, 1);
  for (const client of [one, two, three, one]) rig.table.left(client);
  assert.equal(rig.table.departing, 0);
});
