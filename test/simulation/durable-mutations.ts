/** The same as mutations.ts, for sessions that outlive their nodes. */
import { PeerTable } from '../../src/actors/pubsub/peers.ts';
import { PubSubService } from '../../src/actors/pubsub/pubsub.ts';
import { DeadJournal } from '../../src/sessions/durable/dead-journal.ts';
import { RedisJournal } from '../../src/sessions/durable/redis-journal.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { patched } from './patched.ts';
import type { Mutation } from './simulation.ts';

const { read } = DeadJournal;

/** By the rule that is taken out. */
export const durableMutations: Readonly<Record<string, () => Mutation>> = {
  'what is shown is stored before': () => ({
    patch: () => patched(RedisJournal.prototype, 'release', (show) => show()),
  }),
  'a publish is acknowledged when it is stored': () => ({
    patch: () => patched(MemoryStore.prototype, 'settled', () => Promise.resolve()),
  }),
  'what others have kept for a node that is gone is asked for': () => ({
    patch: () => patched(PubSubService.prototype, 'keptFor', async () => []),
  }),
  'what is published is kept for boots that are gone for good': () => ({
    patch: () => patched(PeerTable.prototype, 'keepFormer', () => {}),
  }),
  'what a node has stored is not taken a second time from those that had kept it': () => ({
    patch: () => patched(DeadJournal.prototype, 'has', () => false),
  }),
  'a node that has sent nothing has an empty journal': () => ({
    patch: () =>
      patched(DeadJournal, 'read', async (run, keys, tag) => {
        const [last] = await run([['exists', keys.last]]);
        return last === 1 ? read.call(DeadJournal, run, keys, tag) : undefined;
      }),
  }),
};
