/** HTTP as raw text over a socket: recorded requests are sent as they are, also those that no HTTP library would send. */
import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Parses the first response in the bytes; undefined if it is not complete. `rest` is what follows. */
export function parseResponse(
  bytes: Buffer,
  toHead: boolean,
  ended: boolean,
): { response: RawResponse; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = bytes.subarray(0, headEnd).toString().split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const status = Number(statusLine?.split(' ')[1]);
  const hasBody = !toHead && status !== 204 && status !== 304 && status >= 200;
  const declared = headers.get('content-length');
  const start = headEnd + 4;
  if (!hasBody) return { response: { status, headers, body: '' }, rest: bytes.subarray(start) };
  if (declared === undefined && !ended) return undefined;
  const end = declared === undefined ? bytes.length : start + Number(declared);
  if (bytes.length < end) return undefined;
  return { response: { status, headers, body: bytes.subarray(start, end).toString() }, rest: bytes.subarray(end) };
}

/** A request in flight. */
export class RawRequest {
  readonly #socket: Socket;
  readonly #text: string;
  #bytes = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(port: number, text: string) {
    this.#text = text;
    this.#socket = connect(port, '127.0.0.1', () => this.#socket.write(text));
    this.#socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
  }

  /** The responses, one for each request in the text; fewer if the time or the connection ends before. */
  async responses(limitMs: number): Promise<RawResponse[]> {
    const wanted = Math.max(1, this.#text.match(/^[A-Z]+ \S+ HTTP\/1\.[01]\r$/gm)?.length ?? 1);
    const responses: RawResponse[] = [];
    const deadline = performance.now() + limitMs;
    while (responses.length < wanted) {
      const parsed = parseResponse(this.#bytes, this.#text.startsWith('HEAD '), this.#ended);
      if (parsed) {
        responses.push(parsed.response);
        this.#bytes = Buffer.from(parsed.rest);
      } else if (this.#ended || performance.now() >= deadline) {
        break;
      } else {
        await this.#more(deadline - performance.now());
      }
    }
    return responses;
  }

  /** The client goes away. */
  close(): void {
    this.#socket.destroy();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
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
