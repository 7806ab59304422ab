/** A client that says five words at once, every three seconds, and prints what it is told. */
import { io } from 'socket.io-client';

const socket = io(process.argv[2] ?? 'http://127.0.0.1:8080', { transports: ['websocket'] });
socket.onAny((name, arg) => console.log(name, JSON.stringify(arg)));
socket.on('connect_error', ({ message }) => console.log('no connection:', message));
socket.on('connect', () => socket.emit('join', 'plan.gold'));

function chatter() {
  for (const word of ['one', 'two', 'three', 'four', 'five']) socket.emit('say', word);
}
socket.once('connect', () => {
  chatter();
  setInterval(chatter, 3000);
});
