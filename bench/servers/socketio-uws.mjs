/** Socket.IO on uWebSockets.js. `socketio-uws.mjs [BACK_END_URL]` */

import uWS from 'uWebSockets.js';
import { Server } from 'socket.io';
import { handleSockets } from './shared/socketio-handlers.mjs';
import { servePublishing } from './shared/uws-http.mjs';

const app = uWS.App();
const io = new Server({ serveClient: false });
io.attachApp(app);
handleSockets(io, process.env.BACK_END);
servePublishing(app, (room, name, args) => io.to(room).emit(name, ...args));
