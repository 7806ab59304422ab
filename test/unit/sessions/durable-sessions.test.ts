import { durableSessionsSuite } from '../../support/durable-sessions-suite.ts';
import { missing } from '../../support/programs.ts';
import { RedisServer } from '../../support/redis.ts';

durableSessionsSuite(
  'one server',
  async () => {
    const server = await RedisServer.start();
    return { args: { host: '127.0.0.1', port: server.port }, stop: () => server.stop() };
  },
  missing('redis-server'),
);
