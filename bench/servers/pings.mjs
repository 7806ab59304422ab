/**
 * Stands where a node stands, on the servers' processor, and sends Redis a PING on each message from its parent, with the client library
 * that Hive uses: how long one round trip takes. Argument: the port of Redis.
 */
import { Redis } from 'ioredis';

const redis = new Redis({ host: '127.0.0.1', port: Number(process.argv[2]), protocol: 2, lazyConnect: true });
await redis.connect();
console.log('ready');

process.on('message', async ({ id }) => {
  const start = performance.now();
  await redis.call('ping');
  process.send({ id, result: performance.now() - start });
});
