import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlarmSpec, Alarms, amountText, type Reading } from '../../../src/observe/alarms.ts';
import { type Log, silent } from '../../../src/observe/logger.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { fc } from '../../support/properties.ts';

/** Alarms over a value that a test sets, with a clock that it turns. */
function watched(spec: Partial<AlarmSpec> = {}, clear = 0.9) {
  const lines: { level: string; message: string; fields: Record<string, unknown> | undefined }[] = [];
  const log: Log = {
    ...silent,
    warning: (message, fields) => void lines.push({ level: 'warning', message, fields }),
    notice: (message, fields) => void lines.push({ level: 'notice', message, fields }),
  };
  const metrics = new Metrics();
  const clock = { ms: 1000 };
  let reading: Reading | undefined;
  const one: AlarmSpec = { alarm: 'clients', unit: 'share', threshold: 0.5, read: () => reading, ...spec };
  const alarms = new Alarms({ specs: [one], clear, log, metrics, now: () => clock.ms });
  const see = async (value: number | undefined, of?: string) => {
    reading = value === undefined ? undefined : { value, ...(of === undefined ? {} : { of }) };
    await alarms.look();
    return alarms.list();
  };
  return { alarms, clock, lines, metrics, see };
}

test('an alarm is set at its threshold and cleared below a lower one, each told once', async () => {
  const { clock, lines, metrics, see } = watched();
  const isSet = () => metrics.number('hive.alarms.clients.set');
  assert.deepEqual(await see(0.49), []);
  assert.equal(isSet(), 0);
  const [alarm] = await see(0.5);
  const { at, ...rest } = alarm!;
  assert.ok(Math.abs(Date.now() - at) < 60_000);
  assert.deepEqual(rest, { alarm: 'clients', unit: 'share', value: 0.5, threshold: 0.5, clear: 0.45, agoMs: 0 });
  assert.equal(isSet(), 1);
  clock.ms += 4000;
  const later = { ...alarm, value: 0.9, agoMs: 4000 };
  assert.deepEqual(await see(0.9), [later]);
  assert.deepEqual(await see(0.45), [{ ...later, value: 0.45 }], 'between the two it stays');
  clock.ms += 1000;
  assert.deepEqual(await see(0.4499), []);
  assert.equal(isSet(), 0);
  assert.equal(metrics.number('hive.alarms.clients.threshold'), 0.5);
  assert.deepEqual(await see(0.49), [], 'and between the two it stays away');
  assert.deepEqual(lines, [
    {
      level: 'warning',
      message: 'Alarm clients is set: 50 %, the threshold is 50 %',
      fields: { alarm: 'clients', value: 0.5, threshold: 0.5 },
    },
    {
      level: 'notice',
      message: 'Alarm clients is cleared: 45 % is below 45 %',
      fields: { alarm: 'clients', value: 0.4499, threshold: 0.5, clear: 0.45, lastedMs: 5000 },
    },
  ]);
});

test('an alarm tells what has the value', async () => {
  const { lines, see } = watched({ alarm: 'mailbox', unit: 'messages', threshold: 10 });
  const [alarm] = await see(12, 'root/one <a@b.1.0>');
  assert.equal(alarm?.of, 'root/one <a@b.1.0>');
  const [other] = await see(11, 'root/other <a@b.2.0>');
  assert.equal(other?.of, 'root/other <a@b.2.0>', 'the one that has it now');
  assert.equal(
    lines[0]?.message,
    'Alarm mailbox is set: 12 messages (root/one <a@b.1.0>), the threshold is 10 messages',
  );
});

test('a value that nothing can be said of leaves an alarm as it is', async () => {
  const { see } = watched();
  assert.deepEqual(await see(undefined), []);
  await see(0.7);
  assert.equal((await see(undefined))[0]?.value, 0.7);
});

test('a value that cannot be read clears its alarm, and is told of once until it can be', async () => {
  let fails = false;
  const read = () => {
    if (fails) throw new Error('the pool is gone');
    return { value: 5 };
  };
  const { lines, see } = watched({ alarm: 'plugins.shop.open', unit: 'number', threshold: 5, read });
  assert.equal((await see(0)).length, 1);
  fails = true;
  assert.deepEqual(await see(0), []);
  await see(0);
  fails = false;
  await see(0);
  fails = true;
  await see(0);
  const failed = ['notice cleared', 'warning read'];
  assert.deepEqual(
    lines.map(({ level, message }) => `${level} ${/set|cleared|read/.exec(message)?.[0]}`),
    ['warning set', ...failed, 'warning set', ...failed],
  );
  assert.match(lines[2]!.message, /^The value of the alarm plugins\.shop\.open cannot be read: .*the pool is gone/);
});

test('whatever the values, lines of the log alternate, and what is listed is what was set last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), async (values) => {
      const { alarms, lines, see } = watched();
      let isSet = false;
      for (const value of values) {
        isSet = isSet ? value >= 0.45 : value >= 0.5;
        assert.equal((await see(value)).length, Number(isSet));
      }
      assert.equal(lines.length % 2, alarms.list().length);
      assert.ok(lines.every(({ level }, at) => level === (at % 2 === 0 ? 'warning' : 'notice')));
    }),
  );
});

test('values are written as people read them', () => {
  assert.equal(amountText(0.93, { unit: 'share' }), '93 %');
  assert.equal(amountText(0.8754, { unit: 'share' }), '87.5 %');
  assert.equal(amountText(310.27, { unit: 'ms' }), '310.3 ms');
  assert.equal(amountText(12_000, { unit: 'messages' }), '12000 messages');
  assert.equal(amountText(3, { unit: 'number' }), '3');
});
