/**
 * Sessions whose node is gone: this node goes on with those that it has claimed.
 *
 *   claimed ──▶ its client may come back: a client actor without connection, in its channels
 *         └───▶ it may not: its departure is told
 */
import type { Kernel } from '../../kernel/kernel.ts';
import type { TimingWheel } from '../../kernel/timers.ts';
import type { Ref } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Adopter, Claimed } from '../../sessions/durable/adopter.ts';
import type { DeadJournal } from '../../sessions/durable/dead-journal.ts';
import type { KeptPackets } from '../../sessions/durable/dead-journals.ts';
import type { AdoptionFailure } from '../../sessions/durable/durable-metrics.ts';
import type { RecordSource } from '../../sessions/durable/durable-session.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import { channelsAtEnd, livesOf, type PastRecord, type SharedKept } from '../../sessions/durable/past-life.ts';
import { Prefix } from '../../sessions/prefix.ts';
import type { Handshake } from '../../web/client/client-handle.ts';
import { adoptDeparture } from '../client/adopt.ts';
import { ClientActor } from '../client/client.ts';
import type { ClientServices } from '../client/client-services.ts';
import { type AskedOfKeeper, keeperName } from '../client/session-keeper.ts';
import { asSessionRecord } from '../client/session-record.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import type { KeptPublish } from '../contracts.ts';

export interface AdoptionsSetup {
  readonly kernel: Pick<Kernel, 'remote' | 'ask'>;
  readonly cluster: Pick<ClusterTable, 'nodeOf' | 'self'>;
  readonly clients: ClientServices;
  readonly wheel: TimingWheel;
  /** Starts a client's actor, and gives it a slot. */
  readonly start: (client: ClientActor) => Promise<void>;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How long Redis may be away while it is read what adopted sessions have missed. */
const patienceMs = 5000;
const askAgainMs = 250;
/** How long a node that has lost its lease may take to say that it lives: longer than a busy event loop. */
const answerMs = 1000;
/** Sessions that are dealt with before others have their turn. */
const atOnce = 10;
/** Records that are written with one round trip. */
const storedAtOnce = 100;

/** Nothing of it is known any more, and nobody asks for it after `on_connect`. */
const nothing: Handshake = { auth: undefined, query: {}, headers: {}, address: '', transport: '', protocol: 'eio4' };

interface Adoption {
  readonly client: ClientActor;
  readonly channels: readonly string[];
  readonly past: readonly PastRecord[];
  readonly claimed: Claimed;
}

/** Resolves when what waits has had its turn. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

class Settling {
  resolve!: () => void;
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });
}

export class Adoptions implements Adopter {
  readonly #setup: AdoptionsSetup;
  /** Claimed, and not started. */
  #claimed: Adoption[] = [];
  /** Started, and in their channels; it is not known yet what they have missed. */
  #started: Adoption[] = [];
  /** Sessions that are about to be here. */
  readonly #adopting = new Map<string, Settling>();
  /** Those that have started, and not ended since. */
  readonly #present = new Set<ClientActor>();

