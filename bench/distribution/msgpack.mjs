/**
 * The plain way: standard MessagePack (no records, which only msgpackr itself could read) with four bytes of length in front,
 * over TCP. `msgpack.mjs receiver`, `msgpack.mjs sender PORT MESSAGES ROUND_TRIPS`. Frames are collected per turn of the event
 * loop and written together, as Hive's are; what is read goes to a bare callback.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Packr } from 'msgpackr';
import { batch, highWater, measure, message } from './message.mjs';

const packr = new Packr({ useRecords: false });
const [role, port, messages, roundTrips] = process.argv.slice(2);

/** Frames that are collected before they are written. */
const flushBytes = 64 * 1024;

/** Frames in and out of a socket. */
class Wire {
  #socket;
  #rest = Buffer.alloc(0);
  #slab = Buffer.allocUnsafeSlow(2 * flushBytes);
  #filled = 0;

  constructor(socket, receive) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
      let at = 0;
      while (data.length >= at + 4) {
        const end = at + 4 + data.readUInt32BE(at);
        if (data.length < end) break;
        receive(packr.unpack(data.subarray(at + 4, end)));
        at = end;
      }
      this.#rest = data.subarray(at);
    });
  }

  get queued() {
    return this.#filled + this.#socket.writableLength;
  }

  send(value) {
    const packed = packr.pack(value);
    if (this.#filled === 0) setImmediate(() => this.#flush());
    this.#slab.writeUInt32BE(packed.length, this.#filled);
    this.#slab.set(packed, this.#filled + 4);
    this.#filled += packed.length + 4;
    if (this.#filled >= flushBytes) this.#flush();
  }

  #flush() {
    if (this.#filled === 0) return;
    this.#socket.write(this.#slab.subarray(0, this.#filled));
    this.#slab = Buffer.allocUnsafeSlow(2 * flushBytes);
    this.#filled = 0;
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
