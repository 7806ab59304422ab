import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { unwatchAbort, watchAbort } from '../../../src/kernel/abort-watch.ts';

function watchers(...names: string[]) {
  const told: string[] = [];
  return { told, each: names.map((name) => ({ aborted: () => void told.push(name) })) };
}

test('those who watch a signal are told once, in order, and not those who have left', () => {
  const { told, each } = watchers('a', 'b', 'c', 'd', 'e', 'f');
  const abort = new AbortController();
  for (const watcher of each) watchAbort(abort.signal, watcher);
  unwatchAbort(abort.signal, each[1]!);
  abort.abort();
  abort.abort();
  assert.deepEqual(told, ['a', 'c', 'd', 'e', 'f']);
});

test('watching again and again leaves one listener on the signal', () => {
  const { told, each } = watchers('a');
  const abort = new AbortController();
  for (let times = 0; times < 3; times += 1) {
    watchAbort(abort.signal, each[0]!);
    unwatchAbort(abort.signal, each[0]!);
  }
  assert.equal(getEventListeners(abort.signal, 'abort').length, 1);
  abort.abort();
  assert.deepEqual(told, []);
});

test('a watcher may leave, and another come, while they are told', () => {
  const { told, each } = watchers('late');
  const abort = new AbortController();
  const leaving = {
    aborted: () => {
      unwatchAbort(abort.signal, leaving);
      watchAbort(abort.signal, each[0]!);
    },
  };
  watchAbort(abort.signal, leaving);
  abort.abort();
  assert.deepEqual(told, []);
});

test('no signal, and one that is aborted already, are nothing to watch', () => {
  const { told, each } = watchers('a');
  watchAbort(undefined, each[0]!);
  unwatchAbort(undefined, each[0]!);
  watchAbort(AbortSignal.abort(), each[0]!);
  unwatchAbort(AbortSignal.abort(), each[0]!);
  assert.deepEqual(told, []);
});
