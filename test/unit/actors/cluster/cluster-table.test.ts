import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterTable } from '../../../../src/actors/cluster/cluster-table.ts';
import { IdSource } from '../../../../src/kernel/ids.ts';
import type { NodeName } from '../../../../src/kernel/types.ts';

const a = 'a@127.0.0.1' as NodeName;
const b = 'b@127.0.0.1' as NodeName;

test('a session id leads to the node whose present boot made it', () => {
  const table = new ClusterTable(a, 7);
  const own = new IdSource(a, 7).next();
  const [former, present] = [new IdSource(b, 8).next(), new IdSource(b, 9).next()];
  assert.equal(table.ownerOf(own), a);
  assert.equal(table.ownerOf(present), undefined);
  table.up(b, 8);
  assert.equal(table.ownerOf(former), b);
  table.up(b, 9);
  assert.equal(table.ownerOf(former), undefined);
  assert.equal(table.ownerOf(present), b);
  table.down(b);
  assert.equal(table.ownerOf(present), undefined);
  assert.equal(table.ownerOf('no id'), undefined);
  assert.equal(table.ownerOf(own), a);
});

test('listeners hear of each change once, and see the table after it', () => {
  const table = new ClusterTable(a, 7);
  const heard: string[] = [];
  const listening = table.listen({
    nodeUp: (node) => heard.push(`+${node} ${table.nodes().length}`),
    nodeDown: (node) => heard.push(`-${node} ${table.nodes().length}`),
  });
  table.up(b, 8);
  table.up(b, 9);
  table.down(b);
  table.down(b);
  table.up(b, 9);
  table.clear();
  listening[Symbol.dispose]();
  table.up(b, 9);
  assert.deepEqual(heard, [`+${b} 2`, `-${b} 1`, `+${b} 2`, `-${b} 1`, `+${b} 2`, `-${b} 1`]);
  assert.deepEqual(table.nodes(), [a, b]);
});

test('it is known when a node was lost that may come back, but not of one that has left or has another boot', () => {
  const table = new ClusterTable(a, 7);
  const id = new IdSource(b, 8).next();
  assert.equal(table.lostAt(id), undefined);
  table.up(b, 8);
  assert.equal(table.lostAt(id), undefined);
  table.down(b);
  assert.ok(table.lostAt(id)! <= performance.now());
  table.up(b, 8);
  assert.equal(table.lostAt(id), undefined);
  table.down(b);
  table.up(b, 9);
  assert.equal(table.lostAt(id), undefined);
  table.down(b, true);
  assert.equal(table.lostAt(new IdSource(b, 9).next()), undefined);
});

test('of a node that does not run any more it is not known that it was lost', () => {
  const table = new ClusterTable(a, 7);
  const id = new IdSource(b, 8).next();
  const gone: NodeName[] = [];
  table.listen({ nodeUp: () => {}, nodeDown: () => {}, nodeGone: (node) => gone.push(node) });
  table.up(b, 8);
  table.gone(b);
  assert.equal(table.ownerOf(id), b);
  table.down(b);
  table.gone(b);
  table.gone(b);
  assert.equal(table.lostAt(id), undefined);
  assert.deepEqual(gone, [b]);
});
