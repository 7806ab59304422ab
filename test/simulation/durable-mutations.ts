/** The same as mutations.ts, for sessions that outlive their nodes. */
import { PeerTable } from '../../src/actors/pubsub/peers.ts';
import { PubSubService } from '../../src/actors/pubsub/pubsub.ts';
import { RedisJournal } from '../../src/sessions/durable/redis-journal.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { patched } from './patched.ts';
import type { Mutation } from './simulation.ts';

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
};
