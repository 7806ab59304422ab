/** The same as mutations.ts, for sessions that outlive their nodes. */
import { PluginClient } from '../../src/actors/client/plugin-client.ts';
import { ClientOutput } from '../../src/actors/client/output.ts';
import { PeerTable } from '../../src/actors/pubsub/peers.ts';
import { PubSubService } from '../../src/actors/pubsub/pubsub.ts';
import { DurableSession, type RecordSource } from '../../src/sessions/durable/durable-session.ts';
import { DurableSessions } from '../../src/sessions/durable/durable-sessions.ts';
import { Lease } from '../../src/sessions/durable/lease.ts';
import { RedisJournal } from '../../src/sessions/durable/redis-journal.ts';
import { Witness } from '../../src/sessions/durable/witness.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { UnreadLives } from '../../src/sessions/prefix.ts';
import { patched, patchedGetter } from './patched.ts';
import type { Mutation } from './simulation.ts';

const { open } = DurableSessions.prototype;
const { beginDeparture } = PluginClient.prototype;

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
  'what a node has published to a session that it is about to have is not sent to it again': () => ({
    patch: () => patched(UnreadLives.prototype, 'wasSent', () => false),
  }),
  'has': () => ({
    patch: () => patched(ClientOutput.prototype, 'has', () => false),
  }),
  'all who live can be asked what they have kept, or nobody returns': () => ({
    patch: () => patched(DurableSessions.prototype, 'living', async () => []),
  }),
  'a session is stored before a back end hears of it': () => ({
    patch: () =>
      patched(DurableSessions.prototype, 'open', async function (this: DurableSessions, source: RecordSource) {
        void open.call(this, source);
      }),
  }),
  'that a departure is told is stored before': () => ({
    patch: () =>
      patched(PluginClient.prototype, 'beginDeparture', function (this: PluginClient, reason) {
        return beginDeparture.call(this, reason) && Promise.resolve(true);
      }),
  }),
  'a departure has one key, whoever tells it': () => ({
    patch: () =>
      patchedGetter(PluginClient.prototype, 'idempotencyKey', function (this: PluginClient) {
        return `${this.sid}/${this.epoch}`;
      }),
  }),
  'a node whose lease has ended asks before it shows or tells anything': () => ({
    patch: () => patched(DurableSessions.prototype, 'certainty', () => undefined),
  }),
  'nobody claims for an ended lease who has not held its own for a whole one': () => ({
    patch: () =>
      patchedGetter(Lease.prototype, 'isSettled', function (this: Lease) {
        return this.isHeld;
      }),
  }),
  'a lease that is gone never comes back': () => ({
    parts: {
      command: (command) =>
        command[0] === 'pexpire' && String(command[1]).includes(':lease:')
          ? ['eval', "redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) return 1", 1, command[1]!, command[2]!]
          : command,
    },
  }),
  'a session that somebody else has claimed ends here': () => ({
    patch: () => patched(DurableSession.prototype, 'fence', () => {}),
  }),
  'everything is stored anew at another server': () => ({
    patch: () => patched(Witness.prototype, 'hasChanged', async () => false),
  }),
};
