import { durableSessionsSuite } from '../../support/durable-sessions-suite.ts';
import { missing } from '../../support/programs.ts';
import { RedisServer } from '../../support/redis.ts';
import { startSentinel } from '../../support/redis-sets.ts';

durableSessionsSuite(
  'the master of a Sentinel',
  async () => {
    const master = await RedisServer.start();
    const sentinel = await startSentinel(master, 'sessions');
    return {
      args: { sentinels: [`127.0.0.1:${sentinel.port}`], master_name: 'sessions' },
      stop: () => Promise.all([master.stop(), sentinel.stop()]),
    };
  },
  missing('redis-server'),
);
