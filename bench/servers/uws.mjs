/**
 * Raw uWebSockets.js with native topics, the limit of what the library can do. Environment: `BACK_END`, the base URL for the event
 * `post`; `REDIS`, the port of the Redis that connects several servers.
 */

import uWS from 'uWebSockets.js';
import { Redis } from 'ioredis';
import { asker } from './shared/back-end.mjs';
import { joinRoom } from './shared/events.mjs';
import { servePublishing } from './shared/uws-http.mjs';

const { BACK_END, REDIS } = process.env;
const app = uWS.App();
const ask = BACK_END && asker(BACK_END);
const redis = REDIS && connectRedis(Number(REDIS));

app.ws('/*', {
  maxPayloadLength: 1_000_000,
  idleTimeout: 120,
  message(ws, message) {
    const bytes = Buffer.from(message);
    const room = joinRoom(bytes);
    if (room !== undefined) join(ws, room);
    else if (ask) answer(ws, bytes);
    else ws.send(bytes, false);
  },
});

async function join(ws, room) {
  ws.subscribe(room);
  await redis?.subscribe(room);
  ws.send(`42${JSON.stringify(['join', room])}`, false);
}

async function answer(ws, bytes) {
  const [name, ...args] = JSON.parse(bytes.toString('utf8', 2));
  const orders = await ask('', { name, args }, { user: null });
  for (const order of orders) ws.send(`42${JSON.stringify([order.args.name, ...order.args.args])}`, false);
}

/** Everything goes through Redis, so that it arrives in one order. */
function connectRedis(port) {
  const publisher = new Redis(port, '127.0.0.1');
  const subscriber = publisher.duplicate();
  subscriber.on('message', (room, text) => app.publish(room, text, false));
  return { subscribe: (room) => subscriber.subscribe(room), publish: (room, text) => publisher.publish(room, text) };
}

servePublishing(app, (room, name, args) => {
  const text = `42${JSON.stringify([name, ...args])}`;
  if (redis) redis.publish(room, text);
  else app.publish(room, text, false);
});
