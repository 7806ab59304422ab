/**
 * The actor of one channel on one node. It keeps the subscribers (in the node's index, where they survive it), watches them,
 * and passes on what is published.
 *
 * Messages: `subscribe`, `unsubscribe` (calls), `publish`, `gap`, `delivered`, `expire`; with a history `fetched`, `replayed`.
 *
 * What clients receive as it is goes to the fan-out under the id of the channel: encoded once per protocol, without a visit to
 * the clients. Actions that clients must perform go through their mailboxes. So that nothing overtakes, a client that has not
 * answered its deliveries yet is taken off the fan-out as soon as something goes there, and gets that by mailbox too:
 *
 *                actions: Delivery           packets: leaves, Delivery
 *   in the fan-out ──────────────▶ behind ──────────────────────────▶ behind, off the fan-out ──┐ further
 *      ▲                             │ all delivered                         │ all delivered   ◀┘ deliveries
 *      └─────────────────────────────┴─────────────── joins it again ────────┘
 */
import { Actor, ignore } from '../../kernel/actor.ts';
import type { Timer } from '../../kernel/timers.ts';
import { type Down, type ExitReason, type From, isPlanned, type Ref } from '../../kernel/types.ts';
import { events, type SubscribeEvent } from '../../observe/events.ts';
import type { Histogram } from '../../observe/histogram.ts';
import type { Counter } from '../../observe/metrics.ts';
import type { HistoryPart } from '../../plugins/history-store.ts';
import type { Position } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { ServerPacket } from '../../protocol/packet.ts';
import type { ClientDelivery, Fanout, Member } from '../contracts.ts';
import { Behind, type ChannelEntry, type ChannelIndex } from './channel-index.ts';
import type { ChannelMessage, ChannelPublish } from './channel-messages.ts';
import { Follower } from './history/follower.ts';
import type { Histories } from './history/history.ts';
import { Replay, type Replays } from './history/replays.ts';
import type { LocalPublisher } from './local-publisher.ts';
import type { PubSubMessage } from './messages.ts';
import { fromTerm, positionId } from './publication.ts';

export interface ChannelSetup {
  readonly index: ChannelIndex;
  readonly fanout: Fanout;
  /** What was published leaves for other nodes at once. */
  readonly flush: () => void;
  /** From the acceptance of a publication to its handing over to the clients. */
  readonly latency: Histogram;
  /** What was published, times to how many subscribers. */
  readonly deliveries: Counter;
  /** Subscriptions that were told that they miss something. */
  readonly missed: Counter;
  /** Undefined if no channel has a history. */
  readonly histories: Histories | undefined;
  readonly publisher: LocalPublisher;
  /** Whether publications have ids. */
  readonly isIdentified: boolean;
  /** Who is told that a channel has closed. */
  readonly manager: Ref<PubSubMessage>;
}

const noActions: readonly ActionCall[] = [];
/** To deliver to so many takes longer than to let what is for other nodes leave first. */
const manyMembers = 50;

export class Channel extends Actor<ChannelMessage> {
  readonly #entry: ChannelEntry;
  readonly #setup: ChannelSetup;
  readonly #monitors = new Map<Ref<ClientDelivery>, number>();
  readonly #behind: Map<Ref<ClientDelivery>, Behind>;
  /** Answers that clients owe, all of them together. */
  #owed = 0;
  #expiry: Timer | undefined;
  /** If the channel has a history. */
  readonly #follower: Follower | undefined;
  /** Subscribers that get a part of the history first. They are behind, and their replay counts as a delivery. */
  #replays: Replays | undefined;

  constructor(entry: ChannelEntry, setup: ChannelSetup) {
    super();
    this.#entry = entry;
    this.#behind = entry.behind;
    this.#setup = setup;
    if (entry.template.history) this.#follower = this.#follow();
  }

