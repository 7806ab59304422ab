/** The same as mutations.ts, for what goes on between nodes. */
import { Confirmations } from '../../src/actors/pubsub/confirmations.ts';
import { LocalPublisher } from '../../src/actors/pubsub/local-publisher.ts';
import { Peer } from '../../src/actors/pubsub/peers.ts';
import { PublishLog } from '../../src/actors/pubsub/publish-log.ts';
import { PublishReceipts } from '../../src/actors/pubsub/publish-receipts.ts';
import { patched } from './patched.ts';
import type { Mutation } from './simulation.ts';

const { take } = PublishReceipts.prototype;
const { add, connect } = PublishLog.prototype;

/** By the rule that is taken out. */
export const linkMutations: Readonly<Record<string, () => Mutation>> = {
  'what is sent again is passed on once': () => ({
    patch: () =>
      patched(PublishReceipts.prototype, 'take', function (this: PublishReceipts, number: number, after: number) {
        const isKnown = number <= this.upTo;
        return take.call(this, number, after) || isKnown;
      }),
  }),
  'what was lost on its way is sent again when the same boot is back': () => ({
    patch: () =>
      patched(PublishLog.prototype, 'connect', function (this: PublishLog) {
        connect.call(this);
        this.taken(this.newest);
        while (this.pump());
        this.taken(Number.MAX_SAFE_INTEGER);
      }),
  }),
  'a publish is kept until the other node has dealt with it': () => ({
    patch: () =>
      patched(PublishLog.prototype, 'add', function (this: PublishLog, ...args: Parameters<PublishLog['add']>) {
        const isKept = add.apply(this, args);
        if (this.connected) this.taken(this.newest);
        return isKept;
      }),
  }),
  'what does not fit behind what is here is dropped, and asked for': () => ({
    patch: () =>
      patched(PublishReceipts.prototype, 'take', function (this: PublishReceipts, number: number) {
        return take.call(this, number, 0);
      }),
  }),
  'a lost node is held to want everything': () => ({
    patch: () =>
      patched(Peer.prototype, 'wants', function (this: Peer, prefixes: readonly string[]) {
        return this.interest?.wants(prefixes) ?? false;
      }),
  }),
  'what could not be kept is a gap, and whoever it concerns is told': () => ({
    patch: () => patched(LocalPublisher.prototype, 'missed', () => {}),
  }),
  'a publish is confirmed when the others have it': () => ({
    patch: () => patched(Confirmations.prototype, 'await', () => {}),
  }),
};
