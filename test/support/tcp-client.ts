/** A client over bare TCP, for tests of what is on the wire: HTTP as text, frames of WebSockets as they are. */
import { connect, type Socket } from 'node:net';
import { eventually } from './eventually.ts';

export interface Frame {
  readonly first: number;
  readonly payload: Buffer;
}

export const first = { text: 0x81, binary: 0x82, close: 0x88, ping: 0x89, pong: 0x8a } as const;

export class TcpClient {
  readonly socket: Socket;
  isClosed = false;
  #received = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    this.socket.on('end', () => {
      this.isClosed = true;
      this.socket.end();
    });
    // A connection that is reset is closed as well.
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
    });
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  send(data: string | Uint8Array): this {
    this.socket.write(data);
    return this;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** What has come until `pattern` is in it. */
  async until(pattern: RegExp): Promise<string> {
    await eventually(() => pattern.test(this.text), `${pattern} in ${JSON.stringify(this.text.slice(0, 400))}`);
    return this.text;
  }

  /** All that has come when the server closes the connection. */
  async closed(): Promise<string> {
    await eventually(() => this.isClosed, `the end of the connection after ${JSON.stringify(this.text.slice(0, 400))}`);
    return this.text;
  }

  /** Asks for a WebSocket; resolves when it is there. */
  async upgrade(headers = 'Sec-WebSocket-Version: 13\r\n'): Promise<this> {
    this.send(upgradeRequest(headers));
    const head = await this.until(/\r\n\r\n/);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(head);
    this.#received = this.#received.subarray(this.#received.indexOf('\r\n\r\n') + 4);
    return this;
  }

  /** Takes the next frame. */
  frame(): Promise<Frame> {
    return eventually(() => this.#takeFrame(), 'a frame');
  }

  async frames(count: number): Promise<Frame[]> {
    const frames: Frame[] = [];
    while (frames.length < count) frames.push(await this.frame());
    return frames;
  }

  #takeFrame(): Frame | undefined {
    const bytes = this.#received;
    if (bytes.length < 2) return undefined;
    const short = bytes[1]! & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return undefined;
    const length = start === 4 ? bytes.readUInt16BE(2) : start === 10 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < start + length) return undefined;
    this.#received = bytes.subarray(start + length);
    return { first: bytes[0]!, payload: bytes.subarray(start, start + length) };
  }
}

export function upgradeRequest(headers = 'Sec-WebSocket-Version: 13\r\n'): string {
  return (
    'GET /socket?x=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n' +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`
  );
}

/** A frame of a client, masked with zeros. */
export function frame(firstByte: number, payload: string | Uint8Array = ''): Buffer {
  const data = Buffer.from(payload as string);
  const mask = Buffer.alloc(4);
  if (data.length < 126) return Buffer.concat([Buffer.from([firstByte, 0x80 | data.length]), mask, data]);
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(data.length));
  return Buffer.concat([Buffer.from([firstByte, 0xff]), long, mask, data]);
}
