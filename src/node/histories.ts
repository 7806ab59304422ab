/** The stores of channels' histories that are not in the memory of nodes. */
import type { PoolTable } from '../actors/pools/pool-table.ts';
import type { Config } from '../config/types.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RedisRequest } from '../plugins/connectors/redis/worker.ts';
import type { HistoryStore } from '../plugins/history-store.ts';
import { RedisHistories } from '../plugins/history-stores/redis/redis.ts';

export interface HistoriesSetup {
  readonly config: Config;
  readonly kernel: Kernel;
  readonly pools: PoolTable;
}

/** @returns the store of a name in the configuration: that of a pool, the same each time */
export function historyStores({ config, kernel, pools }: HistoriesSetup): (pool: string) => HistoryStore {
  const stores = new Map<string, HistoryStore>();
  return (pool) => {
    const present = stores.get(pool);
    if (present) return present;
    const store = new RedisHistories({
      run: (commands) => pools.get<RedisRequest, unknown[]>(pool).request({ commands }),
      keyPrefix: `hive:${config.hive.cluster_name}:history:`,
      creation: kernel.creation,
    });
    stores.set(pool, store);
    return store;
  };
}
