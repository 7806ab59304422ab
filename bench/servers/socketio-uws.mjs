/** Socket.IO on uWebSockets.js. Environment: see shared/socketio.mjs */
import uWS from 'uWebSockets.js';
import { createSockets } from './shared/socketio.mjs';
import { servePublishing } from './shared/uws-http.mjs';

const app = uWS.App();
const io = createSockets();
io.attachApp(app);
servePublishing(app, (room, name, args) => io.to(room).emit(name, ...args));
