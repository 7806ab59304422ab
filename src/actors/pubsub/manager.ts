/**
 * The pub-sub manager of a node, registered as `hive_pubsub`: it has channels started (again, if they crash), tells the
 * other nodes which channels are here, learns theirs, and passes on what they publish. See messages.ts for its protocol.
 *
 * It keeps nothing that a restart could lose: channels, subscribers and interests are in tables of the node. The one that
 * follows a crashed manager starts the channels that have ended meanwhile, and exchanges interests with all nodes anew.
 *
 *   open ──▶ start the channel's actor ──started──┐
 *       └──▶ announce ──▶ all nodes ──announced───┴──▶ reply to whoever joins
 */
import { Actor } from '../../kernel/actor.ts';
import type { ChildSpec, SupervisorMessage } from '../../kernel/supervision.ts';
import { type AnyRef, type Down, type From, isGone, type Ref } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { Fanout } from '../contracts.ts';
import { type GenServerApi, type GenServerRequest, isGenServerRequest } from '../gen-server/gen-server-api.ts';
import { Announcer } from './announcer.ts';
import { Channel, type ChannelSetup } from './channel.ts';
import type { ChannelEntry, ChannelIndex } from './channel-index.ts';
import type { Histories } from './history/history.ts';
import type { PeerInterest } from './interest.ts';
import type { Links } from './links.ts';
import type { LocalPublisher } from './local-publisher.ts';
import type { PubSubMessage } from './messages.ts';
import { fromTerm, positionId } from './publication.ts';
import type { Templates } from './templates.ts';
import { type GapMessage, type InterestMessage, isWireMessage, type PublishTerm } from './wire-messages.ts';

export const managerName = 'hive_pubsub';

/** Until a failed start, or a failed exchange with another node, is tried again. */
const retryMs = 1000;
/** The same while whoever is asked is being started. */
const soonMs = 20;

