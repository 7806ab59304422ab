/** A WebSocket that does nothing by itself: frames go out and come in one by one, as recorded (RFC 6455). */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { parseResponse, type RawResponse } from './raw-http.ts';

export interface Frame {
  readonly opcode: string;
  readonly payload: Buffer;
}

/** What came next: a frame, the end of the connection, or nothing in time. */
export type Next = Frame | 'closed' | 'nothing';

const opcodes = new Map([
  ['continuation', 0],
  ['text', 1],
  ['binary', 2],
  ['close', 8],
  ['ping', 9],
  ['pong', 10],
]);
const names = new Map([...opcodes].map(([name, code]) => [code, name]));

export class RawWebSocket {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #frames: Frame[] = [];
  #closed = false;
  #upgraded = false;
  #wake: (() => void) | undefined;

  constructor(port: number, request: string) {
    this.#socket = connect(port, '127.0.0.1', () => this.#socket.write(request));
    this.#socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      if (this.#upgraded) this.#parse();
      this.#wake?.();
    });
    const end = (): void => {
      this.#closed = true;
      this.#wake?.();
    };
    this.#socket.on('error', end).on('close', end).on('end', end);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The answer to the upgrade request. */
  async answer(limitMs: number): Promise<RawResponse | undefined> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const parsed = parseResponse(this.#bytes, false, this.#closed);
      if (parsed) {
        this.#upgraded = parsed.response.status === 101;
        this.#bytes = Buffer.from(parsed.rest);
        if (this.#upgraded) this.#parse();
        return parsed.response;
      }
      if (this.#closed || performance.now() >= deadline) return undefined;
      await this.#more(deadline - performance.now());
    }
  }

  send(opcode: string, payload: Buffer, fin = true): void {
    const size = payload.length;
    const length = size < 126 ? [0x80 | size] : size < 65_536 ? [0xfe, size >> 8, size & 0xff] : [0xff];
    const head = Buffer.from([(fin ? 0x80 : 0) | (opcodes.get(opcode) ?? 1), ...length]);
    const long = Buffer.alloc(size < 65_536 ? 0 : 8);
    if (long.length > 0) long.writeBigUInt64BE(BigInt(size));
    const mask = randomBytes(4);
    const masked = Buffer.from(payload);
    for (let index = 0; index < size; index += 1) masked[index] = masked[index]! ^ mask[index % 4]!;
    this.#socket.write(Buffer.concat([head, long, mask, masked]));
  }

  async next(limitMs: number): Promise<Next> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      if (this.#closed) return 'closed';
      if (performance.now() >= deadline) return 'nothing';
      await this.#more(deadline - performance.now());
    }
  }

  /** Whether the server ends the connection in time. Frames before that stay to be taken. */
  async closes(limitMs: number): Promise<boolean> {
    const deadline = performance.now() + limitMs;
    while (!this.#closed && performance.now() < deadline) await this.#more(deadline - performance.now());
    return this.#closed;
  }

  /** What has come and was not taken. */
  rest(): Frame[] {
    return this.#frames.splice(0);
  }

  /** The client goes away without a word. */
  close(): void {
    this.#socket.destroy();
  }

  #parse(): void {
    for (;;) {
      if (this.#bytes.length < 2) return;
      const short = this.#bytes[1]! & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#bytes.length < start) return;
      const size =
        short < 126 ? short : short === 126 ? this.#bytes.readUInt16BE(2) : Number(this.#bytes.readBigUInt64BE(2));
      if (this.#bytes.length < start + size) return;
      const payload = Buffer.from(this.#bytes.subarray(start, start + size));
      this.#frames.push({ opcode: names.get(this.#bytes[0]! & 0x0f) ?? 'unknown', payload });
      this.#bytes = Buffer.from(this.#bytes.subarray(start + size));
    }
  }

  #more(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
