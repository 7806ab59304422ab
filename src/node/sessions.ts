/** Where a node keeps its sessions for clients that return, and for other nodes should it die: as the configuration has it. */
import type { PoolTable } from '../actors/pools/pool-table.ts';
import type { Config } from '../config/types.ts';
import type { IdSource } from '../kernel/ids.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../observe/logger.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RedisRequest } from '../plugins/connectors/redis/worker.ts';
import { DurableMetrics, showDurable } from '../sessions/durable/durable-metrics.ts';
import { DurableSessions } from '../sessions/durable/durable-sessions.ts';
import { MemoryStore } from '../sessions/memory-store.ts';
import { Pids } from '../sessions/pids.ts';

export interface SessionsSetup {
  readonly config: Config;
  readonly ids: IdSource;
  readonly kernel: Kernel;
  readonly pools: PoolTable;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface KeptSessions {
  /** For clients that return; undefined if none can. */
  readonly sessions: MemoryStore | undefined;
  /** For other nodes; undefined if sessions end with their node. */
  readonly durable: DurableSessions | undefined;
}

export function keepSessions({ config, ids, kernel, pools, log, metrics }: SessionsSetup): KeptSessions {
  const { recovery, durable: store } = config.clients;
  const pids = new Pids();
  const durable =
    store &&
    new DurableSessions({
      run: (commands) => pools.get<RedisRequest, unknown[]>(store.connector).request({ commands }),
      cluster: config.hive.cluster_name,
      boot: `${kernel.node}#${kernel.creation}`,
      tag: ids.tag,
      pids,
      leaseMs: store.lease,
      windowMs: recovery?.window ?? 0,
      metrics: new DurableMetrics(metrics),
      log: log.child({ component: 'clients' }),
    });
  if (durable) showDurable(metrics, durable);
  if (!recovery) return { sessions: undefined, durable };
  const sessions: MemoryStore = new MemoryStore({
    bounds: { windowMs: recovery.window, maxBytes: recovery.max_bytes },
    tag: ids.tag,
    wheel: kernel.wheel,
    pids,
    ...(durable && { mirror: durable.journal(() => sessions.oldest) }),
  });
  return { sessions, durable };
}
