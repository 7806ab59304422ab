/**
 * Reads the answers of HTTP/1.1 servers on one connection. The parser is llhttp, that of Node itself, in the WebAssembly build
 * which undici brings along and is driven by, too. Nothing but its callbacks is here, and the few headers that are looked at.
 *
 * The file's place inside undici is no public interface of it: package.json allows patch releases only, and the tests would tell.
 */
import { createRequire } from 'node:module';

/** The part of the WebAssembly interface that is needed; it belongs to the types of browsers. */
declare const WebAssembly: {
  Module: new (bytes: Buffer) => object;
  Instance: new (
    module: object,
    imports: { env: Record<string, (...args: number[]) => number> },
  ) => { exports: Llhttp };
};

interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(bytes: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_resume(parser: number): void;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
}

/** The most that is parsed at once, bytes. */
export const maxAtOnce = 64 * 1024;

const responses = 2;
const paused = 21;
/** What callbacks return. */
const goOn = 0;
const skipBody = 1;
const fail = -1;

/** Names and values of the headers of an answer, and of all that goes before it. */
const maxHeadBytes = 16 * 1024;
/** The headers that are looked at, by the lengths of their names, which are all different. */
const namesByLength = new Map(['keep-alive', 'content-type', 'content-encoding'].map((name) => [name.length, name]));
const longestName = Math.max(...namesByLength.keys());

/** Those headers, if the answer has them. */
export interface AnswerHeaders {
  'keep-alive'?: string;
  'content-type'?: string;
  'content-encoding'?: string;
}
type HeaderName = keyof AnswerHeaders;
const noHeaders: AnswerHeaders = {};

/** The one that is being executed: the parser's callbacks do not say whose they are. */
let current!: HttpResponseParser;
/** Loaded when it is wanted: compiling takes longer than many a command of the command line. */
let llhttp: Llhttp | undefined;
/** Where in its memory the bytes are put that are to be parsed. */
let inputAt = 0;
let input = new Uint8Array(0);

function load(): Llhttp {
  const bytes = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Buffer;
  const ignore = (): number => goOn;
  const env = {
    wasm_on_url: ignore,
    wasm_on_status: ignore,
    wasm_on_message_begin: ignore,
    wasm_on_header_field: (_: number, at: number, length: number) => current.onHeaderField(at - inputAt, length),
    wasm_on_header_value: (_: number, at: number, length: number) => current.onHeaderValue(at - inputAt, length),
    wasm_on_headers_complete: (_: number, status: number, upgrade: number, keeps: number) =>
      current.onHeaders(status, upgrade !== 0, keeps !== 0),
    wasm_on_body: (_: number, at: number, length: number) => current.onBody(at - inputAt, length),
    wasm_on_message_complete: () => current.onComplete(),
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env });
  inputAt = exports.malloc(maxAtOnce);
  return exports;
}

/** @throws Error if undici has no parser at that place (any more) */
export function prepareParser(): void {
  llhttp ??= load();
}

export class HttpResponseParser {
  readonly #llhttp: Llhttp;
  readonly #parser: number;
  readonly #maxBodyBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #headBytes = 0;
  #bodyBytes = 0;
  #kept: Buffer[] = [];
  #isComplete = false;
  #fault: string | undefined;
  #headerName = '';
  #headers: AnswerHeaders = noHeaders;
  #inValue = false;
  #isNewHeader = false;
  #status = 0;
  #keeps = false;

