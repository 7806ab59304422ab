/** Clients that say exactly what a test wants to be said. */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'undici';
import { eventually } from './eventually.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
}

export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return { status: response.status, body: await response.text(), headers: response.headers };
}

/** A WebSocket that keeps what it receives, bytes as `0x` and their digits. */
export class RawSocket {
  readonly messages: string[] = [];
  /** The close code, once there is one. */
  code: number | undefined;
  readonly #socket: WebSocket;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#socket = new WebSocket(url.replace(/^http/, 'ws'), { headers });
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }) => {
      this.messages.push(typeof data === 'string' ? data : `0x${Buffer.from(data as ArrayBuffer).toString('hex')}`);
    });
    this.#socket.addEventListener('close', (event) => {
      this.code = event.code;
    });
  }

  /** Resolves when it can send. */
  async opened(): Promise<this> {
    await eventually(() => this.#socket.readyState === WebSocket.OPEN, 'the socket to open');
    return this;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /** Engine.IO 4: answers the server's pings from now on. */
  answerPings(): void {
    this.#socket.addEventListener('message', ({ data }) => data === '2' && this.send('3'));
  }

  close(): void {
    this.#socket.close();
  }

  /** Takes the next message. */
  async next(): Promise<string> {
    await eventually(() => this.messages.length > 0, 'a message');
    return this.messages.shift()!;
  }

  async closed(): Promise<number> {
    await eventually(() => this.code !== undefined, 'the end of the socket');
    return this.code!;
  }
}

/** A TCP connection after a WebSocket upgrade; reads nothing until told to. */
export async function rawUpgrade(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

/** A masked text frame of less than 126 bytes. */
export function textFrame(text: string): Buffer {
  const data = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | data.length, 0, 0, 0, 0]), data]);
}
