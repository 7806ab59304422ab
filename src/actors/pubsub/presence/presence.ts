/**
 * Who is in the channels whose template has `presence`, on all nodes. Each node tells all others of its own members, in numbered changes,
 * and knows all: lists are read here, and the `presence` events that subscribers here get are made of the same rosters, so that they never
 * contradict the list.
 *
 *   member here ──joined, left, changed──▶ roster ──within `interval`──▶ `presence` event to the subscribers here
 *                       └─within 50 ms──▶ changes, number n ──▶ every other node ──▶ stream ──▶ roster there ──▶ …
 *                                                               a number is missing ──▶ all, in parts
 *
 * It belongs to the node and not to an actor; the actor `hive_presence` takes what other nodes send.
 */
import type { Kernel } from '../../../kernel/kernel.ts';
import { Timer } from '../../../kernel/timers.ts';
import type { NodeName } from '../../../kernel/types.ts';
import type { Metrics } from '../../../observe/metrics.ts';
import type { PresenceList, PresenceRow } from '../../../plugins/types.ts';
import { EventPacket } from '../../../protocol/packet.ts';
import type { ClusterTable } from '../../cluster/cluster-table.ts';
import type { Member, Present } from '../../contracts.ts';
import { namesIn, type PageRequest } from '../../pages.ts';
import type { ChannelEntry } from '../channel-index.ts';
import { bootOf, nodeIn } from '../peers.ts';
import { Roster, type RosterChange, type Trust } from './roster.ts';
import { PresenceStream } from './stream.ts';
import type { Change, PresenceMessage } from './wire-messages.ts';

export const presenceName = 'hive_presence';

export interface PresenceSetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterTable;
  /** The channels that a member is in. */
  readonly channelsOf: (member: Member) => readonly ChannelEntry[];
  /** What is to be sent to the subscribers of a channel here. */
  readonly send: (channel: string, packet: EventPacket) => void;
  /** How long members of a lost node count as present, ms. */
  readonly graceMs: number;
  /** Whether their sessions may go on at another one. */
  readonly isDurable: boolean;
  readonly metrics: Metrics;
}

const changesMs = 50;
/** Of one message. */
const maxChanges = 1000;
/** How often is looked whether nodes have everything, ms. */
const tickMs = 1000;
/** How long the next part of all members is waited for, ms; then all are asked for again. */
const patienceMs = 3000;
/** Of more changes at once, an event has the numbers only. */
const maxTold = 100;
/** Until subscribers are told of a change, together with those that follow, ms. */
const eventMs = 250;

interface Peer {
  readonly boot: string;
  readonly node: NodeName;
  readonly stream: PresenceStream;
  /** When it was lost, on the clock of `performance.now()`; undefined while it is connected. */
  lostAt: number | undefined;
  /** When it was asked for all, or sent a part, last. */
  askedAt: number;
}

export class PresenceService {
  readonly #setup: PresenceSetup;
  readonly #boot: string;
  readonly #rosters = new Map<string, Roster>();
  /** Members here, by channel and session. */
  readonly #own = new Map<string, Map<string, Present>>();
  /** Those of them that have gone on to another node, and until when they count as present. */
  readonly #leaving = new Map<string, { readonly channel: string; readonly sid: string; readonly dueAt: number }>();
  readonly #peers = new Map<string, Peer>();
  /** Changes that were told to subscribers. */
  #versions = 0;
  #number = 0;
  #toldNumber = 0;
  #time = 0;
  #changes: Change[] = [];
  readonly #flushing = new Timer({ expire: () => this.#flush() });
  readonly #telling = new Timer({ expire: () => this.#tell() });
  readonly #toTell = new Set<string>();
  readonly #tick = new Timer({ expire: () => this.#look() });
  readonly #events: { value: number };

