// @ts-check
/** A client that greets once, prints what it is told, and leaves. */
import { io } from 'socket.io-client';

const socket = io(process.argv[2] ?? 'http://127.0.0.1:8080', { transports: ['websocket'] });
socket.on('connect_error', ({ message }) => console.log('no connection:', message));
socket.on('connect', () => socket.emit('greet'));
socket.on('greeting', (text) => {
  console.log('greeting:', text);
  socket.disconnect();
});