  constructor(setup: AdoptionsSetup) {
    this.#setup = setup;
    if (setup.clients.durable) setup.metrics.gauge('clients.durable.present', () => this.#present.size);
  }

  /** A client has ended, an adopted one or any other. */
  ended(client: ClientActor): void {
    if (this.#present.size > 0) this.#present.delete(client);
  }

  adopt(claimed: Claimed): RecordSource {
    const { clients } = this.#setup;
    const { sid, epoch, contents, boot } = claimed;
    const record = asSessionRecord(contents);
    const { r, u, d, n, x = [], m: channels = [] } = record;
    const { recovery } = clients;
    const awayMs = u === undefined ? 0 : Math.max(0, Date.now() - u);
    const leftMs = recovery ? recovery.windowMs - awayMs : 0;
    if (!r || d || leftMs <= 0) {
      clients.durable!.metrics.counters.departures.value += 1;
      return adoptDeparture(clients, claimed);
    }
    // Of a client that has actions to run, some channels are no spans; what others had kept of them is for it nevertheless.
    const past = [...x, { ...r, members: channels }];
    const from = boot.slice(0, boot.lastIndexOf('#'));
    const client = new ClientActor(clients, sid, n, nothing, true, { record, leftMs, past, from, epoch });
    this.#claimed.push({ client, channels, past, claimed });
    this.#adopting.set(sid, new Settling());
    return client.source;
  }

  async lives(boot: string, tag: string): Promise<boolean> {
    const { cluster, kernel } = this.#setup;
    const node = cluster.nodeOf(tag);
    if (node === undefined || node === cluster.self) return false;
    const keeper: Ref<AskedOfKeeper> = kernel.remote(node, keeperName);
    return kernel.ask<AskedOfKeeper, boolean>(keeper, { type: 'lives', boot }, answerMs).catch(() => false);
  }

  async start(): Promise<void> {
    const claimed = this.#claimed;
    this.#claimed = [];
    const started = await Promise.all(claimed.map((adoption) => this.#start(adoption)));
    for (const [i, adoption] of claimed.entries()) {
      if (started[i]) {
        this.#started.push(adoption);
        continue;
      }
      this.#setup.clients.durable!.metrics.incomplete.failed.value += 1;
      this.#over(adoption);
    }
  }

  #over({ client }: Adoption): void {
    this.#adopting.get(client.sid)?.resolve();
    this.#adopting.delete(client.sid);
  }

  /**
   * What others had kept is all that there is only if all who live can be asked. One that has started a moment ago is about to be
   * connected, and the lease of one that is gone about to end; neither may be so where the network is parted. Resolves to their tags, or to
   * undefined if they cannot. Never rejects.
   */
  async #canAskAll(durable: DurableSessions): Promise<readonly string[] | undefined> {
    const { cluster } = this.#setup;
    for (const deadline = performance.now() + durable.lease.ms + askAgainMs; ; ) {
      try {
        const tags = await durable.owners.living();
        if (tags.every((tag) => cluster.nodeOf(tag) !== undefined)) return tags;
      } catch {
        // Redis is away: nobody knows who lives.
      }
      if (performance.now() > deadline) return undefined;
      await this.#pause();
    }
  }

  /** What all who live have kept of these channels; undefined if that is not all. One that ends has stored it before: it is not asked again. */
  async #keptFor(
    boot: string,
    channels: readonly string[],
    hasLeft: boolean,
  ): Promise<readonly KeptPublish[] | undefined> {
    const { durable, memberships } = this.#setup.clients;
    for (;;) {
      const asked = await this.#canAskAll(durable!);
      const kept = asked && (await memberships.keptFor?.(boot, channels, hasLeft));
      if (!asked || kept) return kept;
      const living = await durable!.owners.living();
      if (asked.every((tag) => living.includes(tag))) return undefined;
    }
  }

  /** Returns whether it is there, and in its channels. Never rejects. */
  async #start({ client, channels, claimed }: Adoption): Promise<boolean> {
    const { clients, start, log } = this.#setup;
    try {
      await start(client);
      if (client.cell.alive) this.#present.add(client);
      // What is published from now on is stored for this life of it, and nowhere else: whoever goes on with it must know of that.
      await client.source.stored();
      if (channels.length > 0) await clients.memberships.join(client.output, channels, 'private');
      client.source.joined();
      return true;
    } catch (error) {
      const { code, message } = toHiveError(error);
      const isExcess = log.excess('A session could not be adopted', code);
      if (!isExcess) log.warning(`A session could not be adopted: ${message}`);
      // It may have started, and only lack its channels.
      if (client.cell?.alive) client.giveUp();
      else clients.durable?.pass(claimed.sid, adoptDeparture(clients, claimed));
      return false;
    }
  }

  async catchUp(): Promise<void> {
    const started = this.#started;
    this.#started = [];
    const deadline = performance.now() + patienceMs;
    let lost: ReadonlyMap<Adoption, AdoptionFailure> | undefined;
    while (!lost) {
      try {
        lost = await this.#caughtUp(started);
      } catch (error) {
        if (performance.now() > deadline) {
          this.#setup.log.warning(`What adopted sessions have missed cannot be had: ${toHiveError(error).message}`);
          lost = new Map(started.map((adoption) => [adoption, 'failed']));
        } else {
          await this.#pause();
        }
      }
    }
    const { counters, incomplete } = this.#setup.clients.durable!.metrics;
    counters.adopted.value += started.length - lost.size;
    for (const [{ client }, failure] of lost) {
      incomplete[failure].value += 1;
      client.abandon('missed_events');
    }
    // Whoever is lost next is found as it is now.
    const kept = started.filter((adoption) => !lost.has(adoption));
    for (let at = 0; at < kept.length; at += storedAtOnce) {
      await Promise.all(kept.slice(at, at + storedAtOnce).map(({ client }) => client.source.stored()));
    }
    for (const [at, adoption] of started.entries()) {
      // Who waits for it is sent at once what was missed.
      if (at % atOnce === atOnce - 1) await others();
      this.#over(adoption);
    }
  }

