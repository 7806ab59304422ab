/**
 * A Socket.IO server with the events of the measurements, whatever it runs on. Environment: `BACK_END`, the base URL for the event
 * `post`; `REDIS`, the port of the Redis that connects several servers; `STREAMS`, whether that keeps what they send, and sessions, too;
 * `RECOVERY`, whether clients that come back get what they missed.
 */
import { createAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { asker } from './back-end.mjs';

const { BACK_END, REDIS, STREAMS, RECOVERY } = process.env;

export function createSockets() {
  const io = new Server({
    serveClient: false,
    ...(REDIS && { adapter: redisAdapter(Number(REDIS)) }),
    // With its own default, two minutes.
    ...(RECOVERY && { connectionStateRecovery: {} }),
  });
  stopOnRequest(io);
  const ask = BACK_END && asker(BACK_END);
  io.on('connection', (socket) => {
    if (socket.recovered) joinAgain(socket);
    else socket.data = { user: null };
    socket.on('echo', (...args) => socket.emit('echo', ...args));
    socket.on('join', async (room) => {
      await socket.join(room);
      socket.emit('join', room);
    });
    if (ask) {
      socket.on('post', async (...args) => {
        const orders = await ask(socket.id, { name: 'post', args }, socket.data);
        for (const order of orders) socket.emit(order.args.name, ...order.args.args);
      });
    }
  });
  return io;
}

/**
 * On uWebSockets.js, socket.io 4.8 does not subscribe a recovered client to the topics of its rooms: it would hear of its rooms no
 * more. It takes them back before the adapter can find it.
 */
function joinAgain(socket) {
  for (const room of socket.rooms) socket.join(room);
}

function redisAdapter(port) {
  const publisher = new Redis(port, '127.0.0.1');
  if (!STREAMS) return createAdapter(publisher, publisher.duplicate());
  stopped = async () => {
    // The sessions are stored when they have ended, and nobody waits for that.
    await publisher.quit();
  };
  return createStreamsAdapter(publisher);
}

let stopped = async () => {};

/** As an application stops that is replaced: everybody is sent away, and what is to be stored is. */
function stopOnRequest(io) {
  process.once('SIGTERM', () => {
    io.close(async () => {
      await stopped();
      process.exit(0);
    });
  });
}
