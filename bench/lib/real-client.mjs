/** socket.io-client itself, for what `RecoveringClient` imitates at less expense. */
import { io } from 'socket.io-client';

export class RealClient {
  onNews = () => {};
  onConnecting = () => {};
  onConnected = () => {};
  onReady = () => {};
  onFault = (error) => {
    throw error;
  };
  isReady = false;
  /** Also while it is away, unlike the library's. */
  sid;
  #socket;

  constructor({ host, port }, room) {
    const options = { transports: ['websocket'], forceNew: true, autoConnect: false, reconnection: false };
    const socket = io(`http://${host}:${port}`, options);
    const ready = () => {
      this.isReady = true;
      this.onReady();
    };
    socket.io.on('open', () => this.onConnecting());
    socket.on('connect', () => {
      this.sid = socket.id;
      this.onConnected(socket.recovered);
      if (socket.recovered) ready();
      else socket.emit('join', room);
    });
    socket.on('join', ready);
    socket.on('news', ({ p, n }) => this.onNews(Number(p), Number(n)));
    socket.on('connect_error', (error) => this.onFault(error));
    this.#socket = socket;
  }

  connect() {
    this.#socket.connect();
  }

  /** Always seen by the server. */
  cut() {
    this.isReady = false;
    this.#socket.io.engine.transport.ws.terminate();
  }
}
