/** One of Hive's socket libraries without Hive, with rooms as its topics. Environment: `HIVE_SOCKETS`, which. */
import { chooseSockets } from '../../dist/web/sockets/choice.js';

const { library } = chooseSockets();
const app = library.createApp();
const join = '42["join","';
const prefix = '/publish/';

app.ws('/*', {
  maxPayloadLength: 1_000_000,
  maxBackpressure: 16_000_000,
  compression: false,
  upgrade(res, req, context) {
    const key = req.getHeader('sec-websocket-key');
    res.cork(() => res.upgrade({}, key, '', req.getHeader('sec-websocket-extensions'), context));
  },
  open() {},
  message(socket, data) {
    const text = typeof data === 'string' ? data : Buffer.from(data).toString();
    if (text.startsWith(join)) socket.subscribe(text.slice(join.length, -2));
    socket.send(text);
  },
  ping() {},
  pong() {},
  drain() {},
  close() {},
});

app.post('/*', (res, req) => {
  const room = req.getUrl().slice(prefix.length);
  const chunks = [];
  res.onAborted(() => {});
  res.onData((chunk, isLast) => {
    chunks.push(Buffer.from(chunk.slice(0)));
    if (!isLast) return;
    const { name, args } = JSON.parse(Buffer.concat(chunks).toString());
    app.publish(room, `42${JSON.stringify([name, ...args])}`, false, false);
    res.cork(() => res.end());
  });
});

const { port } = await app.listen('127.0.0.1', 0);
console.log(`ready ${port}`);
