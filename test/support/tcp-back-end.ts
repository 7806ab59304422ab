/** A back end that speaks frames over TCP: one connection of it, and a server of such connections. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { encodeFrame, type Frame, FrameReader } from '../../src/protocol/backend/framing.ts';
import { eventually } from './eventually.ts';

export class TcpBackEnd {
  readonly socket: Socket;
  /** What came and was not taken by `next`. */
  readonly frames: Frame[] = [];
  /** What is done with each frame; without it they are kept. */
  answer: ((frame: Frame) => void) | undefined;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket.setNoDelay();
    const reader = new FrameReader(1_000_000, (frame) => {
      if (this.answer) this.answer(frame);
      else this.frames.push(frame);
    });
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Connects to a pool that listens. */
  static async connect(port: number): Promise<TcpBackEnd> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new TcpBackEnd(socket);
  }

  /** The oldest frame that was not taken, awaited if need be. */
  async next(): Promise<Frame> {
    await eventually(() => this.frames.length > 0, 'a frame');
    return this.frames.shift()!;
  }

  send(endpoint: string, payload: string): void {
    this.socket.write(encodeFrame(endpoint, payload));
  }

  /** Every frame is sent back, those that came already, too. */
  echo(): this {
    this.answer = ({ endpoint, payload }) => this.send(endpoint, payload);
    for (const frame of this.frames.splice(0)) this.answer(frame);
    return this;
  }

  async untilClosed(): Promise<void> {
    await eventually(() => this.closed, 'the end of the connection');
  }
}

/** Where a pool connects to. */
export class TcpBackEndServer {
  readonly connections: TcpBackEnd[] = [];
  readonly #server: Server;
  readonly #greet: (connection: TcpBackEnd) => void;

  /** @param greet is told of each new connection */
  constructor(greet: (connection: TcpBackEnd) => void = () => {}) {
    this.#greet = greet;
    this.#server = createServer((socket) => {
      const connection = new TcpBackEnd(socket);
      this.connections.push(connection);
      this.#greet(connection);
    });
  }

  get open(): TcpBackEnd[] {
    return this.connections.filter(({ closed }) => !closed);
  }

  /** Resolves to the port. */
  async listen(port = 0): Promise<number> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    if (this.#server.listening) this.#server.close();
    for (const { socket } of this.connections) socket.destroy();
  }
}
