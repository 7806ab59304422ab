/**
 * Sessions whose node is gone: this node goes on with those that it has claimed, and finds those that others have.
 *
 *   claimed ──▶ its client may come back: a client actor without connection, in its channels
 *         └───▶ it may not: its departure is told
 */
import type { TimingWheel } from '../../kernel/timers.ts';
import type { NodeName } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { AdoptionFailure } from '../../sessions/durable/durable-metrics.ts';
import type { RecordSource } from '../../sessions/durable/durable-session.ts';
import type { Claimed, DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import type { Prefix } from '../../sessions/prefix.ts';
import type { Handshake } from '../../web/client/client-handle.ts';
import { adoptDeparture } from '../client/adopt.ts';
import { ClientActor } from '../client/client.ts';
import type { ClientServices } from '../client/client-services.ts';
import { asSessionRecord } from '../client/session-record.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import type { KeptPublish } from '../contracts.ts';

export interface AdoptionsSetup {
  readonly clients: ClientServices;
  readonly cluster: Pick<ClusterTable, 'self' | 'ownerOf' | 'nodeOf'>;
  readonly wheel: TimingWheel;
  /** Starts a client's actor, and gives it a slot. */
  readonly start: (client: ClientActor) => Promise<void>;
  /** Whether a session is here. */
  readonly isHere: (sid: string) => boolean;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Beyond a lease: for who claims the sessions. */
const patienceMs = 5000;
const askAgainMs = 250;
/** For a node that has said that a session leaves it: its hooks may take their time still. */
const handOverMs = 60_000;

/** Nothing of it is known any more, and nobody asks for it after `on_connect`. */
const nothing: Handshake = { auth: undefined, query: {}, headers: {}, address: '', transport: '', protocol: 'eio4' };

interface Adoption {
  readonly client: ClientActor;
  readonly channels: readonly string[];
  readonly claimed: Claimed;
  readonly prefix: Prefix;
}

interface Batch {
  readonly boot: string;
  readonly adoptions: Adoption[];
  readonly done: Promise<void>;
}

export class Adoptions {
  readonly #setup: AdoptionsSetup;
  #batch: Batch | undefined;
  /** Sessions that are about to be here. */
  readonly #adopting = new Map<string, Promise<void>>();
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
    const { sid, epoch, journal, contents } = claimed;
    const record = asSessionRecord(contents);
    const { recovery } = clients;
    const awayMs = record.u === undefined ? 0 : Math.max(0, Date.now() - record.u);
    const leftMs = recovery ? recovery.windowMs - awayMs : 0;
    if (!journal || !record.r || record.d || leftMs <= 0) {
      clients.durable!.metrics.counters.departures.value += 1;
      return adoptDeparture(clients, claimed);
    }
    const from = claimed.boot.split('#', 1)[0]!;
    const adopted = { record, leftMs, from, epoch, prefix: journal.prefixOf(sid, record.r) };
    const client = new ClientActor(clients, sid, record.n, nothing, true, adopted);
    const adoption: Adoption = { client, channels: record.m ?? [], claimed, prefix: adopted.prefix };
    this.#batch ??= this.#next(claimed.boot);
    if (this.#batch.boot !== claimed.boot) this.#batch = this.#next(claimed.boot);
    this.#batch.adoptions.push(adoption);
    this.#adopting.set(sid, this.#batch.done);
    return client.source;
  }

  /** Sessions that are claimed in one turn are started together, and what others had kept for them is asked for once. */
  #next(boot: string): Batch {
    const adoptions: Adoption[] = [];
    const done = new Promise<void>((resolve) => {
      setImmediate(() => {
        this.#batch = undefined;
        void this.#startAll(boot, adoptions).then(resolve);
      });
    });
    return { boot, adoptions, done };
  }

  /** Never rejects. */
  async #startAll(boot: string, adoptions: readonly Adoption[]): Promise<void> {
    const started = await Promise.all(adoptions.map((adoption) => this.#start(adoption)));
    const present = adoptions.filter((_, i) => started[i]);
    const channels = new Set(present.flatMap((adoption) => adoption.channels));
    const { memberships, durable } = this.#setup.clients;
    const { counters, incomplete } = durable!.metrics;
    incomplete.failed.value += adoptions.length - present.length;
    const hasLeft = present.some(({ claimed }) => claimed.hasLeft);
    let kept: readonly KeptPublish[] | undefined = [];
    if (channels.size > 0) {
      kept = (await this.#canAskAll(durable!)) ? await memberships.keptFor?.(boot, [...channels], hasLeft) : undefined;
    }
    for (const adoption of present) {
      const failure = catchUp(adoption, kept);
      if (failure === undefined) {
        counters.adopted.value += 1;
      } else {
        incomplete[failure].value += 1;
        adoption.client.abandon('missed_events');
      }
    }
    for (const { client } of adoptions) this.#adopting.delete(client.sid);
  }

  /**
   * What others had kept is all that there is only if all who live can be asked. One that has started a moment ago is about to be
   * connected, and the lease of one that is gone about to end; neither may be so where the network is parted. Never rejects.
   */
  async #canAskAll(durable: DurableSessions): Promise<boolean> {
    const { cluster, wheel } = this.#setup;
    for (const deadline = performance.now() + durable.leaseMs + askAgainMs; ; ) {
      try {
        const tags = await durable.living();
        if (tags.every((tag) => cluster.nodeOf(tag) !== undefined)) return true;
      } catch {
        // Redis is away: nobody knows who lives.
      }
      if (performance.now() > deadline) return false;
      await new Promise<void>((resolve) => wheel.schedule(askAgainMs, resolve));
    }
  }

  /** Returns whether it is there, and in its channels. Never rejects. */
  async #start({ client, channels }: Adoption): Promise<boolean> {
    const { clients, start, log } = this.#setup;
    try {
      await start(client);
      if (client.cell.alive) this.#present.add(client);
      if (channels.length > 0) await clients.memberships.join(client.output, channels, 'private');
      return true;
    } catch (error) {
      const { code, message } = toHiveError(error);
      const isExcess = log.excess('A session could not be adopted', code);
      if (!isExcess) log.warning(`A session could not be adopted: ${message}`);
      // It may have started, and only lack its channels.
      if (client.cell?.alive) client.giveUp();
      return false;
    }
  }

  /** Resolves when a session that is being adopted is here, or has failed to be; undefined for any other. */
  settled(sid: string): Promise<void> | undefined {
    return this.#adopting.get(sid);
  }

  /**
   * The node that has a session now, which a boot has made that is gone: resolves when its lease has ended and somebody has claimed it.
   * Undefined if that boot is there, or sessions are not durable. Resolves to undefined if there is no such session, or nobody can be
   * asked.
   */
  homeOf(sid: string): Promise<NodeName | undefined> | undefined {
    const { clients, cluster } = this.#setup;
    const { durable } = clients;
    if (!durable || cluster.ownerOf(sid) !== undefined) return undefined;
    return this.#find(durable, sid, durable.leaseMs + patienceMs);
  }

  /**
   * Whether a session's node is gone and nobody has claimed it yet: for who does not wait for that.
   * @throws what Redis fails with
   */
  async isUnclaimed(sid: string): Promise<boolean> {
    const { clients, cluster, isHere } = this.#setup;
    if (!clients.durable || cluster.ownerOf(sid) !== undefined || isHere(sid)) return false;
    const tag = await clients.durable.locate(sid);
    return tag !== undefined && cluster.nodeOf(tag) === undefined;
  }

  /** The same for a session whose boot is there, but has handed it over or is about to. */
  async nextHomeOf(sid: string, former?: string): Promise<NodeName | undefined> {
    const { clients, cluster } = this.#setup;
    return clients.durable && this.#find(clients.durable, sid, handOverMs, former ?? cluster.ownerOf(sid));
  }

  async #find(durable: DurableSessions, sid: string, timeMs: number, except?: string): Promise<NodeName | undefined> {
    const { cluster, isHere, wheel } = this.#setup;
    for (const deadline = performance.now() + timeMs; ; ) {
      await this.#adopting.get(sid);
      if (isHere(sid)) return cluster.self;
      let tag: string | undefined;
      try {
        tag = await durable.locate(sid);
      } catch {
        // Redis is away: nobody knows, and the client is not to wait for that.
      }
      if (tag === undefined) return undefined;
      const node = cluster.nodeOf(tag);
      if (node !== undefined && node !== cluster.self && node !== except) return node;
      if (performance.now() > deadline) return undefined;
      await new Promise<void>((resolve) => wheel.schedule(askAgainMs, resolve));
    }
  }
}

/**
 * Adds what others had published for the node that is gone, and it did not store. From its join on a session gets it here, so some of it
 * may have come already. Returns why that is not all.
 */
function catchUp(
  { client, channels, claimed, prefix }: Adoption,
  kept: readonly KeptPublish[] | undefined,
): AdoptionFailure | undefined {
  if (channels.length === 0) return undefined;
  if (!kept) return 'peers';
  const { output } = client;
  for (const { channel, id, packets } of kept) {
    if (!channels.includes(channel)) continue;
    // Clients have to do something for it, and may have done so.
    if (!packets) return 'actions';
    if (claimed.journal?.has(channel, id) || output.has(channel, id)) continue;
    for (const packet of packets) prefix.append(packet);
  }
  return undefined;
}
