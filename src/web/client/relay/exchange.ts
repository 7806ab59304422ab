/** A request that reached another node, as its owner deals with it: the client is elsewhere, everything else as usual. */

import type { Headers, HttpRequest, HttpResponse } from '../../http/http.ts';
import type { Payload } from '../../sockets/types.ts';
import { parseQuery } from '../requests.ts';
import { costOf, noteBytes, sendChunks, toArrayBuffer } from './chunks.ts';
import {
  type Chunk,
  type RelayEnd,
  type RelayStream,
  type RequestHead,
  type ToEntry,
  type ToOwner,
  waitsToBeWanted,
} from './relay.ts';

/** Unlike the library's, it stays valid. */
export class RelayedRequest implements HttpRequest {
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  getMethod(): string {
    return this.#head.method;
  }

  getUrl(): string {
    return this.#head.url;
  }

  getQuery(key?: string): string {
    const { query } = this.#head;
    return key === undefined ? query : (parseQuery(query)[key] ?? '');
  }

  getHeader(name: string): string {
    return this.#head.headers.find(([known]) => known === name)?.[1] ?? '';
  }

  forEach(callback: (name: string, value: string) => void): void {
    for (const [name, value] of this.#head.headers) callback(name, value);
  }
}

export class RelayedResponse implements HttpResponse, RelayEnd<ToOwner> {
  over?: boolean;
  onAbort?: () => void;
  cors?: Headers;
  /** The entry has seen who connected, and knows whom to believe. */
  readonly clientAddress: string;
  readonly #stream: RelayStream<ToEntry>;
  readonly #head: RequestHead;
  /** The cost of what was received since the last note. */
  #received = 0;
  #status = '200 OK';
  readonly #headers: [string, string][] = [];
  #aborted: (() => void) | undefined;
  #onData: ((chunk: ArrayBuffer, isLast: boolean) => void) | undefined;

  constructor(stream: RelayStream<ToEntry>, head: RequestHead) {
    this.#stream = stream;
    this.#head = head;
    this.clientAddress = head.address;
  }

  // HttpResponse

  /** HEAD is answered with the body: the entry leaves it out, and says how long it is. */
  get bodiless(): boolean {
    return false;
  }

  set bodiless(_: boolean) {}

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    this.#onData = handler;
    // Whoever asks for the body has found the session.
    if (waitsToBeWanted(this.#head)) this.#stream.send({ type: 'wanted' });
  }

  /** Nobody needs it: the entry sends no more than what is taken. */
  pause(): void {}

  resume(): void {}

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
    sendChunks(this.#stream, body, typeof body === 'string', false, true);
  }

  endWithoutBody(): void {
    this.end();
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return toArrayBuffer(this.#head.address);
  }

  // RelayEnd

  receive(signal: ToOwner): void {
    if (signal.type === 'chunk') this.#receiveChunk(signal);
    else if (signal.type === 'gone') this.lost();
  }

  #receiveChunk(chunk: Chunk): void {
    this.#received += costOf(chunk);
    if (this.#received >= noteBytes) {
      this.#stream.send({ type: 'taken', cost: this.#received });
      this.#received = 0;
    }
    this.#onData?.(toArrayBuffer(chunk.data), !chunk.more);
  }

  lost(): void {
    const aborted = this.#aborted;
    this.#aborted = undefined;
    aborted?.();
  }
}
