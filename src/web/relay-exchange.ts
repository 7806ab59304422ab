/** A request that reached another node, as its owner deals with it: the client is elsewhere, everything else as usual. */
import { parseQuery } from './client-requests.ts';
import type { Headers, HttpRequest, HttpResponse } from './http.ts';
import type { Opening, RelayEnd, RelayStream, ToEntry, ToOwner } from './relay.ts';
import { sendPieces, toArrayBuffer } from './relay-pieces.ts';
import type { Payload } from './sockets/types.ts';

/** Unlike the library's, it stays valid. */
export class RelayedRequest implements HttpRequest {
  readonly #opening: Opening;

  constructor(opening: Opening) {
    this.#opening = opening;
  }

  getMethod(): string {
    return this.#opening.method;
  }

  getUrl(): string {
    return this.#opening.url;
  }

  getQuery(key?: string): string {
    const { query } = this.#opening;
    return key === undefined ? query : (parseQuery(query)[key] ?? '');
  }

  getHeader(name: string): string {
    return this.#opening.headers.find(([known]) => known === name)?.[1] ?? '';
  }

  forEach(callback: (name: string, value: string) => void): void {
    for (const [name, value] of this.#opening.headers) callback(name, value);
  }
}

export class RelayedResponse implements HttpResponse, RelayEnd<ToOwner> {
  over?: boolean;
  onAbort?: () => void;
  cors?: Headers;
  readonly #stream: RelayStream<ToEntry>;
  readonly #address: string;
  #status = '200 OK';
  readonly #headers: [string, string][] = [];
  #aborted: (() => void) | undefined;
  #onData: ((chunk: ArrayBuffer, isLast: boolean) => void) | undefined;

  constructor(stream: RelayStream<ToEntry>, address: string) {
    this.#stream = stream;
    this.#address = address;
  }

  // HttpResponse

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    this.#onData = handler;
  }

  cork(callback: () => void): void {
    callback();
  }

  writeStatus(status: string): void {
    this.#status = status;
  }

  writeHeader(name: string, value: string): void {
    this.#headers.push([name, value]);
  }

  end(body: Payload = '', close = false): void {
    this.#aborted = undefined;
    this.#stream.send({ type: 'answer', status: this.#status, headers: this.#headers, close });
    sendPieces(this.#stream, body, typeof body === 'string', false, true);
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return toArrayBuffer(this.#address);
  }

  // RelayEnd

  receive(signal: ToOwner): void {
    if (signal.type === 'piece') this.#onData?.(toArrayBuffer(signal.data), !signal.more);
    else if (signal.type === 'gone') this.lost();
  }

  lost(): void {
    const aborted = this.#aborted;
    this.#aborted = undefined;
    aborted?.();
  }
}
