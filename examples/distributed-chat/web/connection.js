/**
 * The connection to the cluster: to one node at a time, and to the next one when it fails.
 *
 * The Socket.IO client reconnects to the same address only, so its own reconnection is off and each attempt is a new socket.
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
  #listener;
  #socket;
  #failures = 0;

  /** `listener` has `trying(node)`, `up(node)`, `down(node)` and `received(name, value)`. */
  constructor(nodes, first, listener) {
    this.#nodes = nodes;
    this.#index = first;
    this.#listener = listener;
    this.#connect();
  }

  get connected() {
    return this.#socket.connected;
  }

  /** Sends an event; false if there is no connection, for it would be of no use to a later session. */
  emit(name, value) {
    if (!this.connected) return false;
    this.#socket.emit(name, value);
    return true;
  }

  #connect() {
    const node = this.#nodes[this.#index];
    this.#listener.trying(node);
    const socket = window.io(node.url, {
      forceNew: true,
      reconnection: false,
      timeout: ATTEMPT_MS,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
    });
    this.#socket = socket;
    socket.on('connect', () => {
      this.#failures = 0;
      this.#listener.up(node);
    });
    socket.on('connect_error', () => this.#tryNext(socket));
    socket.on('disconnect', () => {
      this.#listener.down(node);
      this.#tryNext(socket);
    });
    socket.onAny((name, value) => this.#listener.received(name, value));
  }

  #tryNext(failed) {
    if (failed !== this.#socket) return;
    failed.off();
    failed.close();
    const rounds = Math.floor(this.#failures / this.#nodes.length);
    const pause = Math.min(PAUSE_MS * 2 ** rounds, MAX_PAUSE_MS) * (0.5 + Math.random());
    this.#failures += 1;
    this.#index = (this.#index + 1) % this.#nodes.length;
    setTimeout(() => this.#connect(), pause);
  }
}
