/**
 * The plain way: MessagePack with four bytes of length in front, over TCP. `msgpack.mjs receiver`, `msgpack.mjs sender PORT
 * MESSAGES ROUND_TRIPS`. Frames are collected per turn of the event loop and written together, as Hive's are.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { batch, highWater, measure, message } from './message.mjs';

const packr = new Packr({ useRecords: false });
const [role, port, messages, roundTrips] = process.argv.slice(2);

/** Frames in and out of a socket. */
class Wire {
  #socket;
  #rest = Buffer.alloc(0);
  #frames = [];
  #bytes = 0;

  constructor(socket, receive) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
      while (data.length >= 4) {
        const end = 4 + data.readUInt32BE(0);
        if (data.length < end) break;
        receive(packr.unpack(data.subarray(4, end)));
        data = data.subarray(end);
      }
      this.#rest = data;
    });
  }

  get queued() {
    return this.#bytes + this.#socket.writableLength;
  }

  send(value) {
    const packed = packr.pack(value);
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32BE(packed.length);
    if (this.#frames.length === 0) setImmediate(() => this.#flush());
    this.#frames.push(head, packed);
    this.#bytes += packed.length + 4;
    if (this.#bytes >= 64 * 1024) this.#flush();
  }

  #flush() {
    if (this.#frames.length === 0) return;
    this.#socket.write(Buffer.concat(this.#frames, this.#bytes));
    this.#frames = [];
    this.#bytes = 0;
  }
}

if (role === 'receiver') {
  const server = createServer((socket) => {
    let count = 0;
    const wire = new Wire(socket, (received) => {
      if (received.type === 'count') wire.send({ id: received.id, count });
      else count += 1;
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ at: server.address().port })));
} else {
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const waiting = new Map();
  const wire = new Wire(socket, ({ id, count }) => {
    waiting.get(id)(count);
    waiting.delete(id);
  });
  let last = 0;
  const ask = () =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      wire.send({ type: 'count', id: last });
    });
  const sendAll = async (total) => {
    const before = await ask();
    for (let n = 1; n <= total; n += 1) {
      wire.send(message(n));
      if (n % batch === 0) {
        do await turn();
        while (wire.queued > highWater);
      }
    }
    const arrived = (await ask()) - before;
    if (arrived !== total) throw new Error(`${arrived} of ${total} messages arrived`);
  };
  await measure(sendAll, ask, Number(messages), Number(roundTrips));
}
