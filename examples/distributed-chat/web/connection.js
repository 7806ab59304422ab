/**
 * The connection to the cluster: to one node at a time. After a loss, it returns to that node at first, which knows best what we have
 * missed, then goes to the next one.
 *
 * It is one socket all the time, since a Socket.IO client knows by itself what it has heard, and tells the node when it returns.
 * It reconnects to the same address only, so its own reconnection is off.
 */

const PAUSE_MS = 250; // before the first attempt after a failure
const MAX_PAUSE_MS = 5000;
const ATTEMPT_MS = 5000; // what a node may take to accept us

/** The node to begin with: the one that `?node=` names (by name or number, from 1), or any. */
export function firstNode(nodes, wanted) {
  const named = nodes.findIndex((node) => node.name === wanted);
  if (named >= 0) return named;
  const numbered = Number(wanted) - 1;
  return nodes[numbered] ? numbered : Math.floor(Math.random() * nodes.length);
}

export class Connection {
  #nodes;
  #index;
  #home; // index of the node that we were connected to last
  #listener;
  #socket;
  #failures = 0;
  #timer; // until the next attempt

  /**
   * `listener` has `trying(node)`, `up(node, recovered)`, `down(node)` and `received(name, value)`. `recovered`: it is the same
   * session as before, and what it was sent meanwhile follows.
   */
  constructor(nodes, first, listener) {
    this.#nodes = nodes;
    this.#index = first;
    this.#home = first;
    this.#listener = listener;
    this.#socket = this.#open();
    this.#connect();
    addEventListener('online', () => this.#goHome());
    // Who closes the page has left, and is not waited for.
    addEventListener('pagehide', () => this.#socket.disconnect());
  }

  /** The id of our session; undefined without a connection. */
  get sid() {
    return this.#socket.id;
  }

  /** Sends an event; false if there is no connection, for it would be of no use to a later session. */
  emit(name, value) {
    if (!this.#socket.connected) return false;
    this.#socket.emit(name, value);
    return true;
  }

  #open() {
    const socket = window.io(this.#nodes[this.#index].url, {
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      timeout: ATTEMPT_MS,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
    });
    socket.on('connect', () => {
      this.#failures = 0;
      this.#home = this.#index;
      this.#listener.up(this.#nodes[this.#index], socket.recovered === true);
    });
    socket.on('connect_error', () => this.#tryAgain());
    socket.on('disconnect', () => {
      this.#listener.down(this.#nodes[this.#index]);
      this.#tryAgain();
    });
    // Nodes with recovery add an argument to each event, its position.
    socket.onAny((name, value) => this.#listener.received(name, value));
    return socket;
  }

  #connect() {
    this.#timer = undefined;
    const node = this.#nodes[this.#index];
    this.#listener.trying(node);
    this.#socket.io.uri = node.url;
    this.#socket.connect();
  }

  #tryAgain() {
    if (this.#timer !== undefined) return;
    const rounds = Math.floor(this.#failures / this.#nodes.length);
    const pause = Math.min(PAUSE_MS * 2 ** rounds, MAX_PAUSE_MS) * (0.5 + Math.random());
    if (this.#failures > 0) this.#index = (this.#index + 1) % this.#nodes.length;
    this.#failures += 1;
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  /** The network is back. */
  #goHome() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#failures = 0;
    this.#index = this.#home;
    this.#connect();
  }
}
