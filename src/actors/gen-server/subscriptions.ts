/**
 * The subscriptions of Erlang processes on this node: at most one per process and channel. They hang under the supervisor of
 * the channels and outlive the pub-sub manager, as those of clients do.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import type { AnyRef, Ref } from '../../kernel/types.ts';
import type { Memberships } from '../contracts.ts';
import type { ErlangFanout } from './fanout.ts';
import { Subscriber } from './subscriber.ts';

export interface SubscriptionsSetup {
  readonly kernel: Kernel;
  readonly memberships: Memberships;
  readonly fanout: ErlangFanout;
  readonly supervisor: Ref<SupervisorMessage>;
}

export class Subscriptions {
  readonly #setup: SubscriptionsSetup;
  readonly #present = new Map<string, Promise<Subscriber>>();

  constructor(setup: SubscriptionsSetup) {
    this.#setup = setup;
  }

  /**
   * Resolves to the actor that stands for the process, when everything published afterwards on any node reaches it.
   * @throws HiveError what pub-sub refuses
   */
  async subscribe(process: Ref<unknown>, channel: string): Promise<AnyRef> {
    const key = `${process} ${channel}`;
    let subscription = this.#present.get(key);
    if (!subscription) {
      const begun = this.#begin(process, channel, () => {
        if (this.#present.get(key) === begun) this.#present.delete(key);
      });
      this.#present.set(key, begun);
      subscription = begun;
    }
    return (await subscription).ref;
  }

  /** No effect if there is no such subscription. */
  async unsubscribe(process: Ref<unknown>, channel: string): Promise<void> {
    const key = `${process} ${channel}`;
    // One that failed told its subscriber so.
    const subscriber = await this.#present.get(key)?.catch(() => undefined);
    if (!subscriber) return;
    this.#present.delete(key);
    await this.#setup.memberships.leave(subscriber, [channel], 'private');
    await this.#setup.kernel.stop(subscriber.ref);
  }

  async #begin(process: Ref<unknown>, channel: string, ended: () => void): Promise<Subscriber> {
    const { kernel, memberships, fanout, supervisor } = this.#setup;
    const subscriber = new Subscriber(process, channel, fanout);
    try {
      const child = { id: 'subscriber', start: () => subscriber, restart: 'temporary' } as const;
      await kernel.ask(supervisor, { type: 'start_child', child });
      kernel.onExit(subscriber.ref, ended);
      await memberships.join(subscriber, [channel], 'private');
      return subscriber;
    } catch (error) {
      ended();
      if (subscriber.cell) await kernel.stop(subscriber.ref);
      throw error;
    }
  }
}
