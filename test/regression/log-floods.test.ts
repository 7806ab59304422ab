/**
 * Every wrong key and every error of a client was a line of the log: 17,800 wrong keys in three seconds, or 94,000 bad
 * events in eight, filled the disk and held up everybody else.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientServices } from '../../src/actors/client/client-services.ts';
import { publicError } from '../../src/actors/client/public-error.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { FloodLog } from '../../src/observe/floods.ts';
import { type Log, silent } from '../../src/observe/logger.ts';

test('a client that provokes errors without end costs fifty lines, and each reference that it sees is in the log', () => {
  const references: unknown[] = [];
  const due: (() => void)[] = [];
  const floods = new FloodLog((_ms, callback) => due.push(callback));
  const log: Log = {
    ...silent,
    warning: (_, fields = {}) => void references.push((fields as { reference: string }).reference),
    excess: (kind, source) => floods.excess(log, kind, source, 'warning'),
  };
  const context = { log, showsErrors: false } as unknown as ClientServices;
  const seen = new Set<string>();
  for (let at = 0; at < 10_000; at += 1) {
    const { message } = publicError(new HiveError('bad_packet', 'No.'), 'a-session-id-of-a-client', context);
    seen.add(/reference (\w+)/.exec(message)![1]!);
  }
  assert.equal(references.length, 50);
  due.shift()!();
  assert.equal(references.length, 51);
  assert.deepEqual([...seen].sort(), references.sort());
  const other = publicError(new HiveError('bad_packet', 'No.'), 'another-session-id', context);
  assert.match(other.message, /reference \w+/);
  assert.equal(references.length, 52);
});
