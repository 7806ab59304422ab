/** What another boot of a node tells of its members, put together: numbered changes, and all of them in parts when one is missing. */
import type { Change, PresenceMessage } from './wire-messages.ts';

type Numbered = Exclude<PresenceMessage, { readonly type: 'wanted' }>;

export class PresenceStream {
  /** Its members, by channel. */
  readonly members = new Map<string, Set<string>>();
  /** All of them are known, as of this number of changes. */
  #number = -1;
  /** While all of them come: those that have come. */
  #coming: Map<string, Set<string>> | undefined;
  #time = 0;
  readonly #apply: (change: Change) => void;

  /** @param apply is called with each change, and with null for whoever turns out to have gone */
  constructor(apply: (change: Change) => void) {
    this.#apply = apply;
  }

  /** Nothing is missing. */
  get isKnown(): boolean {
    return this.#number >= 0 && this.#coming === undefined;
  }

  /** From now on something may be missing. */
  doubt(): void {
    this.#number = -1;
    this.#coming = undefined;
  }

  /** False if something is missing: all of it is to be asked for. */
  take(message: Numbered): boolean {
    const { type, number } = message;
    switch (type) {
      case 'at':
        return this.#number < 0 || number === this.#number;
      case 'changes':
        // Whoever waits for all of them gets these, too.
        if (this.#number < 0) return true;
        if (number !== this.#number + 1) return false;
        this.#number = number;
        for (const change of message.changes) this.#change(change);
        return true;
      case 'part':
        if (message.begins) {
          this.#coming = new Map();
          this.#time = message.time;
          this.#number = number;
        }
        if (!this.#coming || message.time !== this.#time) return true;
        for (const change of message.changes) this.#change(change);
        if (message.ends) this.#end(this.#coming);
        return true;
    }
  }

  #change(change: Change): void {
    const [channel, sid, present] = change;
    if (present) {
      add(this.members, channel, sid);
      if (this.#coming) add(this.#coming, channel, sid);
    } else {
      remove(this.members, channel, sid);
      if (this.#coming) remove(this.#coming, channel, sid);
    }
    this.#apply(change);
  }

  /** Who has not come is not there any more. */
  #end(come: ReadonlyMap<string, ReadonlySet<string>>): void {
    this.#coming = undefined;
    for (const [channel, sids] of [...this.members]) {
      for (const sid of [...sids]) if (!come.get(channel)?.has(sid)) this.#change([channel, sid, null, false]);
    }
  }
}

function add(members: Map<string, Set<string>>, channel: string, sid: string): void {
  const sids = members.get(channel);
  if (sids) sids.add(sid);
  else members.set(channel, new Set([sid]));
}

function remove(members: Map<string, Set<string>>, channel: string, sid: string): void {
  const sids = members.get(channel);
  if (sids?.delete(sid) && sids.size === 0) members.delete(channel);
}