  constructor(setup: PresenceSetup) {
    const { kernel, cluster, metrics } = setup;
    this.#setup = setup;
    this.#boot = bootOf(kernel.node, kernel.creation);
    metrics.gauge('pubsub.presence.channels', () => this.#rosters.size);
    metrics.gauge('pubsub.presence.members', () => this.#members);
    this.#events = metrics.counter('pubsub.presence.events');
    cluster.listen({
      nodeUp: (node, creation) => this.#nodeUp(node, bootOf(node, creation)),
      nodeDown: (node) => this.#nodeDown(node),
      nodeGone: (node) => this.#bury((peer) => peer.node === node && peer.lostAt !== undefined),
    });
  }

  get #members(): number {
    let members = 0;
    for (const own of this.#own.values()) members += own.size;
    return members;
  }

  // --- members here

  joined({ id, template }: ChannelEntry, { presence }: Member): void {
    if (!presence || !template.presence) return;
    this.#put(id, presence.sid, presence.show(template.presence.info));
  }

  left({ id }: ChannelEntry, { presence }: Member): void {
    if (!presence) return;
    const { sid } = presence;
    const present = this.#own.get(id)?.get(sid);
    if (!present) return;
    if (!presence.isElsewhere) return this.#remove(id, sid);
    // Its next node is about to tell of it.
    const { graceMs } = this.#setup;
    this.#leaving.set(`${id} ${sid}`, { channel: id, sid, dueAt: performance.now() + graceMs });
    this.#roster(id).put(sid, this.#boot, present, 'doubtful');
    this.#change([id, sid, present, true]);
  }

  /** What is shown of a member has changed. */
  changed(member: Member): void {
    for (const entry of this.#setup.channelsOf(member)) this.joined(entry, member);
  }

  #put(channel: string, sid: string, present: Present): void {
    this.#leaving.delete(`${channel} ${sid}`);
    const own = this.#own.get(channel);
    if (own) own.set(sid, present);
    else this.#own.set(channel, new Map([[sid, present]]));
    this.#note(channel, sid, this.#boot, present, 'own');
    this.#change([channel, sid, present, false]);
  }

  #remove(channel: string, sid: string): void {
    this.#leaving.delete(`${channel} ${sid}`);
    const own = this.#own.get(channel);
    own?.delete(sid);
    if (own?.size === 0) this.#own.delete(channel);
    this.#note(channel, sid, this.#boot, undefined, 'own');
    this.#change([channel, sid, null, false]);
  }

  #change(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length >= maxChanges) this.#flush();
    else if (!this.#flushing.pending) this.#start(this.#flushing, changesMs);
  }

  #start(timer: Timer, ms: number): void {
    this.#setup.kernel.wheel.start(timer, ms);
  }

  #flush(): void {
    this.#flushing.cancel();
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    this.#changes = [];
    this.#number += 1;
    const message: PresenceMessage = { type: 'changes', by: this.#boot, number: this.#number, changes };
    for (const peer of this.#peers.values()) if (peer.lostAt === undefined) this.#send(peer.node, message);
    this.#wind();
  }

  #send(node: NodeName, message: PresenceMessage): void {
    this.#setup.kernel.remote<PresenceMessage>(node, presenceName).tell(message);
  }

  /** All that are here, in parts: one in each turn of the event loop. What changes meanwhile is told in between. */
  #sendAll(node: NodeName): void {
    this.#flush();
    const keys = [...this.#own].flatMap(([channel, own]) => [...own.keys()].map((sid) => [channel, sid] as const));
    let begins = true;
    this.#time += 1;
    const time = this.#time;
    const next = (): void => {
      const changes = keys.splice(-maxChanges).flatMap(([channel, sid]): Change[] => {
        const present = this.#own.get(channel)?.get(sid);
        return present ? [[channel, sid, present, this.#leaving.has(`${channel} ${sid}`)]] : [];
      });
      const ends = keys.length === 0;
      this.#send(node, { type: 'part', by: this.#boot, number: this.#number, time, begins, ends, changes });
      begins = false;
      if (!ends) setImmediate(next);
    };
    next();
  }

  // --- members of other nodes

  /** The actor `hive_presence` has started, and takes what other nodes send. What was on its way to the one before it may be lost. */
  started(): void {
    for (const peer of this.#peers.values()) if (peer.lostAt === undefined) this.#ask(peer);
    this.#wind();
  }

  #nodeUp(node: NodeName, boot: string): void {
    this.#bury((peer) => peer.node === node && peer.boot !== boot);
    const known = this.#peers.get(boot);
    const peer = known ?? this.#newPeer(node, boot);
    peer.lostAt = undefined;
    this.#trust(peer);
    this.#ask(peer);
    this.#wind();
  }

  #newPeer(node: NodeName, boot: string): Peer {
    const stream = new PresenceStream(([channel, sid, present, isLeaving]) => {
      this.#note(channel, sid, boot, present ?? undefined, isLeaving ? 'doubtful' : 'connected');
    });
    const peer: Peer = { boot, node, stream, lostAt: undefined, askedAt: 0 };
    this.#peers.set(boot, peer);
    return peer;
  }

  #nodeDown(node: NodeName): void {
    for (const peer of this.#peers.values()) {
      if (peer.node !== node || peer.lostAt !== undefined) continue;
      peer.lostAt = performance.now();
      peer.stream.doubt();
      this.#trust(peer);
    }
    this.#wind();
  }

