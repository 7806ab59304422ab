import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type EventChannel, type EventError, EventTrace, events, listen } from '../../../src/observe/events.ts';

interface Traced {
  waits: boolean;
  error: EventError | undefined;
}

const trace = new EventTrace<Traced>('hive:test');
const record = (): Traced => ({ waits: false, error: undefined });

function disposeAfter(t: TestContext, listening: Disposable): void {
  t.after(() => listening[Symbol.dispose]());
}

test('the channels are those that Node finds by their names', (t) => {
  const seen: unknown[] = [];
  const listener = (event: unknown, name: string | symbol) => void seen.push([name, event]);
  for (const name of ['hive:link_up', 'tracing:hive:hook:end']) {
    subscribe(name, listener);
    t.after(() => unsubscribe(name, listener));
  }
  const up = { node: 'a@b', peer: 'c@d', creation: 4, hive: true };
  events.linkUp.publish(up);
  assert.deepEqual(seen, [['hive:link_up', up]]);
  assert.ok(events.hook.hasSubscribers);
  assert.ok(!events.poolRequest.hasSubscribers);
});

test('a trace has a subscriber if one of its channels has', () => {
  for (const channel of [trace.start, trace.end, trace.asyncStart, trace.asyncEnd, trace.error]) {
    assert.ok(!trace.hasSubscribers);
    const listening = listen(channel as EventChannel<Traced>, () => {});
    assert.ok(trace.hasSubscribers);
    listening[Symbol.dispose]();
  }
  assert.ok(!trace.hasSubscribers);
});

test('what is traced returns, throws and waits as it does untraced', async (t) => {
  disposeAfter(
    t,
    listen(trace.start, () => {}),
  );
  assert.equal(
    trace.run(record(), () => 1),
    1,
  );
  const thrown = { odd: true };
  assert.throws(
    () =>
      trace.run(record(), () => {
        throw thrown;
      }),
    (error) => error === thrown,
  );
  assert.equal(await trace.run(record(), () => Promise.resolve(2)), 2);
  await assert.rejects(Promise.resolve(trace.run(record(), () => Promise.reject(thrown))), (error) => error === thrown);
  // biome-ignore lint/suspicious/noThenProperty: what is like a promise is waited for
  const thenable = { then: (resolve: (value: number) => void) => resolve(3) };
  const event = record();
  assert.equal(await trace.run(event, () => thenable as unknown as Promise<number>), 3);
  assert.ok(event.waits);
});

test('an error of odd make is told all the same', (t) => {
  disposeAfter(
    t,
    listen(trace.error, () => {}),
  );
  for (const [thrown, summary] of [
    [undefined, 'Error: undefined was thrown'],
    [new RangeError('far'), 'RangeError: far'],
  ]) {
    const event = record();
    assert.throws(() =>
      trace.run(event, () => {
        throw thrown;
      }),
    );
    assert.deepEqual(event.error, { code: 'internal_error', summary });
  }
});

test('a listener that throws disturbs neither the others nor who publishes; its error is a rejection that nobody waits for', async (t) => {
  const boom = new Error('boom');
  const seen: string[] = [];
  disposeAfter(
    t,
    listen(events.linkUp, () => {
      throw boom;
    }),
  );
  disposeAfter(
    t,
    listen(events.linkUp, ({ peer }) => void seen.push(peer)),
  );
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  t.after(() => {
    for (const listener of others) process.on('unhandledRejection', listener);
  });
  const rejected = once(process, 'unhandledRejection');
  events.linkUp.publish({ node: 'a@b', peer: 'c@d', creation: 4, hive: true });
  assert.deepEqual(seen, ['c@d']);
  assert.equal((await rejected)[0], boom);
});
