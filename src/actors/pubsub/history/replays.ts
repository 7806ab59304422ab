/**
 * Subscribers that begin with the last entries of a channel's history: what is published while these are read waits, and comes behind
 * them.
 *
 *   subscribe ──▶ read ──▶ entries, up to where the channel was ──▶ what has come meanwhile ──▶ on the fan-out
 */
import type { Ref } from '../../../kernel/types.ts';
import type { HistoryPart } from '../../../plugins/history-store.ts';
import type { Position } from '../../../plugins/types.ts';
import type { ClientDelivery } from '../../contracts.ts';

interface Held {
  readonly delivery: ClientDelivery;
  readonly position: Position | undefined;
}

/** That wait for one subscriber. Beyond, it misses some. */
const maxHeld = 10_000;

/** One subscriber. */
export class Replay {
  #held: Held[] = [];
  #isBroken = false;

  hold(delivery: ClientDelivery, position: Position | undefined): void {
    if (this.#held.length < maxHeld) this.#held.push({ delivery, position });
    else this.#isBroken = true;
  }

  /**
   * What has waited and was not among what was read.
   * @returns undefined if that is not all
   */
  behind(part: HistoryPart | undefined): readonly ClientDelivery[] | undefined {
    if (this.#isBroken) return undefined;
    const last = part?.entries.at(-1)?.offset ?? 0;
    const isNew = ({ position }: Held) => !position || position[0] !== part?.epoch || position[1] > last;
    return this.#held.filter(isNew).map(({ delivery }) => delivery);
  }
}

export type Replays = Map<Ref<ClientDelivery>, Replay>;