  /**
   * Finds out what these sessions were sent at the nodes that they were at, and what others had kept for those. From its join on a session
   * gets what is published here, so some of that may have come already. Resolves to those of which that is not known, and why.
   * @throws what Redis fails with
   */
  async #caughtUp(adoptions: readonly Adoption[]): Promise<ReadonlyMap<Adoption, AdoptionFailure>> {
    const { durable } = this.#setup.clients;
    const lost = new Map<Adoption, AdoptionFailure>();
    const journals = new Map<string, DeadJournal | undefined>();
    /** Of those of whom others may have kept something. */
    const wanted = new Map<string, Set<string>>();
    for (const { past } of adoptions) {
      for (const record of past) {
        const { owner } = record;
        if (!journals.has(owner)) journals.set(owner, await durable!.journals.of(owner));
        if (record.last !== undefined) continue;
        const channels = wanted.get(owner) ?? new Set();
        wanted.set(owner, channels);
        for (const channel of channelsAtEnd(record)) channels.add(channel);
      }
    }
    for (const [owner, channels] of wanted) {
      const journal = journals.get(owner);
      if (!journal || channels.size === 0) continue;
      const hasLeft = adoptions.some(({ past, claimed }) => claimed.hasLeft && past.at(-1)?.owner === owner);
      const kept = await this.#keptFor(journal.boot, [...channels], hasLeft);
      const missing = kept?.filter((one): one is KeptPackets => !!one.packets && !journal.has(one.channel, one.id));
      await durable!.journals.keep(owner, journal, missing ?? []);
      const unknown = kept?.filter(({ channel, id, packets }) => !packets && !journal.has(channel, id));
      const isKnown = unknown && !journal.isIncomplete;
      const doomed = isKnown && new Set([...journal.lacking, ...unknown.map(({ channel }) => channel)]);
      for (const adoption of adoptions) {
        const record = adoption.past.find((past) => past.owner === owner);
        const failure = record && failureOf(record, doomed || undefined);
        if (failure) lost.set(adoption, failure);
      }
    }
    const shared: SharedKept = new Map();
    for (const [at, adoption] of adoptions.entries()) {
      if (at % atOnce === atOnce - 1) await others();
      const { client, past } = adoption;
      const { output, sid } = client;
      const lives = livesOf(sid, past, journals, output.sentHere, shared);
      if (lives) output.catchUp(new Prefix(lives));
      else lost.set(adoption, 'failed');
      if (past.some((record) => wasBusy(sid, record, journals))) lost.set(adoption, 'actions');
    }
    return lost;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#setup.wheel.schedule(askAgainMs, resolve));
  }

  /** Resolves when a session that is being adopted is here, or has failed to be; undefined for any other. */
  settled(sid: string): Promise<void> | undefined {
    return this.#adopting.get(sid)?.promise;
  }
}

/** Whether something that the session was told was lost with its node, though somebody knows that it has got it. */
function wasBusy(
  sid: string,
  { owner, last }: PastRecord,
  journals: ReadonlyMap<string, DeadJournal | undefined>,
): boolean {
  return last === undefined && journals.get(owner)?.wasBusy(sid) === true;
}

/**
 * Why something is missing for a session that it was to get at a node which is gone.
 * @param doomed channels of which its clients would have had to do something; undefined if others do not tell what they had kept
 */
function failureOf(record: PastRecord, doomed: ReadonlySet<string> | undefined): AdoptionFailure | undefined {
  const channels = channelsAtEnd(record);
  if (record.last !== undefined || channels.length === 0) return undefined;
  if (!doomed) return 'peers';
  return channels.some((channel) => doomed.has(channel)) ? 'actions' : undefined;
}
