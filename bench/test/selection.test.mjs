/** What the names of the command line choose. Once `sockets` meant the contestant alone, and left out those it is compared with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contestants } from '../lib/contestants.mjs';
import { Selection } from '../lib/selection.mjs';
import { scenarios } from '../scenarios/all.mjs';

const chosen = (...names) => new Selection(names, scenarios, contestants, false);
const namesOf = ({ scenarios: wanted }) => wanted.map(({ name }) => name);

test('the start of a name chooses scenarios with all their contestants, also where a contestant is called so', () => {
  const selection = chosen('sockets');
  assert.deepEqual(namesOf(selection), ['sockets-echo', 'sockets-fan-out', 'sockets-connects']);
  assert.equal(selection.isPartial, false);
  for (const scenario of selection.scenarios) assert.ok(selection.entries(scenario).includes('ws'), scenario.name);
});

test('contestants are named beside scenarios', () => {
  const selection = chosen('sockets-echo', 'ws', 'sockets:node');
  assert.deepEqual(namesOf(selection), ['sockets-echo']);
  assert.deepEqual(selection.entries(selection.scenarios[0]), ['ws', 'sockets:node']);
  assert.equal(selection.isPartial, true);
});

test('a name of neither is refused', () => {
  assert.throws(() => chosen('socks'), /neither a scenario nor a contestant socks/);
});
