/**
 * A client of the contestants: a WebSocket, and on it either Socket.IO 5 over Engine.IO 4 or nothing. Events look the same in
 * both cases, `42["name",…]`, so that every contestant moves the same bytes.
 */
import { clientFrame, opcodes } from './frames.mjs';
import { Wire } from './wire.mjs';

/** A fixed key: its answer is known, so it can be checked without hashing. */
const key = 'AAAAAAAAAAAAAAAAAAAAAA==';
const accept = 'ICX+Yqv66kxgM0FcWaLWlFLwTAI=';

const pongFrame = clientFrame(opcodes.text, '3');
const probeFrame = clientFrame(opcodes.text, '2probe');
const upgradeFrame = clientFrame(opcodes.text, '5');
const connectFrame = clientFrame(opcodes.text, '40');
const closeFrame = clientFrame(opcodes.close, Buffer.from([0x03, 0xe8]));

/** First characters of packets. */
const [open, ping, message, event] = [0x30, 0x32, 0x34, 0x32];

export class WsClient {
  /** Called with each event: bytes, start and end of `42[…]`. */
  onEvent = () => {
    throw new Error('an event that nothing waits for');
  };
  onReady = () => {};
  /** The server has taken leave properly, and the connection is gone. */
  onClosed = () => {};
  onFault = (error) => {
    throw error;
  };
  sid;
  #wire;
  #socketIo;
  #upgrades;
  #stage = 'upgrade';

  /**
   * @param target `{ host, port, protocol: 'socketio' | 'plain' }`
   * @param sid of a connection that has begun with polling, and is to be upgraded
   */
  constructor(target, sid) {
    this.#socketIo = target.protocol === 'socketio';
    this.#upgrades = sid !== undefined;
    const query = `EIO=4&transport=websocket${sid === undefined ? '' : `&sid=${sid}`}`;
    const path = this.#socketIo ? `/socket.io/?${query}` : '/';
    this.#wire = new Wire(target, (bytes, end) => this.#consume(bytes, end));
    this.#wire.onClose = (error) => this.#lost(error);
    this.#wire.write(
      Buffer.from(
        `GET ${path} HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
      ),
    );
  }

  /** @param frame made by `clientFrame` */
  send(frame) {
    this.#wire.write(frame);
  }

  /** Begins the closing handshake. */
  close() {
    this.#stage = 'closing';
    this.#wire.write(closeFrame);
  }

  /** Ends the connection at once. */
  destroy() {
    this.#stage = 'closed';
    this.#wire.destroy();
  }

  #consume(bytes, end) {
    let at = 0;
    if (this.#stage === 'upgrade') {
      at = this.#upgraded(bytes, end);
      if (at === 0) return 0;
    }
    while (end - at >= 2) {
      let length = bytes[at + 1];
      let start = at + 2;
      if (length === 126) {
        if (end - at < 4) break;
        length = (bytes[at + 2] << 8) | bytes[at + 3];
        start = at + 4;
      } else if (length > 126) {
        throw new Error('the server sent a masked or giant frame');
      }
      if (start + length > end) break;
      this.#frame(bytes[at], bytes, start, start + length);
      at = start + length;
    }
    return at;
  }

  #upgraded(bytes, end) {
    const headEnd = bytes.subarray(0, end).indexOf('\r\n\r\n');
    if (headEnd < 0) return 0;
    const head = bytes.latin1Slice(0, headEnd);
    if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(accept)) {
      this.#fail(`the server refused the WebSocket: ${head}`);
      return end;
    }
    this.#stage = this.#socketIo ? 'handshake' : 'ready';
    if (!this.#socketIo) this.onReady(this);
    else if (this.#upgrades) this.#wire.write(probeFrame);
    return headEnd + 4;
  }

  #frame(opcode, bytes, start, end) {
    if (opcode === opcodes.text) {
      if (bytes[start] === message && bytes[start + 1] === event && end > start + 2)
        this.onEvent(bytes, start, end, this);
      else this.#packet(bytes, start, end);
    } else if (opcode === opcodes.close) {
      if (this.#stage !== 'closing')
        this.#fail(`the server closed the connection: ${bytes.subarray(start, end).toString()}`);
      this.#stage = 'closed';
      this.#wire.end();
    } else if (opcode === opcodes.ping) {
      this.#wire.write(clientFrame(opcodes.pong, bytes.subarray(start, end)));
    } else {
      this.#fail(`a frame with opcode ${opcode}`);
    }
  }

  /** What is not an event: the handshake, and heartbeats. */
  #packet(bytes, start, end) {
    if (bytes[start] === ping && end === start + 1) {
      this.#wire.write(pongFrame);
      return;
    }
    const text = bytes.latin1Slice(start, end);
    if (this.#stage === 'handshake' && !this.#upgrades && bytes[start] === open) {
      this.#wire.write(connectFrame);
    } else if (this.#upgrades && text === '3probe') {
      this.#wire.write(upgradeFrame);
      this.#wire.write(connectFrame);
    } else if (this.#stage === 'handshake' && text.startsWith('40{"sid":"')) {
      this.sid = JSON.parse(text.slice(2)).sid;
      this.#stage = 'ready';
      this.onReady(this);
    } else {
      this.#fail(`an unexpected packet: ${text}`);
    }
  }

  #lost(error) {
    if (this.#stage === 'closed') this.onClosed(this);
    else this.#fail(`the connection was lost (${this.#stage}): ${error?.message ?? 'closed by the server'}`);
  }

  #fail(text) {
    this.#stage = 'closed';
    this.#wire.destroy();
    this.onFault(new Error(text));
  }
}
