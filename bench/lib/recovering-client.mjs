/**
 * A client that loses its connection and comes back, as socket.io-client does since 4.6: it shows the secret that it was given and the
 * position of the last event that it has seen, and is recovered if it is given the same secret again. Otherwise it joins its room anew.
 */
import { clientFrame, opcodes } from './frames.mjs';
import { readNews } from './messages.mjs';
import { WsClient } from './ws-client.mjs';

export class RecoveringClient {
  /** Called with publisher and number of each message. */
  onNews = () => {};
  /** CONNECT is about to be sent. */
  onConnecting = () => {};
  /** The server has answered; `recovered`: the session is the former one. */
  onConnected = () => {};
  /** It is in the room. */
  onReady = () => {};
  onFault = (error) => {
    throw error;
  };
  isReady = false;
  sid;
  /** Where it connects the next time. */
  target;
  #joinText;
  #pid;
  /** Outlives the session, as in socket.io-client. */
  #position;
  #connection;
  /** To the server it still lives. */
  #silent;

  constructor(target, room) {
    this.target = target;
    this.#joinText = `42${JSON.stringify(['join', room])}`;
  }

  connect() {
    const auth = this.#pid === undefined ? undefined : { pid: this.#pid, offset: this.#position };
    const connection = new WsClient(this.target, { auth });
    this.#connection = connection;
    connection.keepsPosition = true;
    connection.onFault = (error) => this.onFault(error);
    connection.onLost = (error) => this.lost(error);
    connection.onConnecting = () => this.onConnecting();
    connection.onReady = () => this.#connected(connection);
    connection.onEvent = (bytes, start, end) => {
      this.#position = connection.position;
      this.#event(bytes, start, end);
    };
  }

  /** The server has let it go, or does not take it. */
  lost(error) {
    this.onFault(error);
  }

  /** @param silently without the server being told, as when a network goes away; otherwise the connection is closed, without a goodbye */
  cut(silently) {
    this.isReady = false;
    if (silently) {
      this.#silent = this.#connection;
      this.#silent.silence();
    } else {
      this.#connection.destroy();
    }
  }

  #connected({ sid, pid }) {
    const recovered = pid !== undefined && pid === this.#pid;
    this.sid = sid;
    this.#pid = pid;
    this.#silent?.destroy();
    this.#silent = undefined;
    this.onConnected(recovered);
    if (recovered) this.ready();
    else this.#connection.send(clientFrame(opcodes.text, this.#joinText));
  }

  #event(bytes, start, end) {
    if (readNews.isNews(start, end)) this.onNews(readNews.publisher(bytes, start), readNews.number(bytes, start));
    else if (bytes.latin1Slice(start, end) === this.#joinText) this.ready();
    else this.onFault(new Error(`neither news nor ${this.#joinText}: ${bytes.latin1Slice(start, end)}`));
  }

  ready() {
    this.isReady = true;
    this.onReady();
  }
}