  /** Whatever others say of its members counts more now, or less. */
  #trust({ boot, stream, lostAt }: Peer): void {
    for (const [channel, sids] of stream.members) {
      const roster = this.#roster(channel);
      for (const sid of sids) {
        const present = roster.claimOf(sid, boot);
        if (present) this.#note(channel, sid, boot, present, lostAt === undefined ? 'connected' : 'doubtful');
      }
    }
  }

  /** These boots are gone, and so are their members, unless their sessions may go on. */
  #bury(which: (peer: Peer) => boolean): void {
    if (!this.#setup.isDurable) this.#forget(which);
  }

  #forget(which: (peer: Peer) => boolean): void {
    for (const peer of [...this.#peers.values()]) {
      if (!which(peer)) continue;
      this.#peers.delete(peer.boot);
      for (const [channel, sids] of peer.stream.members) {
        for (const sid of sids) this.#note(channel, sid, peer.boot, undefined, 'doubtful');
      }
    }
  }

  #ask(peer: Peer): void {
    peer.stream.doubt();
    peer.askedAt = performance.now();
    this.#send(peer.node, { type: 'wanted', node: this.#setup.kernel.node });
  }

  take(message: PresenceMessage): void {
    if (message.type === 'wanted') return this.#sendAll(message.node);
    const peer = this.#peers.get(message.by);
    if (!peer || peer.lostAt !== undefined) return;
    if (message.type === 'part') peer.askedAt = performance.now();
    if (!peer.stream.take(message)) this.#ask(peer);
  }

  #wind(): void {
    if (!this.#tick.pending) this.#start(this.#tick, tickMs);
  }

  #look(): void {
    const now = performance.now();
    let isOver = this.#leaving.size === 0 && this.#toldNumber === this.#number;
    const isNews = this.#toldNumber !== this.#number;
    this.#toldNumber = this.#number;
    for (const peer of [...this.#peers.values()]) {
      if (peer.lostAt === undefined) {
        if (isNews) this.#send(peer.node, { type: 'at', by: this.#boot, number: this.#number });
        if (peer.stream.isKnown) continue;
        if (now - peer.askedAt >= patienceMs) this.#ask(peer);
      } else if (now - peer.lostAt >= this.#setup.graceMs) {
        this.#forget((one) => one === peer);
        continue;
      }
      isOver = false;
    }
    for (const { channel, sid, dueAt } of [...this.#leaving.values()]) if (dueAt <= now) this.#remove(channel, sid);
    if (!isOver) this.#wind();
  }

  // --- rosters

  #roster(channel: string): Roster {
    let roster = this.#rosters.get(channel);
    if (!roster) {
      roster = new Roster(this.#versions);
      this.#rosters.set(channel, roster);
    }
    return roster;
  }

  #note(channel: string, sid: string, by: string, present: Present | undefined, trust: Trust): void {
    const roster = this.#roster(channel);
    roster.put(sid, by, present, trust);
    if (!roster.isChanged && roster.sessions > 0) return;
    this.#toTell.add(channel);
    if (!this.#telling.pending) this.#start(this.#telling, eventMs);
  }

  #tell(): void {
    const channels = [...this.#toTell];
    this.#toTell.clear();
    for (const channel of channels) this.#tellOf(channel);
  }

  #tellOf(channel: string): void {
    const roster = this.#rosters.get(channel);
    const change = roster?.take(this.#versions + 1);
    if (roster && change) {
      this.#versions += 1;
      this.#events.value += 1;
      this.#setup.send(channel, eventOf(channel, this.#version(roster), roster, change));
    }
    if (roster?.sessions === 0 && !this.#own.has(channel)) this.#rosters.delete(channel);
  }

  /** Names the state of a roster, and who has it. */
  #version(roster: Roster): string {
    return `${this.#boot}/${roster.version}`;
  }

  /** Who is there, in the order of session ids. What was not told to subscribers yet is told first. */
  list(channel: string, page: PageRequest): PresenceList {
    this.#tellOf(channel);
    const roster = this.#rosters.get(channel) ?? new Roster(this.#versions);
    const { sessions, users } = roster;
    const sids = namesIn(roster.sids(), { after: page.after, limit: page.limit + 1 });
    const shown = sids.slice(0, page.limit);
    const cursor = sids.length > page.limit ? shown.at(-1)! : null;
    const members = shown.map((sid) => rowOf([sid, roster.get(sid)!]));
    return { channel, members, cursor, sessions, users, version: this.#version(roster) };
  }

  /** The boots whose members are not all known. */
  get missing(): readonly string[] {
    return [...this.#peers.values()].filter(({ stream }) => !stream.isKnown).map(({ boot }) => nodeIn(boot));
  }
}

function eventOf(channel: string, version: string, { sessions, users }: Roster, change: RosterChange): EventPacket {
  const { joined, left, changed } = change;
  const isMuch = joined.length + left.length + changed.length > maxTold;
  const told = isMuch ? {} : { joined: joined.map(rowOf), left: left.map(rowOf), changed: changed.map(rowOf) };
  return new EventPacket('presence', JSON.stringify([{ channel, version, sessions, users, ...told }]));
}

function rowOf([sid, { user, info }]: readonly [string, Present]): PresenceRow {
  return { sid, user, info };
}
