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
const closeFrame = clientFrame(opcodes.close, Buffer.from([0x03, 0xe8]));

/** First characters of packets. */
const [open, ping, message, event] = [0x30, 0x32, 0x34, 0x32];
const [quote, comma, bracket] = [0x22, 0x2c, 0x5d];

export class WsClient {
  /** Called with each event: bytes, start and end of `42[…]`. */
  onEvent = () => {
    throw new Error('an event that nothing waits for');
  };
  /** CONNECT is about to be sent. */
  onConnecting = () => {};
  onReady = () => {};
  /** The server has taken leave properly, and the connection is gone. */
  onClosed = () => {};
  onFault = (error) => {
    throw error;
  };
  /** The server does not take it, or has let it go. */
  onLost = (error) => this.onFault(error);
  sid;
  /** The secret that a server with recovery asks for when the client comes back. It adds a position to every event, which is taken off. */
  pid;
  /** The position of the last event, if `keepsPosition`. */
  position;
  keepsPosition = false;
  #wire;
  #socketIo;
  #upgrades;
  #connectFrame;
  /** Events that came before the answer to CONNECT wait for it, as in socket.io-client. */
  #early = [];
  #stage = 'upgrade';

  /**
   * @param target `{ host, port, protocol: 'socketio' | 'plain' }`
   * @param options `sid`: of a connection that has begun with polling, and is to be upgraded; `auth`: what CONNECT carries
   */
  constructor(target, { sid, auth } = {}) {
    this.#socketIo = target.protocol === 'socketio';
    this.#upgrades = sid !== undefined;
    this.#connectFrame = clientFrame(opcodes.text, `40${auth === undefined ? '' : JSON.stringify(auth)}`);
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

  /** Reads nothing any more, and answers nothing: to the server the connection looks alive. */
  silence() {
    this.#wire.pause();
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
      this.#leave(`the server refused the WebSocket: ${head}`);
      return end;
    }
    this.#stage = this.#socketIo ? 'handshake' : 'ready';
    if (!this.#socketIo) this.onReady(this);
    else if (this.#upgrades) this.#wire.write(probeFrame);
    return headEnd + 4;
  }

  #frame(opcode, bytes, start, end) {
    if (opcode === opcodes.text) {
      if (bytes[start] === message && bytes[start + 1] === event && end > start + 2) this.#event(bytes, start, end);
      else this.#packet(bytes, start, end);
    } else if (opcode === opcodes.close) {
      if (this.#stage !== 'closing')
        this.#leave(`the server closed the connection: ${bytes.subarray(start, end).toString()}`);
      this.#stage = 'closed';
      this.#wire.end();
    } else if (opcode === opcodes.ping) {
      this.#wire.write(clientFrame(opcodes.pong, bytes.subarray(start, end)));
    } else {
      this.#fail(`a frame with opcode ${opcode}`);
    }
  }

  #event(bytes, start, end) {
    if (this.#stage === 'handshake') this.#early.push(Buffer.from(bytes.subarray(start, end)));
    else this.onEvent(bytes, start, this.pid === undefined ? end : this.#withoutPosition(bytes, start, end), this);
  }

  /** Takes the last argument off an event, in place; gives the new end. */
  #withoutPosition(bytes, start, end) {
    let at = end - 3;
    while (at > start && bytes[at] !== quote) at -= 1;
    if (bytes[end - 1] !== bracket || bytes[end - 2] !== quote || bytes[at - 1] !== comma) {
      this.#fail(`an event without a position: ${bytes.latin1Slice(start, end)}`);
      return end;
    }
    if (this.keepsPosition) this.position = bytes.latin1Slice(at + 1, end - 2);
    bytes[at - 1] = bracket;
    return at;
  }

  /** What is not an event: the handshake, and heartbeats. */
  #packet(bytes, start, end) {
    if (bytes[start] === ping && end === start + 1) {
      this.#wire.write(pongFrame);
      return;
    }
    const text = bytes.latin1Slice(start, end);
    if (this.#stage === 'handshake' && !this.#upgrades && bytes[start] === open) {
      this.#connect();
    } else if (this.#upgrades && text === '3probe') {
      this.#wire.write(upgradeFrame);
      this.#connect();
    } else if (this.#stage === 'handshake' && text.startsWith('40{"sid":"')) {
      this.#connected(JSON.parse(text.slice(2)));
    } else if (text.startsWith('41') || text.startsWith('44') || text === '1') {
      this.#leave(`the server took leave: ${text}`);
    } else {
      this.#fail(`an unexpected packet: ${text}`);
    }
  }

  #connect() {
    this.onConnecting();
    this.#wire.write(this.#connectFrame);
  }

  #connected({ sid, pid }) {
    this.sid = sid;
    this.pid = pid;
    this.#stage = 'ready';
    this.onReady(this);
    for (const bytes of this.#early.splice(0)) this.#event(bytes, 0, bytes.length);
  }

  #lost(error) {
    if (this.#stage === 'closed') this.onClosed(this);
    else this.#leave(`the connection was lost (${this.#stage}): ${error?.message ?? 'closed by the server'}`, error);
  }

  #leave(text, cause) {
    this.#stage = 'closed';
    this.#wire.destroy();
    this.onLost(new Error(text, { cause }));
  }

  #fail(text) {
    this.#stage = 'closed';
    this.#wire.destroy();
    this.onFault(new Error(text));
  }
}
