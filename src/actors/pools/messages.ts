/** What the connectors' manager is asked. */
import type { Call } from '../../kernel/types.ts';
import type { PoolDescriptor } from '../../plugins/types.ts';

/** The name under which the manager is registered. */
export const connectorsName = 'hive_connectors';

export type ManagerMessage =
  | ({ readonly type: 'start'; readonly name: string; readonly descriptor: PoolDescriptor } & Call<void>)
  | ({ readonly type: 'stop'; readonly name: string } & Call<void>);
