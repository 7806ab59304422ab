import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../../../src/observe/metrics.ts';
import { localStateManager } from '../../../../src/plugins/state-managers/local.ts';
import type { ClientState, Services, State } from '../../../../src/plugins/types.ts';

function open(initial: State, metrics = new Metrics()): ClientState {
  return localStateManager.create(null, { metrics } as unknown as Services).open('sid', initial) as ClientState;
}

test('pairs are merged into the state, values stay what they are', () => {
  const state = open({ nick: null, rooms: [] });
  state.set({ nick: '5', extra: {} });
  state.set({ rooms: ['a'] });
  assert.deepEqual(state.get(), { nick: '5', rooms: ['a'], extra: {} });
});

test('a state that was given out does not change, nor does the initial one', () => {
  const initial = { n: 1 };
  const state = open(initial);
  const before = state.get();
  state.set({ n: 2 });
  assert.deepEqual([initial, before, state.get()], [{ n: 1 }, { n: 1 }, { n: 2 }]);
});

test('a key named __proto__ is a key like any other', () => {
  const state = open({});
  state.set(JSON.parse('{"__proto__": {"admin": true}}'));
  assert.equal(JSON.stringify(state.get()), '{"__proto__":{"admin":true}}');
  assert.equal((state.get() as { admin?: boolean }).admin, undefined);
});

test('operations are counted and need no promise', () => {
  const metrics = new Metrics();
  const state = open({}, metrics);
  assert.equal(state.set({ a: 1 }), undefined);
  state.get();
  assert.equal(state.cleanup(), undefined);
  const counted = (metrics.tree()!.clients as { state_mgr: object }).state_mgr;
  assert.deepEqual({ ...counted }, { requests: 4, init: 1, get: 1, set: 1, cleanup: 1, errors: 0 });
});
