/**
 * Every wrong key and every error of a client was a line of the log: 17,800 wrong keys in three seconds, or 94,000 bad
 * events in eight, filled the disk and held up everybody else. A dashboard that watched a hung node wrote a line every second.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientServices } from '../../src/actors/client/client-services.ts';
import { publicError } from '../../src/actors/client/public-error.ts';
import { multiCall } from '../../src/actors/cluster/multi-call.ts';
import type { ClusterView } from '../../src/actors/contracts.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { FloodLog } from '../../src/observe/floods.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { RepeatedLog } from '../../src/observe/repeated.ts';

test('a client that provokes errors without end costs fifty lines, and each reference that it sees is in the log', () => {
  const references: unknown[] = [];
  const due: (() => void)[] = [];
  const floods = new FloodLog((_ms, callback) => void due.push(callback));
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

test('a node that hangs while a dashboard asks it again and again costs a line in ten seconds', async () => {
  const lines: [string, unknown][] = [];
  const due: (() => void)[] = [];
  const log: Log = { ...silent, warning: (text, fields) => void lines.push([text, fields]) };
  const kernel = {
    repeated: new RepeatedLog((_ms, callback) => void due.push(callback)),
    remote: (node: string) => node,
    ask: async (node: string) => {
      if (node === 'hung@h') throw new HiveError('timeout');
      return 'fine';
    },
  } as unknown as Kernel;
  const cluster = { nodes: () => ['good@h', 'hung@h'], missing: () => [] } as unknown as ClusterView;
  for (let at = 0; at < 10; at += 1) {
    const { replies, missing } = await multiCall({ kernel, cluster, log }, 'hive_monitor', { type: 'health' });
    assert.deepEqual([[...replies], missing], [[['good@h', 'fine']], ['hung@h']]);
  }
  const text = 'hung@h did not answer: There was no answer in time.';
  assert.deepEqual(lines, [[text, { peer: 'hung@h' }]]);
  due.shift()!();
  assert.deepEqual(lines[1], [text, { peer: 'hung@h', times: 9 }]);
});
