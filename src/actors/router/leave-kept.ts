/**
 * What a node that ends has kept for sessions of nodes that have ended before it, and nobody has gone on with yet: it stores that, for who
 * goes on with them. A planned stop of several nodes, or all, loses nothing of what the last ones have published.
 */
import type { TimingWheel } from '../../kernel/timers.ts';
import type { Log } from '../../observe/logger.ts';
import type { KeptPackets } from '../../sessions/durable/dead-journals.ts';
import type { DurableSessions } from '../../sessions/durable/durable-sessions.ts';
import type { Gone } from '../../sessions/durable/ownership.ts';
import { channelsAtEnd } from '../../sessions/durable/past-life.ts';
import { asSessionRecord } from '../client/session-record.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import type { Memberships } from '../contracts.ts';

export interface KeptSetup {
  readonly durable: DurableSessions;
  readonly memberships: Memberships;
  readonly cluster: Pick<ClusterTable, 'nodeOf'>;
  readonly wheel: TimingWheel;
  readonly log: Log;
}

/** How long is waited for nodes that are there, ms. */
const settleMs = 1000;
/** How long Redis may be away, ms. */
const patienceMs = 5000;
const pauseMs = 50;
/** Read with one round trip. */
const recordsAtOnce = 500;

/** Resolves when it is stored. Never rejects. */
export async function leaveKept(setup: KeptSetup): Promise<void> {
  for (const deadline = performance.now() + patienceMs; ; ) {
    try {
      return await store(setup);
    } catch (error) {
      if (!setup.memberships.keepsAny?.()) return;
      if (performance.now() > deadline) {
        const what = 'What was published for sessions of nodes that are gone cannot be stored: they miss it';
        return setup.log.warning(what, { error });
      }
    }
    await pause(setup.wheel);
  }
}

async function store({ durable, memberships, cluster, wheel }: KeptSetup): Promise<void> {
  let owners = await durable.owners.others();
  // Whoever is there is about to have it; but for those that end as well.
  for (const deadline = performance.now() + settleMs; performance.now() < deadline; ) {
    if (
      !owners.some(
        (owner) => owner.isAlive && cluster.nodeOf(owner.tag) !== undefined && memberships.keeps?.(owner.boot),
      )
    )
      break;
    await pause(wheel);
  }
  owners = await durable.owners.others();
  const gone = new Map<string, Gone>();
  const add = (one: Gone, isAlive: boolean): void => {
    // Of one that lives, and was never connected, nothing need be known.
    if (memberships.keeps?.(one.boot) ?? !isAlive) gone.set(one.owner, one);
  };
  const { ownership, lease } = durable;
  if (lease.owner !== undefined) add({ owner: lease.owner, boot: ownership.boot }, true);
  for (const { owner, boot, isAlive, inherits } of owners) {
    add({ owner, boot }, isAlive);
    for (const one of inherits) add(one, false);
  }
  if (gone.size === 0) return;
  const tags = new Set([...owners, ownership].flatMap(({ tags }) => [...tags]));
  const channels = await channelsOf(durable.owners.contents(tags, recordsAtOnce), gone);
  for (const { owner, boot } of gone.values()) {
    const kept = memberships.keptHere?.(boot, [...(channels.get(owner) ?? [])]);
    if (!kept) {
      await durable.journals.miss(owner, undefined);
      continue;
    }
    await durable.journals.store(
      owner,
      kept.filter((one): one is KeptPackets => one.packets !== undefined),
    );
    await durable.journals.miss(
      owner,
      kept.filter(({ packets }) => !packets),
    );
  }
}

/** The channels in which sessions were with those owners of whom it is not known yet what others had kept for them there. */
async function channelsOf(
  contents: AsyncIterable<unknown>,
  owners: ReadonlyMap<string, unknown>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const channels = new Map([...owners.keys()].map((owner) => [owner, new Set<string>()]));
  for await (const one of contents) {
    const { r, x = [], m: members = [] } = asSessionRecord(one);
    for (const past of r ? [...x, { ...r, members }] : x) {
      if ('last' in past && past.last !== undefined) continue;
      for (const channel of channelsAtEnd(past)) channels.get(past.owner)?.add(channel);
    }
  }
  return channels;
}

function pause(wheel: TimingWheel): Promise<void> {
  return new Promise((resolve) => wheel.schedule(pauseMs, resolve));
}
