/** One kept-alive connection that posts what was encoded before, one request at a time. */
import { Wire } from './wire.mjs';

const contentLength = /\r\ncontent-length: *(\d+)/i;

export class HttpClient {
  /** Called with body and head of each answer. Any other status than `accepts` is a fault. */
  onAnswer = () => {};
  accepts = /^HTTP\/1\.1 2/;
  onFault = (error) => {
    throw error;
  };
  #wire;
  #waiting = false;
  #closed = false;

  constructor(target) {
    this.#wire = new Wire(target, (bytes, end) => this.#consume(bytes, end));
    this.#wire.onClose = (error) => {
      if (!this.#closed)
        this.onFault(
          new Error(`an HTTP connection was lost: ${error?.message ?? 'closed by the server'}`, { cause: error }),
        );
    };
  }

  send(request) {
    this.#waiting = true;
    this.#wire.write(request);
  }

  close() {
    this.#closed = true;
    this.#wire.destroy();
  }

  #consume(bytes, end) {
    const headEnd = bytes.subarray(0, end).indexOf('\r\n\r\n');
    if (headEnd < 0) return 0;
    const head = bytes.latin1Slice(0, headEnd);
    const length = Number(contentLength.exec(head)?.[1] ?? Number.NaN);
    const bodyEnd = headEnd + 4 + length;
    if (Number.isNaN(length)) this.onFault(new Error(`an answer without length: ${head}`));
    if (bodyEnd > end) return 0;
    const body = bytes.subarray(headEnd + 4, bodyEnd);
    if (!this.#waiting || !this.accepts.test(head)) this.onFault(new Error(`a wrong answer: ${head}\n${body}`));
    this.#waiting = false;
    this.onAnswer(body, head);
    return bodyEnd;
  }
}

/** A request with a body, ready to be sent. */
export function encodeRequest({ host, port }, method, path, body = '') {
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
