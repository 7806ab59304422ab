/**
 * A session that a node has handed over is waited for until somebody has claimed it. Old fault, which `bench deploy` found: the next boot of
 * the same node was held to be the one that had handed it over, so that whoever came back to another node waited for a minute.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import { Whereabouts } from '../../src/actors/router/whereabouts.ts';
import { IdSource, tagOf } from '../../src/kernel/ids.ts';
import type { TimingWheel } from '../../src/kernel/timers.ts';
import type { NodeName } from '../../src/kernel/types.ts';
import type { DurableSessions } from '../../src/sessions/durable/durable-sessions.ts';

const [self, other] = ['self@127.0.0.1', 'other@127.0.0.1'] as NodeName[];
const sid = new IdSource(other!, 1).next();

/** Asks Redis as soon as it is time, and is answered with these tags one after the other; then that there is no such session. */
function scene(tags: readonly string[]): { cluster: ClusterTable; whereabouts: Whereabouts } {
  const cluster = new ClusterTable(self!, 1);
  const answers = [...tags];
  const durable = {
    leaseMs: 10_000,
    has: () => false,
    locate: async () => {
      const tag = answers.shift();
      // It ends when its lease has been given up, and is back at once.
      if (tag === 'waiting') cluster.down(other!, true);
      else if (tag === tagOf(other!, 2)) cluster.up(other!, 2);
      return [tag];
    },
  };
  const whereabouts = new Whereabouts({
    cluster,
    durable: durable as unknown as DurableSessions,
    wheel: { schedule: (_ms: number, done: () => void) => setImmediate(done) } as unknown as TimingWheel,
    isHere: () => false,
    settled: () => undefined,
  });
  return { cluster, whereabouts };
}

for (const former of [other, undefined])
  test(`a session is at the next boot of the node that has handed it over (${former ?? 'the one that made it'})`, async () => {
    const { cluster, whereabouts } = scene([tagOf(other!, 1), 'waiting', tagOf(other!, 2)]);
    cluster.up(other!, 1);
    assert.equal(await whereabouts.nextHomeOf(sid, former), other);
  });

test('a session that this node has handed over may be at the node that has made it', async () => {
  const { cluster, whereabouts } = scene(['waiting', tagOf(other!, 2)]);
  cluster.up(other!, 2);
  const made = new IdSource(other!, 2).next();
  assert.equal(await whereabouts.nextHomeOf(made, self), other);
});

test('the boot that hands it over is not asked as long as it has it', async () => {
  const { cluster, whereabouts } = scene([tagOf(other!, 1), tagOf(other!, 1)]);
  cluster.up(other!, 1);
  assert.equal(await whereabouts.nextHomeOf(sid, other), undefined);
});
