import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lackOfFiles } from '../../../src/config/machine.ts';
import type { Sections } from '../../../src/config/types.ts';

function lack(slots: number, workers: number, limit: number | undefined): string | undefined {
  const pools = { 'back end': { connector: 'connector.http', size: workers, overflow: 10, args: null } };
  const sections = { hive: { max_client_slots: slots }, connectors: { pools } };
  return lackOfFiles(sections as unknown as Sections, limit);
}

test('slots that fit are not worth a word', () => {
  assert.equal(lack(10_000, 100, 1_048_576), undefined);
  assert.equal(lack(800, 0, 1024), undefined);
});

test('slots that do not fit are told with both numbers, and how many do', () => {
  assert.equal(
    lack(10_000, 90, 1024),
    'needs 10268 open files, with 268 for pools, logs and a reserve, and this process may have 1024 (ulimit -n): ' +
      'more than 756 clients will be refused',
  );
  assert.match(lack(1, 1000, 1024)!, /more than 0 clients will be refused$/);
});
