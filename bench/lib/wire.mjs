/**
 * A TCP connection that costs the load generator little: all connections read into one buffer, without a stream in between, and
 * what a reader has not consumed is kept for the next piece.
 */
import { connect } from 'node:net';
import { activity } from './spin.mjs';

const shared = Buffer.allocUnsafe(1024 * 1024);

export class Wire {
  /** Called with bytes and their end; gives how many of them are consumed. The bytes are valid during the call only. */
  consume;
  onClose = () => {};
  #socket;
  #rest;

  constructor({ host, port }, consume) {
    this.consume = consume;
    const callback = (length) => {
      this.#received(length);
      return true;
    };
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: shared, callback } });
    this.#socket.on('close', () => {
      activity.count += 1;
      this.onClose(this.error);
    });
    this.#socket.on('error', (error) => {
      this.error = error;
    });
  }

  write(bytes) {
    this.#socket.write(bytes);
  }

  /** Reads nothing any more. */
  pause() {
    this.#socket.pause();
  }

  end() {
    this.#socket.end();
  }

  destroy() {
    this.#socket.destroy();
  }

  #received(length) {
    activity.count += 1;
    const rest = this.#rest;
    const bytes = rest ? Buffer.concat([rest, shared.subarray(0, length)]) : shared;
    const end = rest ? bytes.length : length;
    const used = this.consume(bytes, end);
    this.#rest = used < end ? Buffer.from(bytes.subarray(used, end)) : undefined;
  }
}
