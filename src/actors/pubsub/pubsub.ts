/**
 * Publish/subscribe, as the rest of the system uses it. A client that has joined a channel receives what is published to the
 * channel or to any dotted prefix of its id, on whichever node.
 *
 *   join     ──▶ channel actor here, announced to all nodes ──▶ done
 *   publish  ──▶ channels here, at once
 *            └─▶ manager of each node that has such channels ──▶ its channels
 *
 * Promises:
 *  - When `join` has resolved, what is published afterwards on any connected node that is not behind reaches the client, once per
 *    channel. A node that does not take note within two seconds is behind until it answers, and then told everything; lines
 *    in the log say so.
 *  - What one publisher publishes to one channel, through one node, reaches each client in that order. The same through several
 *    nodes, if each publish is confirmed (`publishConfirmed`) before the next is made; but not at a node that has not confirmed.
 *  - A connection that is lost and comes back, with the same boot of the other node, loses nothing: links.ts. What cannot be kept is
 *    a gap, and whoever may miss something is told (`Member.missed`).
 *  - Subscriptions outlive crashes of channels and of the manager. What was on its way through a crashed channel is a gap.
 */
import type { Config } from '../../config/types.ts';
import type { Actor } from '../../kernel/actor.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import { isGone, type NodeName, type Ref } from '../../kernel/types.ts';
import { type HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { HistoryStore } from '../../plugins/history-store.ts';
import { epochAfter } from '../../plugins/history-stores/epochs.ts';
import { MemoryHistories } from '../../plugins/history-stores/memory.ts';
import type {
  HistoryPage,
  HistoryPageQuery,
  Position,
  PresenceList,
  Privilege,
  Publication,
  PubSub,
} from '../../plugins/types.ts';
import type { Unconfirmed } from '../../web/api/api-host.ts';
import { refusedId } from '../channel-ids.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import type { ChannelRow, ConfirmedPublishing, Fanout, KeptPublish, Member } from '../contracts.ts';
import { ErlangFanout } from '../gen-server/fanout.ts';
import type { GenServerApi } from '../gen-server/gen-server-api.ts';
import { pubsubApi } from '../gen-server/handlers.ts';
import { Subscriptions } from '../gen-server/subscriptions.ts';
import type { PageRequest } from '../pages.ts';
import { together } from '../unconfirmed.ts';
import { byPrefix, type ChannelEntry, ChannelIndex } from './channel-index.ts';
import { ClientLimits } from './client-limits.ts';
import { Histories } from './history/history.ts';
import { HistoryActor } from './history/history-actor.ts';
import { historyPage } from './history/pages.ts';
import type { HistoryMessage } from './history/wire-messages.ts';
import type { LinkSettings } from './link-settings.ts';
import { Links } from './links.ts';
import { channelsUnder, subscriptionsUnder } from './listing.ts';
import { LocalPublisher, type PacketsFor } from './local-publisher.ts';
import { managerName, PubSubManager } from './manager.ts';
import type { PubSubMessage } from './messages.ts';
import { bootOf } from './peers.ts';
import { PresenceService, type PresenceSetup } from './presence/presence.ts';
import { PresenceActor } from './presence/presence-actor.ts';
import type { PresenceMessage } from './presence/wire-messages.ts';
import { fromTerm, positionId } from './publication.ts';
import { type HistoryStores, Templates } from './templates.ts';
import type { PublishMessage } from './wire-messages.ts';

export interface PubSubSetup {
  readonly kernel: Kernel;
  readonly config: Config['pubsub'];
  readonly links: LinkSettings;
  readonly cluster: ClusterTable;
  readonly fanout: Fanout;
  readonly packetsFor: PacketsFor;
  /** The dynamic (or partition) supervisor of the channels, by name. */
  readonly channelSupervisor: Ref<SupervisorMessage>;
  /** Stores of histories but `memory`. */
  readonly historyStores?: (name: string) => HistoryStore;
  /** How long members of lost nodes count as present, and whether their sessions may go on elsewhere. */
  readonly presence?: Pick<PresenceSetup, 'graceMs' | 'isDurable'>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** A channel may crash between being opened and being joined; it is not tried for ever. */
const attempts = 3;

export class PubSubService implements PubSub, ConfirmedPublishing {
  readonly #setup: PubSubSetup;
  readonly #index = new ChannelIndex();
  readonly #links: Links;
  readonly #templates: Templates;
  readonly #limits: ClientLimits;
  readonly #publisher: LocalPublisher;
  readonly #manager: Ref<PubSubMessage>;
  readonly #counters: Record<'requests' | 'errors' | 'status' | 'publish' | 'join' | 'leave', Counter>;
  readonly #casts: Counter;
  readonly #erlang: GenServerApi;
  /** Undefined if no channel has one. */
  readonly #histories: Histories | undefined;
  /** Undefined if nobody is told who is in any channel. */
  readonly #presence: PresenceService | undefined;

  constructor(setup: PubSubSetup) {
    const { kernel, config, cluster, packetsFor, metrics } = setup;
    const fanout = new ErlangFanout(setup.fanout);
    this.#setup = { ...setup, fanout };
    const subscriptions = new Subscriptions({ kernel, memberships: this, fanout, supervisor: setup.channelSupervisor });
    this.#erlang = pubsubApi(this, subscriptions, setup.log);
    const newEpoch = (channel: string): string => epochAfter(this.#index.get(channel)?.followed?.[0], kernel.creation);
    const memory = new MemoryHistories({ maxBytes: config.history_max_bytes, newEpoch });
    const stores: HistoryStores = (name) => {
      const store = name === 'memory' ? memory : setup.historyStores!(name);
      return { store, isLocal: store === memory };
    };
    this.#templates = new Templates(config.channels, metrics, stores);
    this.#limits = new ClientLimits(config, this.#index);
    this.#publisher = new LocalPublisher(kernel.node, this.#index, packetsFor, metrics);
    this.#manager = kernel.remote(kernel.node, managerName);
    this.#counters = metrics.counters('pubsub', ['requests', 'errors', 'status', 'publish', 'join', 'leave']);
    metrics.counters('pubsub', ['subscribe', 'unsubscribe']); // those who serve API requests count them
    this.#casts = metrics.counter('hive.cluster.casts');
    metrics.gauge('pubsub.total_channels', () => this.#index.size);
    this.#links = new Links({ ...setup.links, kernel, managerName, log: setup.log, metrics });
    cluster.listen({
      nodeUp: (node, creation) => this.#nodeUp(node, creation),
      nodeDown: (node, hasLeft) => this.#links.down(node, hasLeft),
    });
    if (this.#templates.havePresence) this.#presence = this.#newPresence();
    if (this.#templates.haveHistory) this.#histories = this.#newHistories(memory);
  }

  #newPresence(): PresenceService {
    const { kernel, cluster, presence: settings = { graceMs: 5000, isDurable: false }, metrics } = this.#setup;
    const presence = new PresenceService({
      ...settings,
      kernel,
      cluster,
      channelsOf: (member) => this.#index.of(member.ref).filter(({ template }) => template.presence),
      send: (channel, packet) => {
        if (this.#templates.of(channel)?.presence?.events) this.#publisher.toOne(channel, packet);
      },
      metrics,
    });
    this.#index.presence = presence;
    return presence;
  }

  #newHistories(memory: MemoryHistories): Histories {
    const { kernel, cluster, links, log, metrics } = this.#setup;
    return new Histories({
      kernel,
      boot: bootOf(kernel.node, kernel.creation),
      cluster,
      templates: this.#templates,
      memory,
      publish: (channel, privilege, publication, position, confirm) =>
        this.#passOn(channel, privilege, publication, position, confirm),
      below: (prefix) => this.#below(prefix),
      isWanted: (channel) => this.#index.get(channel) !== undefined || this.#links.wants(channel),
      maxBytes: links.maxBytes,
      log,
      metrics,
    });
  }

  /** A node that starts is connected before its manager runs: whoever publishes elsewhere need not wait for that. */
  #nodeUp(node: NodeName, creation: number): void {
    this.#links.up(node, creation);
    if (this.#index.size === 0) this.#links.wantsNothing(node);
  }

  /** The manager's actor, a new one for each start: the child `hive_pubsub`, to be started after the channels' supervisor. */
  manager(): Actor<PubSubMessage> {
    return new PubSubManager({
      ...this.#setup,
      index: this.#index,
      links: this.#links,
      histories: this.#histories,
      templates: this.#templates,
      publisher: this.#publisher,
      erlang: this.#erlang,
    });
  }

  /** The actor `hive_history`, a new one for each start; undefined if no channel has a history. */
  get historian(): (() => Actor<HistoryMessage>) | undefined {
    const histories = this.#histories;
    return histories && (() => new HistoryActor(histories));
  }

  /** The actor `hive_presence`, a new one for each start; undefined if nobody is told who is in any channel. */
  get presenceActor(): (() => Actor<PresenceMessage>) | undefined {
    const presence = this.#presence;
    return presence && (() => new PresenceActor(presence));
  }

  shown(member: Member): void {
    this.#presence?.changed(member);
  }

  /**
   * Who is in a channel, on all nodes.
   * @throws HiveError `bad_channel_id` also for one whose template has no `presence`, `access_denied`
   */
  presence(channel: string, privilege: Privilege, page: PageRequest): PresenceList {
    this.#count('status');
    this.#templates.forJoin(channel, privilege);
    if (this.#presence && this.#templates.of(channel)?.presence) return this.#presence.list(channel, page);
    throw refusedId('bad_channel_id', 'It is not told who is in the channel', channel);
  }

  /** Nodes whose members may not all be known. */
  get unknownPresence(): readonly string[] {
    return this.#presence?.missing ?? [];
  }

  /** This node is about to stop: the histories that are here go to the other nodes. */
  async leaveHistories(): Promise<void> {
    await this.#histories?.leave();
  }

  /**
   * Subscribes a client. All ids are checked first; if joining one fails later, those before it stay joined.
   * @throws HiveError `bad_channel_id`, `access_denied`, `limit_exceeded`, `pubsub_error` if a channel cannot be started, `not_running`
   */
  async join(member: Member, ids: readonly string[], privilege: Privilege, replay?: number): Promise<void> {
    this.#count('join');
    const entries: ChannelEntry[] = [];
    try {
      const templates = ids.map((id) => this.#templates.forJoin(id, privilege));
      this.#limits.check(member, ids);
      for (const [i, id] of ids.entries()) {
        const entry = this.#index.get(id) ?? this.#index.add(id, templates[i]!, member);
        entry.joining += 1;
        entries.push(entry);
      }
      const openings = entries.map((entry) => this.#open(entry));
      for (const [i, entry] of entries.entries()) {
        const failure = await openings[i];
        if (failure) throw failure;
        await this.#subscribe(entry, member, replay);
      }
      // Whoever is told that it has joined finds it there, also if this node is lost.
      if (member.stored) await member.stored;
    } catch (error) {
      this.#counters.errors.value += 1;
      throw error;
    } finally {
      for (const entry of entries) this.#doneJoining(entry);
    }
  }

  /** Has the channel served and announced; returns why it is not. */
  async #open(entry: ChannelEntry): Promise<HiveError | undefined> {
    if (entry.announced && entry.isServed(this.#setup.kernel)) return undefined;
    try {
      await this.#setup.kernel.ask(this.#manager, { type: 'open', entry });
      return undefined;
    } catch (error) {
      return toHiveError(error, 'pubsub_error');
    }
  }

  async #subscribe(entry: ChannelEntry, member: Member, replay: number | undefined): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#setup.kernel.ask(entry.ref!, { type: 'subscribe', member, replay });
      } catch (error) {
        if (attempt === attempts || !isGone(error)) throw error;
      }
      const failure = await this.#open(entry);
      if (failure) throw failure;
    }
  }

  #doneJoining(entry: ChannelEntry): void {
    entry.joining -= 1;
    if (entry.joining === 0 && entry.members.size === 0 && !entry.isServed(this.#setup.kernel)) {
      this.#index.remove(entry);
      this.#manager.tell({ type: 'closed', id: entry.id });
    }
  }

  /**
   * Unsubscribes a client from every channel under these ids or prefixes.
   * @throws HiveError `bad_channel_id`, `access_denied`
   */
  async leave(member: Member, prefixes: readonly string[], privilege: Privilege): Promise<void> {
    this.#count('leave');
    try {
      this.#templates.check(prefixes, privilege);
      const client = member.ref;
      const left = this.#index.of(client).filter((entry) => prefixes.some((prefix) => entry.isUnder(prefix)));
      await Promise.all(left.map((entry) => this.#unsubscribe(entry, member)));
      if (member.stored) await member.stored;
    } catch (error) {
      this.#counters.errors.value += 1;
      throw error;
    }
  }

  channelsOf(member: Member): string[] {
    return this.#index.of(member.ref).map((entry) => entry.id);
  }

  keepOwn(isKept: boolean): void {
    this.#links.kept.keepOwn(isKept);
  }

  async keptFor(
    boot: string,
    channels: readonly string[],
    hasLeft = false,
  ): Promise<readonly KeptPublish[] | undefined> {
    return this.#concerning(await this.#links.kept.everywhere(boot, hasLeft), channels);
  }

  keeps(boot: string): boolean | undefined {
    return this.#links.kept.holds(boot);
  }

  keepsAny(): boolean {
    return this.#links.kept.isHolding;
  }

  keptHere(boot: string, channels: readonly string[]): readonly KeptPublish[] | undefined {
    return this.#concerning(this.#links.kept.here(boot), channels);
  }

  #concerning(
    messages: readonly PublishMessage[] | undefined,
    channels: readonly string[],
  ): readonly KeptPublish[] | undefined {
    if (!messages) return undefined;
    const kept: KeptPublish[] = [];
    const under = byPrefix(channels);
    for (const { origin, number, channels: prefixes, publication, options } of messages) {
      const position = options?.position;
      const ids = prefixes.flatMap((prefix) => under.get(prefix) ?? []);
      const concerned = new Set(position ? ids.filter((id) => prefixes.includes(id)) : ids);
      if (concerned.size === 0) continue;
      const packets = this.#publisher.packetsOf(fromTerm(publication));
      for (const channel of concerned) {
        const id = position ? positionId(channel, position) : `${origin}/${number}`;
        kept.push({ channel, id, packets });
      }
    }
    return kept;
  }

  async #unsubscribe(entry: ChannelEntry, member: Member): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#setup.kernel.ask(entry.ref!, { type: 'unsubscribe', client: member.ref });
      } catch (error) {
        if (attempt === attempts || !isGone(error)) throw error;
      }
      const failure = await this.#open(entry);
      if (failure) throw failure;
    }
  }

  async history(channel: string, privilege: Privilege, query: HistoryPageQuery): Promise<HistoryPage> {
    return historyPage(this.#historyOf(channel, privilege), channel, query);
  }

  /** Forgets what is in a channel's history; its numbers go on. @throws as `history` */
  async clearHistory(channel: string, privilege: Privilege): Promise<void> {
    await this.#historyOf(channel, privilege).clear(channel);
  }

  #historyOf(channel: string, privilege: Privilege): Histories {
    this.#templates.check([channel], privilege);
    if (this.#histories?.concerns([channel])) return this.#histories;
    throw refusedId('bad_channel_id', 'No history is kept of the channel', channel);
  }

  /**
   * The number of subscriptions under an id or prefix, on this node.
   * @throws HiveError `bad_channel_id`, or `unknown_channel_id` if no channel is there
   */
  status(prefix: string): number {
    this.#count('status');
    try {
      return subscriptionsUnder(this.#index, prefix);
    } catch (error) {
      this.#counters.errors.value += 1;
      throw error;
    }
  }

  /**
   * The channels of this node at and under a prefix, or all under '', with what is in them.
   * @throws HiveError `bad_channel_id`
   */
  list(prefix: string, page: PageRequest): ChannelRow[] {
    this.#count('status');
    return channelsUnder(this.#index, prefix, page);
  }

  publish(prefixes: readonly string[], privilege: Privilege, publication: Publication): void {
    this.#publish(prefixes, privilege, publication, false);
  }

  publishConfirmed(
    prefixes: readonly string[],
    privilege: Privilege,
    publication: Publication,
  ): Unconfirmed | undefined {
    return this.#publish(prefixes, privilege, publication, true);
  }

  #publish(
    prefixes: readonly string[],
    privilege: Privilege,
    publication: Publication,
    confirm: boolean,
  ): Unconfirmed | undefined {
    this.#count('publish');
    try {
      this.#templates.check(prefixes, privilege);
    } catch (error) {
      this.#counters.errors.value += 1;
      throw error;
    }
    this.#casts.value += 1;
    if (this.#histories?.concerns(prefixes)) {
      return this.#publishKept(this.#histories, prefixes, privilege, publication, confirm);
    }
    const confirmation = this.#links.publish(prefixes, privilege, publication, confirm);
    this.#publisher.publish(prefixes, publication, false, this.#links.lastId);
    if (confirmation) this.#links.begin(confirmation);
    return confirmation;
  }

  /** Some of these have a history. */
  #publishKept(
    histories: Histories,
    prefixes: readonly string[],
    privilege: Privilege,
    publication: Publication,
    confirm: boolean,
  ): Unconfirmed | undefined {
    const parts: (Unconfirmed | undefined)[] = [];
    const others: string[] = [];
    for (const prefix of prefixes) {
      if (!histories.concerns([prefix])) others.push(prefix);
      else parts.push(...histories.publish(prefix, privilege, publication, confirm));
    }
    if (others.length > 0) {
      const confirmation = this.#links.publish(others, privilege, publication, confirm);
      this.#publisher.publish(others, publication, false, this.#links.lastId);
      if (confirmation) this.#links.begin(confirmation);
      parts.push(confirmation);
    }
    return together(parts);
  }

  /** The home of a channel with a history has numbered it. */
  #passOn(
    channel: string,
    privilege: Privilege,
    publication: Publication,
    position: Position,
    confirm: boolean,
  ): Unconfirmed | undefined {
    const [channels, options] = [[channel], { position }];
    const confirmation = this.#links.publish(channels, privilege, publication, confirm, options);
    const id = this.#links.isStored ? positionId(channel, position) : undefined;
    this.#publisher.publish(channels, publication, false, id, options);
    if (confirmation) this.#links.begin(confirmation);
    return confirmation;
  }

  #below(prefix: string): Iterable<string> {
    const ids = new Set(this.#links.below(prefix));
    for (const { id } of this.#index.below(prefix) ?? []) ids.add(id);
    return ids;
  }

  #count(operation: 'status' | 'publish' | 'join' | 'leave'): void {
    this.#counters.requests.value += 1;
    this.#counters[operation].value += 1;
  }
}
