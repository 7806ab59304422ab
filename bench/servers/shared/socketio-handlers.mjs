/** What a Socket.IO server does with the events of the measurements, whatever it runs on. */
import { Pool } from 'undici';

/** @param backEnd base URL; undefined where no event leads there */
export function handleSockets(io, backEnd) {
  const pool = backEnd === undefined ? undefined : new Pool(backEnd, { connections: 100, pipelining: 1 });
  io.on('connection', (socket) => {
    socket.data = { user: null };
    socket.on('echo', (...args) => socket.emit('echo', ...args));
    socket.on('join', (room) => {
      socket.join(room);
      socket.emit('join', room);
    });
    if (pool) socket.on('post', (...args) => post(pool, socket, args));
  });
}

/** The same metadata goes to the back end as Hive sends, and the same answer comes back. */
async function post(pool, socket, args) {
  const { body } = await pool.request({
    method: 'POST',
    path: '/hook',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sid: socket.id, trigger: { name: 'post', args }, state: socket.data }),
  });
  for (const { args: event } of await body.json()) socket.emit(event.name, ...event.args);
}
