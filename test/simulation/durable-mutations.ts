/** The same as mutations.ts, for sessions that outlive their nodes. */
import { ClientOutput } from '../../src/actors/client/output.ts';
import { PluginClient } from '../../src/actors/client/plugin-client.ts';
import { PeerTable } from '../../src/actors/pubsub/peers.ts';
import { PubSubService } from '../../src/actors/pubsub/pubsub.ts';
import type { RecordSource } from '../../src/sessions/durable/durable-session.ts';
import { DurableSessions } from '../../src/sessions/durable/durable-sessions.ts';
import { RedisJournal } from '../../src/sessions/durable/redis-journal.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { patched, patchedGetter } from './patched.ts';
import type { Mutation } from './simulation.ts';

/** A mutation, and with how many nodes it is noticed soonest. */
export interface DurableMutation {
  readonly nodes: number;
  readonly mutation: () => Mutation;
}

const { open } = DurableSessions.prototype;
const { beginDeparture } = PluginClient.prototype;

function by(nodes: number, patch: () => Disposable): DurableMutation {
  return { nodes, mutation: () => ({ patch }) };
}

/** By the rule that is taken out. */
export const durableMutations: Readonly<Record<string, DurableMutation>> = {
  'what is shown is stored before': by(2, () => patched(RedisJournal.prototype, 'release', (show) => show())),
  'a publish is acknowledged when it is stored': by(1, () =>
    patched(MemoryStore.prototype, 'settled', () => Promise.resolve()),
  ),
  'what others have kept for a node that is gone is asked for': by(2, () =>
    patched(PubSubService.prototype, 'keptFor', async () => []),
  ),
  'what is published is kept for boots that are gone for good': by(1, () =>
    patched(PeerTable.prototype, 'keepFormer', () => {}),
  ),
  'what others have kept is left out if it has come by itself, by the id of the publication': by(2, () =>
    patchedGetter(ClientOutput.prototype, 'sentHere', () => ({ likeness: undefined, wasSent: () => false })),
  ),
  'a session is stored before a back end hears of it': by(2, () =>
    patched(DurableSessions.prototype, 'open', async function (this: DurableSessions, source: RecordSource) {
      void open.call(this, source);
    }),
  ),
  'that a departure is told, and why, is stored before': by(1, () =>
    patched(PluginClient.prototype, 'beginDeparture', function (this: PluginClient, reason) {
      return beginDeparture.call(this, reason) && Promise.resolve(true);
    }),
  ),
  'a departure has one key, whoever tells it': by(1, () =>
    patchedGetter(PluginClient.prototype, 'idempotencyKey', function (this: PluginClient) {
      return `${this.sid}/${this.epoch}`;
    }),
  ),
};
