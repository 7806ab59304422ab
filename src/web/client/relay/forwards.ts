/**
 * The entry side of a relay: a request or a WebSocket whose session belongs to another node. It knows nothing of the
 * session; if the owner is lost before it has answered, the local server answers, which knows the session as little as
 * anybody does by then.
 */
import type { Counter } from '../../../observe/metrics.ts';
import { endHead, type HttpResponse, isOver } from '../../http/http.ts';
import { type CloseReason, closeReasons } from '../client-handle.ts';
import type { ClientSocket, FrameData, FrameHandler } from '../client-socket.ts';
import { BodyForward, type BodyParts } from './body.ts';
import { ChunkJoiner, costOf, sendChunks } from './chunks.ts';
import type { RelayEnd, RelayStream, ToEntry, ToOwner } from './relay.ts';

type Answer = Extract<ToEntry, { type: 'answer' }>;

/** What one client may have under way while the way to the owner is overloaded: who has more is the one who overloads it. */
export const fairBytes = 64 * 1024;

/** How a node answers a request of its own. */
export interface Local {
  answer(): void;
  /** Answers that too much waits for the owner. */
  refuse(): void;
  /** Turns the request into a WebSocket. */
  upgrade(handler: FrameHandler): void;
}

export interface SocketLimits {
  /** Bytes on the way to the owner with which the client has sent more than the way can carry. */
  readonly maxUnderWay: number;
  /** Counts the clients that did. */
  readonly overruns: Counter;
  readonly compress: boolean;
}

/** A request until its answer. */
export class RequestForward implements RelayEnd<ToEntry> {
  /** What the client waits for; undefined once it has its WebSocket, which outlives them by far. */
  protected request: { readonly res: HttpResponse; readonly local: Local } | undefined;
  declare protected stream: RelayStream<ToOwner>;
  #body: BodyForward | undefined;
  readonly #answered = new ChunkJoiner();
  #answer: Answer | undefined;

  constructor(res: HttpResponse, local: Local) {
    this.request = { res, local };
  }

  /** Call it once, at once. */
  start(stream: RelayStream<ToOwner>): void {
    this.stream = stream;
  }

  /** Forwards the body; see body.ts. */
  forwardBody(parts: Pick<BodyParts, 'limitBytes' | 'held' | 'waits'>): void {
    if (!this.request) return;
    const { res } = this.request;
    this.#body = new BodyForward({ ...parts, res, stream: this.stream, refuse: () => this.#refuse() });
  }

  /** The client has broken off its request. */
  aborted(): void {
    this.#body?.end(true);
    this.stream.send({ type: 'gone', reason: 'transport_closed' }, true);
  }

  receive(signal: ToEntry): void {
    if (signal.type === 'answer') {
      this.#answer = signal;
    } else if (signal.type === 'chunk') {
      const body = this.#answered.add(signal);
      if (body !== undefined && this.#answer) this.#reply(this.#answer, body);
    } else if (signal.type === 'wanted') {
      this.#body?.wanted();
    } else if (signal.type === 'taken') {
      this.#body?.taken(signal.cost);
    }
  }

  lost(): void {
    if (!this.request || isOver(this.request.res)) return;
    this.#body?.end();
    this.request.local.answer();
  }

  #refuse(): void {
    this.#body?.end();
    this.stream.send({ type: 'gone', reason: 'transport_closed' }, true);
    this.request?.local.refuse();
  }

  #reply({ status, headers, close }: Answer, body: string | Uint8Array): void {
    const res = this.request?.res;
    if (!res || isOver(res)) return;
    this.#body?.end();
    res.over = true;
    res.cork(() => {
      res.writeStatus(status);
      for (const [name, value] of headers) res.writeHeader(name, value);
      if (res.bodiless === true) endHead(res, Buffer.byteLength(body), close);
      else res.end(body, close);
    });
  }
}

/** A WebSocket: a request that the owner may refuse, then frames both ways. */
export class SocketForward extends RequestForward implements FrameHandler {
  readonly #limits: SocketLimits;
  readonly #message = new ChunkJoiner();
  #socket: ClientSocket | undefined;
  #isAccepted = false;
  /** How much the client takes between two notes of it. */
  #noteBytes = 0;
  /** The cost of what was received and not yet noted as taken. */
  #untaken = 0;
  /** The cost of what the owner has not dealt with yet. */
  #underWay = 0;
  /** The owner waits for a pong. Clients may send others, as many as they like. */
  #isPinged = false;

  constructor(res: HttpResponse, local: Local, limits: SocketLimits) {
    super(res, local);
    this.#limits = limits;
  }

  // RelayEnd

  override receive(signal: ToEntry): void {
    switch (signal.type) {
      case 'accepted':
        this.#accepted(signal.window);
        break;
      case 'chunk':
        if (!this.#isAccepted) super.receive(signal);
        else this.#deliver(signal);
        break;
      case 'ping':
        this.#isPinged = true;
        this.#socket?.ping();
        break;
      case 'taken':
        this.#underWay -= signal.cost;
        break;
      case 'end':
        this.#end(signal.code);
        break;
      default:
        super.receive(signal);
    }
  }

  override lost(): void {
    if (this.#isAccepted) this.#end(closeReasons.shutdown.code);
    else super.lost();
  }

  // FrameHandler

  opened(socket: ClientSocket): void {
    this.#socket = socket;
  }

  message(_socket: ClientSocket, data: FrameData, isBinary: boolean): void {
    const { load } = this.stream;
    // The library cannot stop reading from a WebSocket: what would have to wait is not taken in.
    if (load >= 2 || (load >= 1 && this.#underWay > fairBytes)) return this.#overrun(closeReasons.overloaded.code);
    this.#underWay += sendChunks(this.stream, data, !isBinary);
    if (this.#underWay > this.#limits.maxUnderWay) this.#overrun(closeReasons.transport_error.code);
  }

  #overrun(code: number): void {
    this.#limits.overruns.value += 1;
    this.#end(code);
  }

  pong(): void {
    if (!this.#isPinged) return;
    this.#isPinged = false;
    this.stream.send({ type: 'pong' });
  }

  drained(): void {
    this.#note();
  }

  closed(reason: CloseReason): void {
    this.#socket = undefined;
    this.stream.send({ type: 'gone', reason }, true);
  }

  #accepted(window: number): void {
    if (!this.request || isOver(this.request.res)) return;
    const { res, local } = this.request;
    this.request = undefined;
    this.#isAccepted = true;
    this.#noteBytes = Math.min(16 * 1024, window / 4);
    res.over = true;
    local.upgrade(this);
  }

  #deliver(chunk: Extract<ToEntry, { type: 'chunk' }>): void {
    this.#untaken += costOf(chunk);
    const whole = this.#message.add(chunk);
    if (whole !== undefined) this.#socket?.send(whole, !chunk.isText, this.#limits.compress);
    this.#note();
  }

  #note(): void {
    if (!this.#socket || this.#untaken < this.#noteBytes) return;
    const taken = this.#untaken - this.#socket.getBufferedAmount();
    if (taken < this.#noteBytes) return;
    this.#untaken -= taken;
    this.stream.send({ type: 'taken', cost: taken });
  }

  /** The stream is closed before the socket, or is being closed with it. */
  #end(code: number | undefined): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (code === undefined) socket?.close();
    else socket?.end(code);
  }
}
