/** Raw uWebSockets.js with native topics, the limit of what the library can do. `uws.mjs [--redis PORT]` */
import uWS from 'uWebSockets.js';
import { joinRoom } from './shared/events.mjs';
import { servePublishing } from './shared/uws-http.mjs';

const app = uWS.App();

app.ws('/*', {
  maxPayloadLength: 1_000_000,
  idleTimeout: 120,
  message(ws, message) {
    const bytes = Buffer.from(message);
    const room = joinRoom(bytes);
    if (room !== undefined) ws.subscribe(room);
    ws.send(bytes, false);
  },
});

const publish = (room, name, args) => app.publish(room, `42${JSON.stringify([name, ...args])}`, false);
servePublishing(app, publish);
