/** Clients that return wait for the node of their session if that was lost a moment ago. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ClusterTable } from '../../../../src/actors/cluster/cluster-table.ts';
import { RelayService } from '../../../../src/actors/relay/service.ts';
import { IdSource } from '../../../../src/kernel/ids.ts';
import { Kernel } from '../../../../src/kernel/kernel.ts';
import type { NodeName } from '../../../../src/kernel/types.ts';
import { silent } from '../../../../src/observe/logger.ts';
import { Metrics } from '../../../../src/observe/metrics.ts';

const other = 'other@127.0.0.1' as NodeName;
const id = new IdSource(other, 8).next();

function rig(t: TestContext): { table: ClusterTable; relays: RelayService } {
  const metrics = new Metrics();
  const kernel = new Kernel({ node: 'this@127.0.0.1', log: silent, metrics });
  t.after(() => kernel.halt());
  const table = new ClusterTable(kernel.node, kernel.creation);
  return {
    table,
    relays: new RelayService({ kernel, cluster: table, maxQueueBytes: 1_000_000, log: silent, metrics }),
  };
}

test('of a node that nobody has lost, or that has left, there is nothing to wait for', (t) => {
  const { table, relays } = rig(t);
  assert.equal(relays.awaitOwner(id), undefined);
  table.up(other, 8);
  table.down(other, true);
  assert.equal(relays.awaitOwner(id), undefined);
});

test('it is over when the node is back, as the same boot or another', async (t) => {
  const { table, relays } = rig(t);
  table.up(other, 8);
  table.down(other);
  const same = relays.awaitOwner(id);
  table.up('third@127.0.0.1' as NodeName, 1);
  table.up(other, 8);
  assert.equal(await same, other);
  table.down(other);
  const next = relays.awaitOwner(id);
  table.up(other, 9);
  assert.equal(await next, undefined);
});

test('it is over when the node is known to have died', async (t) => {
  const { table, relays } = rig(t);
  table.up(other, 8);
  table.down(other);
  const waiting = relays.awaitOwner(id);
  table.gone(other);
  assert.equal(await waiting, undefined);
  assert.equal(relays.awaitOwner(id), undefined);
});

test('it is over after two seconds, and not begun anew by who comes later', async (t) => {
  const { table, relays } = rig(t);
  table.up(other, 8);
  table.down(other);
  assert.equal(await relays.awaitOwner(id), undefined);
  assert.equal(relays.awaitOwner(id), undefined);
});