  override init(): void {
    const entry = this.#entry;
    if (this.#setup.index.get(entry.id) !== entry || entry.isServed(this.kernel)) throw ignore;
    entry.ref = this.self;
    for (const [client, member] of entry.members) {
      this.#monitors.set(client, this.monitor(client));
      member.join(entry.id); // the actor before this one may have taken it off the fan-out
    }
    // The actor before this one has not dealt with everything.
    const hasGap = entry.hasGap || entry.handled !== entry.handed;
    if (hasGap) this.#tellGap();
    if (entry.behind.size > 0) this.#forgetBehind(hasGap);
    entry.handled = entry.handed;
    if (entry.followed && entry.members.size > 0) this.#follower?.doubt();
    this.#expireIfEmpty();
  }

  receive(message: ChannelMessage, from: From | undefined): void {
    if (this.#entry.hasGap) this.#doubt();
    switch (message.type) {
      case 'publish':
        if (message.position && this.#follower) this.#follower.take(message);
        else this.#publish(message);
        this.#entry.handled += 1;
        return;
      case 'gap':
        this.#doubt();
        this.#entry.handled += 1;
        return;
      case 'delivered':
        return this.#delivered(message.client);
      case 'subscribe':
        return this.#admit(message.member, message.replay, from);
      case 'fetched':
        return this.#follower?.fetched(message.part);
      case 'replayed':
        return this.#replayed(message.client, message.replay, message.part);
      case 'unsubscribe':
        this.#entry.template.counters.requests.value += 1;
        this.#entry.template.counters.unsubscribe.value += 1;
        this.#unsubscribe(message.client);
        return from?.reply(undefined);
      case 'expire':
        return this.#expire();
      default:
        this.unexpected(message, from);
    }
  }

  /** Answers do not count: one that was refused would keep its client off the fan-out for ever. */
  override get mailboxLimit(): number {
    return super.mailboxLimit + this.#owed;
  }

  override handleDown(down: Down): void {
    this.#endReplay(down.ref);
    this.#owed -= this.#behind.get(down.ref)?.deliveries ?? 0;
    this.#behind.delete(down.ref);
    this.#monitors.delete(down.ref);
    this.#unsubscribe(down.ref);
  }

  override terminate(reason: ExitReason): void {
    if (!isPlanned(reason)) this.#entry.template.counters.errors.value += 1;
  }

  override inspect(): Record<string, unknown> {
    return { channel: this.#entry.id, subscribers: this.#entry.members.size, behind: this.#behind.size };
  }

  // --- subscribers

  #admit(member: Member, replay: number | undefined, from: From | undefined): void {
    const admit = (): void => {
      this.#subscribe(member, replay);
      from?.reply(undefined);
    };
    if (this.#follower) this.#follower.open(admit);
    else admit();
  }

  #subscribe(member: Member, replay: number | undefined): void {
    const entry = this.#entry;
    const client = member.ref;
    entry.template.counters.requests.value += 1;
    entry.template.counters.subscribe.value += 1;
    if (!this.#setup.index.subscribe(entry, member)) return;
    if (events.subscribe.hasSubscribers) events.subscribe.publish(this.#event(member));
    this.#expiry?.cancel();
    this.#expiry = undefined;
    if (!this.#monitors.has(client)) this.#monitors.set(client, this.monitor(client));
    // One that left and comes back may still have deliveries of before, even of before a crash.
    if (entry.overtaken?.delete(client)) this.#misses(member);
    const behind = this.#behind.get(client);
    if (replay && this.#follower) {
      this.#beginReplay(member, replay);
      member.changed?.();
    } else if (behind) {
      behind.offFanout = true;
      member.changed?.();
    } else {
      member.join(entry.id);
    }
  }

  #unsubscribe(client: Ref<ClientDelivery>): void {
    const member = this.#entry.members.get(client);
    if (!member) return;
    this.#setup.index.unsubscribe(this.#entry, client);
    if (this.#behind.get(client)?.offFanout) member.changed?.();
    else member.leave(this.#entry.id);
    if (events.unsubscribe.hasSubscribers) events.unsubscribe.publish(this.#event(member));
    this.#endReplay(client);
    if (!this.#behind.has(client)) this.#unwatch(client);
    this.#expireIfEmpty();
  }

  #event({ sid, ref }: Member): SubscribeEvent {
    const { id: channel, members } = this.#entry;
    return { node: this.kernel.node, channel, sid, pid: `${ref}`, subscribers: members.size };
  }

  #unwatch(client: Ref<ClientDelivery>): void {
    const monitor = this.#monitors.get(client);
    if (monitor === undefined) return;
    this.#monitors.delete(client);
    this.demonitor(monitor);
  }

  // --- publishing

  #publish({ packets, actions, id, position, acceptedAt }: ChannelPublish): void {
    if (this.#entry.members.size >= manyMembers) this.#setup.flush();
    if (packets) this.#sendPackets(packets, id, position);
    else this.#sendActions(actions, id, position);
    if (this.#entry.members.size > 0) this.#setup.latency.record(performance.now() - acceptedAt);
  }

  #sendPackets(
    packets: readonly ServerPacket[],
    publication: string | undefined,
    position: Position | undefined,
  ): void {
    const { id, members } = this.#entry;
    this.#count(packets.length);
    if (members.size === 0) return;
    if (this.#behind.size > 0) this.#deliverBehind(packets, publication, position);
    for (const packet of packets) this.#setup.fanout.publish(id, packet, publication);
  }

  #tellGap(): void {
    const entry = this.#entry;
    entry.hasGap = false;
    for (const member of entry.members.values()) this.#misses(member);
  }

  /** Whoever owed answers to the actor before this one is not waited for any more: what comes now overtakes what waits for it. */
  #forgetBehind(areTold: boolean): void {
    const entry = this.#entry;
    for (const client of this.#behind.keys()) {
      const member = entry.members.get(client);
      if (!member) entry.overtaken = (entry.overtaken ?? new WeakSet()).add(client);
      else if (!areTold) this.#misses(member);
    }
    this.#behind.clear();
  }

  #misses(member: Member): void {
    this.#setup.missed.value += 1;
    member.missed?.(this.#entry.id);
  }

  #delivery(
    actions: readonly ActionCall[],
    packets: readonly ServerPacket[] | undefined,
    id: string | undefined,
  ): ClientDelivery {
    return { type: 'published', actions, packets, channel: this.self, channelId: this.#entry.id, id };
  }

  #deliverBehind(packets: readonly ServerPacket[], id: string | undefined, position: Position | undefined): void {
    const delivery = this.#delivery(noActions, packets, id);
    for (const [client, behind] of this.#behind) {
      const member = this.#entry.members.get(client);
      if (!member) continue;
      const replay = this.#replays?.get(client);
      if (replay) {
        replay.hold(delivery, position);
        continue;
      }
      if (!behind.offFanout) {
        behind.offFanout = true;
        member.leave(this.#entry.id);
      }
      this.#deliver(member, behind, delivery);
    }
  }

  #sendActions(actions: readonly ActionCall[], id: string | undefined, position: Position | undefined): void {
    this.#count(actions.length);
    const delivery = this.#delivery(actions, undefined, id);
    for (const [client, member] of this.#entry.members) {
      const replay = this.#replays?.get(client);
      if (replay) {
        replay.hold(delivery, position);
        continue;
      }
      let behind = this.#behind.get(client);
      if (!behind) {
        behind = new Behind(false);
        this.#behind.set(client, behind);
      }
      this.#deliver(member, behind, delivery);
    }
  }

  /** A client whose mailbox is full gets nothing, and owes no answer. */
  #deliver(member: Member, behind: Behind, delivery: ClientDelivery): void {
    const client = member.ref;
    if (client.tell(delivery)) {
      member.expects?.();
      behind.deliveries += 1;
      this.#owed += 1;
      return;
    }
    this.#misses(member);
    if (behind.deliveries > 0) return;
    this.#behind.delete(client);
    if (behind.offFanout) member.join(this.#entry.id);
  }

  #delivered(client: Ref<ClientDelivery>): void {
    const behind = this.#behind.get(client);
    if (!behind) return;
    this.#owed -= 1;
    this.#answered(client, behind);
  }

  #answered(client: Ref<ClientDelivery>, behind: Behind): void {
    behind.deliveries -= 1;
    if (behind.deliveries > 0) return;
    this.#behind.delete(client);
    const member = this.#entry.members.get(client);
    if (!member) this.#unwatch(client);
    else if (behind.offFanout) member.join(this.#entry.id);
  }

  #count(events: number): void {
    const { counters } = this.#entry.template;
    counters.requests.value += 1;
    counters.publish.value += 1;
    counters.published_events.value += events;
    this.#setup.deliveries.value += events * this.#entry.members.size;
  }

  // --- the history

  #follow(): Follower {
    const { histories, publisher, isIdentified } = this.#setup;
    const entry = this.#entry;
    const { id } = entry;
    return new Follower({
      entry,
      deliver: (publish) => this.#publish(publish),
      missed: () => this.#tellGap(),
      read: (query) => histories!.read(id, query),
      publishOf: ({ content, offset }, epoch) => {
        const position: Position = [epoch, offset];
        return publisher.broadcast(fromTerm(content), isIdentified ? positionId(id, position) : undefined, position);
      },
      repaired: (entries) => histories!.repaired(entries),
      fetched: (part) => this.send<ChannelMessage>(this.self, { type: 'fetched', part }),
    });
  }

  /** Something may be lost on its way to this channel. */
  #doubt(): void {
    this.#entry.hasGap = false;
    if (this.#follower) this.#follower.doubt();
    else this.#tellGap();
  }

  #beginReplay(member: Member, count: number): void {
    const client = member.ref;
    const replay = new Replay();
    const behind = this.#behind.get(client) ?? new Behind(true);
    behind.offFanout = true;
    behind.deliveries += 1;
    this.#behind.set(client, behind);
    this.#replays ??= new Map();
    this.#replays.set(client, replay);
    const { id, followed } = this.#entry;
    const read = (part: HistoryPart | undefined) =>
      this.send<ChannelMessage>(this.self, { type: 'replayed', client, replay, part });
    this.#setup.histories!.last(id, followed, count).then(read, () => read(undefined));
  }

  #replayed(client: Ref<ClientDelivery>, replay: Replay, part: HistoryPart | undefined): void {
    if (this.#replays?.get(client) !== replay) return;
    this.#replays.delete(client);
    const behind = this.#behind.get(client)!;
    const member = this.#entry.members.get(client)!;
    const { epoch = '', entries = [] } = part ?? {};
    if (!part) this.#misses(member);
    for (const { content, offset } of entries) {
      const position: Position = [epoch, offset];
      const id = this.#setup.isIdentified ? positionId(this.#entry.id, position) : undefined;
      const { packets, actions } = this.#setup.publisher.broadcast(fromTerm(content), id, position);
      this.#deliver(member, behind, this.#delivery(packets ? noActions : actions, packets, id));
    }
    this.#setup.histories!.replayed(entries.length);
    const held = replay.behind(part);
    if (!held) this.#misses(member);
    for (const delivery of held ?? []) this.#deliver(member, behind, delivery);
    this.#answered(client, behind);
  }

  /** It is not to get the history any more. */
  #endReplay(client: Ref<ClientDelivery>): void {
    if (!this.#replays?.delete(client)) return;
    const behind = this.#behind.get(client)!;
    behind.deliveries -= 1;
    if (behind.deliveries === 0) this.#behind.delete(client);
  }

  // --- the end

  #expireIfEmpty(): void {
    const { members, template } = this.#entry;
    if (members.size > 0 || template.timeoutMs === 0 || this.#expiry) return;
    this.#expiry = this.after(template.timeoutMs, { type: 'expire' });
  }

  #expire(): void {
    // Cancelled, and perhaps started anew, while this message waited.
    if (!this.#expiry || this.#expiry.pending) return;
    this.#expiry = undefined;
    const entry = this.#entry;
    // Whoever has left and comes back is not to be overtaken either.
    if (entry.joining > 0 || this.#behind.size > 0) return this.#expireIfEmpty();
    this.#setup.index.remove(entry);
    this.send(this.#setup.manager, { type: 'closed', id: entry.id });
    this.stop();
  }
}