  constructor(maxBodyBytes: number) {
    llhttp ??= load();
    this.#llhttp = llhttp;
    this.#parser = llhttp.llhttp_alloc(responses);
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Of the last answer, as everything that follows. */
  get status(): number {
    return this.#status;
  }

  get headers(): AnswerHeaders {
    return this.#headers;
  }

  /** Gives the pieces of the body away. What came with the last bytes lies in their buffer still, and is gone with it. */
  takeBody(): Buffer[] {
    const body = this.#kept;
    this.#kept = [];
    return body;
  }

  /** The server keeps the connection open for another request. */
  get keepsConnection(): boolean {
    return this.#keeps;
  }

  /** How long the server keeps it open, if it has said so, seconds. */
  get keepsSeconds(): number | undefined {
    const found = this.#headers === noHeaders ? undefined : /timeout=(\d+)/i.exec(this.#headers['keep-alive'] ?? '');
    return found ? Number(found[1]) : undefined;
  }

  /**
   * Takes the next bytes, at most `maxAtOnce`; true if the answer is complete. Bytes behind its end mean that the connection
   * cannot be used again.
   * @throws Error if they are no HTTP, or too many
   */
  read(bytes: Buffer): boolean {
    if (this.#isComplete) this.#begin();
    const llhttp = this.#llhttp;
    // When the memory grows, for further parsers, the view of it becomes empty.
    if (input.length === 0) input = new Uint8Array(llhttp.memory.buffer, inputAt, maxAtOnce);
    input.set(bytes);
    this.#bytes = bytes;
    const before = this.#kept.length;
    current = this;
    const result = llhttp.llhttp_execute(this.#parser, inputAt, bytes.length);
    if (result === paused && this.#isComplete) {
      if (llhttp.llhttp_get_error_pos(this.#parser) - inputAt < bytes.length) this.#keeps = false;
      llhttp.llhttp_resume(this.#parser);
      return true;
    }
    if (result !== goOn) throw new Error(this.#fault ?? `the answer is not HTTP/1.1: ${this.#reason()}`);
    // The buffer is used again: what is needed later is copied, many small pieces into one.
    if (this.#kept.length > before) this.#kept.push(Buffer.concat(this.#kept.splice(before)));
    return false;
  }

  /** The connection has ended; true if that completes the answer. */
  finish(): boolean {
    if (this.#isComplete) return false;
    current = this;
    this.#llhttp.llhttp_finish(this.#parser);
    return this.#isComplete;
  }

  /** Nothing can be read any more. */
  [Symbol.dispose](): void {
    this.#llhttp.llhttp_free(this.#parser);
  }

  #begin(): void {
    this.#headBytes = 0;
    this.#bodyBytes = 0;
    this.#isComplete = false;
    this.#headerName = '';
    this.#headers = noHeaders;
    this.#inValue = false;
  }

  #reason(): string {
    const at = this.#llhttp.llhttp_get_error_reason(this.#parser);
    const text = Buffer.from(this.#llhttp.memory.buffer, at);
    return text.toString('latin1', 0, text.indexOf(0));
  }

  // --- callbacks. Names and values come in pieces where the bytes do.

  /** @internal */
  onHeaderField(at: number, length: number): number {
    if (this.#inValue) {
      this.#inValue = false;
      this.#headerName = '';
    }
    this.#isNewHeader = true;
    // No name has a space: one that is too long will not do.
    this.#headerName += length > longestName ? ' ' : this.#bytes.toString('latin1', at, at + length);
    return this.#countHead(length);
  }

  /** @internal */
  onHeaderValue(at: number, length: number): number {
    this.#inValue = true;
    const name = namesByLength.get(this.#headerName.length);
    if (name !== undefined && (this.#headerName === name || this.#headerName.toLowerCase() === name))
      this.#note(name as HeaderName, this.#bytes.toString('latin1', at, at + length));
    return this.#countHead(length);
  }

  /** A value may come in pieces; a header that is there twice is a list. */
  #note(name: HeaderName, piece: string): void {
    if (this.#headers === noHeaders) this.#headers = {};
    const before = this.#headers[name];
    if (before === undefined) this.#headers[name] = piece;
    else this.#headers[name] = this.#isNewHeader ? `${before},${piece}` : before + piece;
    this.#isNewHeader = false;
  }

  #countHead(length: number): number {
    this.#headBytes += length;
    return this.#headBytes > maxHeadBytes ? this.#refuse(`headers exceed the size of ${maxHeadBytes} bytes`) : goOn;
  }

  #refuse(why: string): number {
    this.#fault = `the answer's ${why}`;
    return fail;
  }

  /** @internal */
  onHeaders(status: number, upgrades: boolean, keeps: boolean): number {
    if (upgrades) return this.#refuse('protocol is another one than HTTP');
    this.#status = status;
    this.#keeps = keeps;
    return status < 200 ? skipBody : goOn;
  }

  /** @internal */
  onBody(at: number, length: number): number {
    this.#bodyBytes += length;
    if (this.#bodyBytes > this.#maxBodyBytes)
      return this.#refuse(`body exceeds the size of ${this.#maxBodyBytes} bytes`);
    this.#kept.push(this.#bytes.subarray(at, at + length));
    return goOn;
  }

  /** @internal */
  onComplete(): number {
    // 1xx: the answer proper is still to come.
    if (this.#status < 200) return goOn;
    this.#isComplete = true;
    return paused;
  }
}
