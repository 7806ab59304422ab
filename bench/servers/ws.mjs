/** The `ws` package with rooms of its own. */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { joinRoom } from './shared/events.mjs';
import { servePublishing } from './shared/node-http.mjs';

const rooms = new Map();

function join(room, socket) {
  const members = rooms.get(room) ?? new Set();
  rooms.set(room, members.add(socket));
  socket.on('close', () => members.delete(socket));
}

const server = createServer();
const sockets = new WebSocketServer({ server, maxPayload: 1_000_000 });
sockets.on('connection', (socket) => {
  socket.on('message', (bytes) => {
    const room = joinRoom(bytes);
    if (room !== undefined) join(room, socket);
    socket.send(bytes, { binary: false });
  });
});

servePublishing(server, (room, name, args) => {
  const bytes = Buffer.from(`42${JSON.stringify([name, ...args])}`);
  for (const socket of rooms.get(room) ?? []) socket.send(bytes, { binary: false });
});
