/** Socket.IO on `ws`, its default. Environment: see shared/socketio.mjs */
import { createServer } from 'node:http';
import { servePublishing } from './shared/node-http.mjs';
import { createSockets } from './shared/socketio.mjs';

const server = createServer();
const io = createSockets();
io.attach(server);
servePublishing(server, (room, name, args) => io.to(room).emit(name, ...args));
