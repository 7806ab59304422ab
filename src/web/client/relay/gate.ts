/**
 * Where relayed requests leave and enter a node's client server: what belongs to another node is forwarded, what others
 * forward is given to the protocols' servers as if its client were here.
 */
import { HiveError } from '../../../observe/errors.ts';
import { largeHead } from '../../http/api-key.ts';
import { type HttpRequest, type HttpResponse, methodOf } from '../../http/http.ts';
import { HeadSize } from '../../sockets/head-limit.ts';
import { type FrameHandler, hardPayloadLimit } from '../client-socket.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { Held } from './body.ts';
import { RelayedRequest, RelayedResponse } from './exchange.ts';
import { RequestForward, SocketForward } from './forwards.ts';
import {
  type RelayEnd,
  type RelayHost,
  type RelayStream,
  type Relays,
  type RequestHead,
  type ToEntry,
  type ToOwner,
  waitsToBeWanted,
} from './relay.ts';
import { RelayedSocket } from './socket.ts';

/** Bytes beyond the largest message that a client may have sent while the owner has not dealt with them. */
const underWayBytes = 4 * 1024 * 1024;

/** The node's own way of dealing with requests. */
export interface Routes {
  handle(res: HttpResponse, req: HttpRequest): void;
  /** What is to handle the frames of a WebSocket, or undefined after the request was refused. */
  accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined;
}

export class RelayGate implements RelayHost {
  readonly #context: ConnectionContext;
  readonly #relays: Relays;
  readonly #routes: Routes;
  readonly #held: Held;
  #serving: Disposable | undefined;

  constructor(context: ConnectionContext, relays: Relays, routes: Routes) {
    this.#context = context;
    this.#relays = relays;
    this.#routes = routes;
    this.#held = { bytes: 0, max: relays.maxHeld };
  }

  // --- to other nodes

  /** Forwards a request if another node owns the transport id; false otherwise. */
  forward(res: HttpResponse, req: HttpRequest, id: string): boolean {
    const owner = this.#relays.ownerOf(id);
    if (owner === undefined) return false;
    if (this.#relays.load(owner) >= 1) {
      this.#refuse(res);
      return true;
    }
    const head = this.#headOf(res, req, 'request');
    const forward = new RequestForward(res, {
      answer: () => this.#handle(res, new RelayedRequest(head)),
      refuse: () => this.#refuse(res),
      upgrade: () => {},
    });
    this.#context.defer(res, () => forward.aborted());
    forward.start(this.#relays.open(owner, head, forward));
    if (head.method !== 'get') {
      const limitBytes = this.#context.config.socketio.max_payload;
      forward.forwardBody({ limitBytes, held: this.#held, waits: waitsToBeWanted(head) });
    }
    return true;
  }

  /** The same for a WebSocket. `upgrade` turns the request into one. */
  forwardSocket(res: HttpResponse, req: HttpRequest, id: string, upgrade: (handler: FrameHandler) => void): boolean {
    const owner = this.#relays.ownerOf(id);
    if (owner === undefined) return false;
    const refuse = () => this.#refuse(res);
    if (this.#relays.load(owner) >= 1) {
      refuse();
      return true;
    }
    const head = this.#headOf(res, req, 'socket');
    const answer = () => {
      const handler = this.#accept(res, new RelayedRequest(head));
      if (!handler) return;
      res.over = true;
      upgrade(handler);
    };
    const { compression, max_payload } = this.#context.config.socketio;
    const { overruns } = this.#context.counters;
    const maxUnderWay = underWayBytes + hardPayloadLimit(max_payload);
    const limits = { maxUnderWay, overruns, compress: compression };
    const forward = new SocketForward(res, { answer, refuse, upgrade }, limits);
    this.#context.defer(res, () => forward.aborted());
    forward.start(this.#relays.open(owner, head, forward));
    return true;
  }

  // --- from other nodes

  open(head: RequestHead, stream: RelayStream<ToEntry>): RelayEnd<ToOwner> {
    const req = new RelayedRequest(head);
    const res = new RelayedResponse(stream, head);
    if (head.kind === 'request') {
      this.#handle(res, req);
      return res;
    }
    const handler = this.#accept(res, req);
    if (!handler) return res;
    this.#context.counters.websocket.requests.value += 1;
    const window = this.#context.config.socketio.max_backpressure;
    const socket = new RelayedSocket(stream, window, handler);
    stream.send({ type: 'accepted', window });
    try {
      handler.opened(socket);
    } catch (error) {
      this.#context.crashed(error);
      socket.close();
    }
    return socket;
  }

  /** Takes in what other nodes forward, from now on. */
  serve(): void {
    this.#serving = this.#relays.serve(this);
  }

  /** Ends everything that is being relayed, so that clients turn elsewhere. */
  close(): void {
    this.#serving?.[Symbol.dispose]();
  }

  /** @throws RequestError (431) */
  #headOf(res: HttpResponse, req: HttpRequest, kind: RequestHead['kind']): RequestHead {
    const headers: [string, string][] = [];
    const size = new HeadSize(req);
    req.forEach((name, value) => {
      size.add(name, value);
      headers.push([name, value]);
    });
    if (size.isTooLarge) throw largeHead('bad_request');
    const query = req.getQuery() ?? '';
    const address = this.#context.addressOf(res, req);
    return { kind, method: methodOf(res, req), url: req.getUrl(), query, headers, address };
  }

  #refuse(res: HttpResponse): void {
    this.#context.replyError(res, new HiveError('overloaded', 'Too much waits for the node of this session.'));
  }

  #handle(res: HttpResponse, req: HttpRequest): void {
    try {
      this.#routes.handle(res, req);
    } catch (error) {
      this.#context.replyError(res, error);
    }
  }

  #accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined {
    try {
      return this.#routes.accept(res, req);
    } catch (error) {
      this.#context.replyError(res, error);
      return undefined;
    }
  }
}
