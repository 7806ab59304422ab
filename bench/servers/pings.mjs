/**
 * Stands where a node stands, on the servers' processor, and sends Redis a PING on each message from its parent: over bare TCP, as
 * the least that a round trip can take, or with the client library that Hive uses. Argument: the port of Redis.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';

const place = { host: '127.0.0.1', port: Number(process.argv[2]) };
const redis = new Redis({ ...place, protocol: 2, lazyConnect: true });
await redis.connect();
const socket = connect({ ...place, noDelay: true });
await once(socket, 'connect');
const ping = Buffer.from('PING\r\n');

function bare() {
  return new Promise((resolve) => {
    socket.once('data', resolve);
    socket.write(ping);
  });
}

console.log('ready');

process.on('message', async ({ id, command }) => {
  const start = performance.now();
  if (command === 'bare') await bare();
  else await redis.call('ping');
  process.send({ id, result: performance.now() - start });
});