export interface ManagerSetup {
  readonly index: ChannelIndex;
  readonly links: Links;
  readonly templates: Templates;
  readonly publisher: LocalPublisher;
  /** Undefined if no channel has a history. */
  readonly histories: Histories | undefined;
  readonly fanout: Fanout;
  /** The supervisor of the channels, by name: it may be another incarnation at the next call. */
  readonly channelSupervisor: Ref<SupervisorMessage>;
  /** Answers Erlang processes. */
  readonly erlang: GenServerApi;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class PubSubManager extends Actor<PubSubMessage | GenServerRequest> {
  readonly #setup: ManagerSetup;
  readonly #errors: Counter;
  readonly #served = new Map<AnyRef, ChannelEntry>();
  /** Channels whose actors are being started. */
  readonly #starting = new Set<ChannelEntry>();
  /** Channels of which other nodes are being told, and those of them that wait for the next message. */
  readonly #announcing = new Set<ChannelEntry>();
  #batch: ChannelEntry[] = [];
  /** Who waits for a channel. */
  readonly #waiting = new Map<ChannelEntry, From[]>();
  #announcer!: Announcer;
  #channels!: ChannelSetup;
  #reopened = 0;

  constructor(setup: ManagerSetup) {
    super();
    this.#setup = setup;
    this.#errors = setup.metrics.counter('pubsub.errors');
  }

  override init(): void {
    const { index, links, fanout, metrics, histories, publisher } = this.#setup;
    metrics.gauge('pubsub.uptime', () => this.cell.ageMs, 'max');
    const latency = metrics.histogram('pubsub.latency');
    const { deliveries, missed } = metrics.counters('pubsub', ['deliveries', 'missed']);
    const manager = this.kernel.remote<PubSubMessage>(this.self.node, managerName);
    const flush = () => links.flush();
    const isIdentified = links.isStored;
    this.#channels = { index, fanout, flush, latency, deliveries, missed, histories, publisher, isIdentified, manager };
    this.#announcer = new Announcer(this, {
      fellBehind: (peer, error, isNew) => this.#fellBehind(peer, error, isNew),
      answered: (peer) => this.#caughtUp(peer),
    });
    // What other nodes tell while no manager is here is lost: from the end of this one on, nothing is known of them.
    this.kernel.onExit(this.self, () => links.peers.forgetInterests());
    for (const entry of [...index.entries()]) this.#takeOver(entry);
    for (const peer of links.peers.connected()) {
      this.#nodeUp(peer);
      this.send(peer.manager, { type: 'interest_wanted', node: this.self.node });
    }
    links.resume();
  }

  /**
   * A node that is connected and of which this actor does not hear is never told the channels. What other nodes publish is bounded by what
   * they keep until it is acknowledged.
   */
  override get mailboxLimit(): number {
    return Number.POSITIVE_INFINITY;
  }

  override admits(message: unknown): boolean {
    return isWireMessage(message) || isGenServerRequest(message);
  }

  receive(message: PubSubMessage | GenServerRequest, from: From | undefined): void {
    if (isPublish(message)) return this.#publish(message);
    switch (message.type) {
      case 'gap':
        return this.#missed(message);
      case 'taken':
        return this.#setup.links.taken(message);
      case 'taken_wanted':
        return this.#tellTaken(message.origin, from);
      case 'kept_wanted':
        return from?.reply(this.#setup.links.kept.answer(message.boot, message.by));
      case 'open':
        return this.#open(message.entry, from);
      case 'started':
        return this.#started(message.entry, message.error);
      case 'closed':
        return this.#closed(message.id);
      case 'announce':
        return this.#announceNow();
      case 'announced':
        return this.#announced(message.entries);
      case 'interest':
        return this.#learn(message, from);
      case 'interest_wanted':
        return this.#tellAll(this.#announcer.peer(message.node));
      case 'interest_stale':
        this.#announcer.peer(message.node)?.forget();
        return from?.reply(undefined);
      case 'catch_up':
        return void this.#announcer.catchUp(message.peer);
      case 'unconfirmed':
        return this.#unconfirmed(message.peer);
      case 'nodeup':
        return this.#nodeUp(message.peer);
      case 'nodedown':
        return this.#announcer.remove(message.peer);
      default:
        return this.#setup.erlang.serve(message, from);
    }
  }

  override handleDown({ ref }: Down): void {
    const entry = this.#served.get(ref);
    this.#served.delete(ref);
    if (!entry || this.#setup.index.get(entry.id) !== entry) return;
    this.#reopened += 1;
    this.#start(entry);
  }

  override inspect(): Record<string, unknown> {
    const { index, links } = this.#setup;
    const peers = links.peers.connected().map((peer) => {
      const { node, known, size } = peer;
      return { node, known, channels: size, behind: this.#announcer.isBehind(peer) };
    });
    return { channels: index.size, opening: this.#waiting.size, reopened: this.#reopened, peers };
  }

  // --- channels

  /** A channel that another manager left behind. */
  #takeOver(entry: ChannelEntry): void {
    if (entry.isServed(this.kernel)) this.#watch(entry);
    else if (entry.members.size > 0 || entry.joining > 0) this.#start(entry);
    else return this.#setup.index.remove(entry);
    if (!entry.announced) this.#announce(entry);
  }

  #open(entry: ChannelEntry, from: From | undefined): void {
    if (this.#setup.index.get(entry.id) !== entry) return void this.#waiting.delete(entry); // nobody wants it any more
    const served = entry.isServed(this.kernel);
    if (served) this.#watch(entry);
    if (served && entry.announced) return from?.reply(undefined);
    if (from) {
      const waiting = this.#waiting.get(entry);
      if (waiting) waiting.push(from);
      else this.#waiting.set(entry, [from]);
    }
    if (!entry.announced) this.#announce(entry);
    if (!served) this.#start(entry);
    this.#replyIfOpen(entry);
  }

  #start(entry: ChannelEntry): void {
    if (this.#starting.has(entry)) return;
    this.#starting.add(entry);
    const child: ChildSpec = {
      id: entry.id,
      start: () => new Channel(entry, this.#channels) as Actor<never>,
      restart: 'temporary',
    };
    const started = (error?: unknown) => this.send<PubSubMessage>(this.self, { type: 'started', entry, error });
    this.ask(this.#setup.channelSupervisor, { type: 'start_child', child }).then(() => started(), started);
  }

  #started(entry: ChannelEntry, error: unknown): void {
    this.#starting.delete(entry);
    if (entry.isServed(this.kernel)) {
      this.#watch(entry);
      return this.#replyIfOpen(entry);
    }
    // It was started, and has ended before it could be watched; or the supervisor has.
    if (error === undefined || isGone(error)) return void this.after(soonMs, { type: 'open', entry });
    const failure = toHiveError(error, 'pubsub_error');
    this.#errors.value += 1;
    const { log } = this.#setup;
    if (!log.excess('A channel could not be started', failure.code, 'error')) {
      log.error(`A channel could not be started: ${failure.summary}`);
      // Whose id somebody made up.
      log.debug(`It was ${entry.id}`);
    }
    for (const from of this.#waiting.get(entry) ?? []) from.fail(failure);
    this.#waiting.delete(entry);
    if (entry.members.size > 0) this.after(retryMs, { type: 'open', entry });
  }

  #watch(entry: ChannelEntry): void {
    const { ref } = entry;
    if (!ref || this.#served.has(ref)) return;
    this.#served.set(ref, entry);
    this.monitor(ref);
  }

  #replyIfOpen(entry: ChannelEntry): void {
    if (!entry.announced || !entry.isServed(this.kernel)) return;
    for (const from of this.#waiting.get(entry) ?? []) from.reply(undefined);
    this.#waiting.delete(entry);
  }

  // --- telling other nodes

  #announce(entry: ChannelEntry): void {
    if (this.#announcing.has(entry)) return;
    if (this.#announcer.alone) {
      entry.announced = true;
      return;
    }
    this.#announcing.add(entry);
    this.#batch.push(entry);
    this.#note(entry.id, true);
  }

  #closed(id: string): void {
    const present = this.#setup.index.get(id) !== undefined;
    if (!present && !this.#announcer.alone) this.#note(id, false);
  }

  /** Everything that is already in the mailbox is told in one message. */
  #note(id: string, here: boolean): void {
    if (this.#announcer.note(id, here)) this.send<PubSubMessage>(this.self, { type: 'announce' });
  }

  #announceNow(): void {
    const entries = this.#batch;
    this.#batch = [];
    const told = () => this.send<PubSubMessage>(this.self, { type: 'announced', entries });
    void this.#announcer.tellChanges().then(told);
  }

  #announced(entries: readonly ChannelEntry[]): void {
    for (const entry of entries) {
      entry.announced = true;
      this.#announcing.delete(entry);
      this.#replyIfOpen(entry);
    }
  }

  #nodeUp(peer: PeerInterest): void {
    this.#announcer.add(peer);
    this.#tellAll(peer);
  }

  #tellAll(peer: PeerInterest | undefined): void {
    if (peer && this.#announcer.peer(peer.node) === peer) {
      void this.#announcer.tellAll(peer, this.#setup.index.ids());
    }
  }

  #fellBehind(peer: PeerInterest, error: unknown, isNew: boolean): void {
    if (isNew) {
      this.#setup.links.setBehind(peer.node, true);
      const reason = toHiveError(error).message;
      this.#setup.log.notice(`${peer.node} did not take note of this node's channels and is not waited for: ${reason}`);
      this.send<PubSubMessage>(this.self, { type: 'catch_up', peer });
    } else {
      // One that is only starting has no manager yet.
      this.after(isGone(error) ? soonMs : retryMs, { type: 'catch_up', peer });
    }
  }

  /** A publisher has waited for it in vain: nobody shall, until it has answered. */
  #unconfirmed(peer: PeerInterest): void {
    if (this.#announcer.fallBehind(peer)) this.send<PubSubMessage>(this.self, { type: 'catch_up', peer });
  }

  #caughtUp(peer: PeerInterest): void {
    this.#setup.links.setBehind(peer.node, false);
    this.#setup.log.notice(`${peer.node} answers again and is told this node's channels`);
    this.#tellAll(peer);
  }

  // --- from other nodes

  #tellTaken(origin: string, from: From | undefined): void {
    const { receipts } = this.#setup.links;
    const upTo = receipts.upTo(origin);
    const { stored } = receipts;
    if (stored) void stored.then(() => from?.reply(upTo));
    else from?.reply(upTo);
  }

  #learn(message: InterestMessage, from: From | undefined): void {
    const { node, all, add, remove } = message;
    this.#announcer.peer(node)?.learn(all, add, remove);
    from?.reply(undefined);
  }

  #publish([, origin, number, after, confirm, channels, privilege, publication, options]: PublishTerm): void {
    const { links, templates, publisher } = this.#setup;
    if (!links.receipts.take(origin, number, after, confirm)) return;
    try {
      templates.check(channels, privilege);
      const id =
        options?.position && links.isStored ? positionId(channels[0]!, options.position) : links.idOf(origin, number);
      publisher.publish(channels, fromTerm(publication), true, id, options);
    } catch (error) {
      this.#refuse(toHiveError(error).summary);
    }
  }

  #missed(message: GapMessage): void {
    const { origin, number, after, channels } = message;
    if (!this.#setup.links.receipts.take(origin, number, after, true)) return;
    this.#setup.publisher.missed(channels.length === 0 ? undefined : channels);
  }

  #refuse(reason: string): void {
    this.#errors.value += 1;
    if (this.#setup.log.excess('a message was refused', managerName)) return;
    this.#setup.log.warning(`a message to ${managerName} was refused: ${reason}`);
  }
}

/** `admits` lets no other list pass. */
function isPublish(message: object): message is PublishTerm {
  return Array.isArray(message);
}
