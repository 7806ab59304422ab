/**
 * Where relayed requests leave and enter a node's client server: what belongs to another node is forwarded, what others
 * forward is given to the protocols' servers as if its client were here. The same for clients that return to their sessions.
 */
import { HiveError } from '../../../observe/errors.ts';
import { RecoverableV5Codec } from '../../../protocol/recovery.ts';
import { sidIn } from '../../../sessions/pids.ts';
import { largeHead } from '../../http/api-key.ts';
import { type HttpRequest, type HttpResponse, methodOf } from '../../http/http.ts';
import { HeadSize } from '../../sockets/head-limit.ts';
import type { Claim, TransportKind } from '../client-handle.ts';
import { type FrameHandler, hardPayloadLimit } from '../client-socket.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { RemoteSessions, Returning, ReturnPlace } from '../returns.ts';
import type { Held } from './body.ts';
import { RelayedRequest, RelayedResponse } from './exchange.ts';
import { RequestForward, SocketForward } from './forwards.ts';
import {
  type RelayEnd,
  type RelayHost,
  type RelayStream,
  type Relays,
  type RequestHead,
  type ReturnHead,
  type ToEntry,
  type ToOwner,
  waitsToBeWanted,
} from './relay.ts';
import { RemoteClient } from './remote-client.ts';
import { RemoteSession } from './remote-session.ts';
import { RelayedSocket } from './socket.ts';

/** Bytes beyond the largest message that a client may have sent while the owner has not dealt with them. */
const underWayBytes = 4 * 1024 * 1024;

/** Hears the rest of a stream that is closed. */
const nobody: RelayEnd<ToOwner> = { receive: () => {}, lost: () => {} };

/** The node's own way of dealing with requests. */
export interface Routes {
  handle(res: HttpResponse, req: HttpRequest): void;
  /** What is to handle the frames of a WebSocket, or undefined after the request was refused. */
  accept(res: HttpResponse, req: HttpRequest): FrameHandler | undefined;
}

export class RelayGate implements RelayHost, RemoteSessions {
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
    const { overruns } = this.#context.counters;
    const { compression } = this.#context.config.socketio;
    const limits = { maxUnderWay: this.#maxUnderWay, overruns, compress: compression };
    const forward = new SocketForward(res, { answer, refuse, upgrade }, limits);
    this.#context.defer(res, () => forward.aborted());
    forward.start(this.#relays.open(owner, head, forward));
    return true;
  }

  take(
    claim: Claim,
    namespace: string,
    transport: TransportKind,
    place: ReturnPlace,
    home: string | undefined,
  ): Returning | undefined {
    const relays = this.#relays;
    const sid = sidIn(claim.pid);
    const owner = home === undefined ? (relays.ownerOf(sid) ?? relays.awaitOwner(sid)) : relays.otherNode(home);
    if (owner === undefined) return undefined;
    const { wheel, counters } = this.#context;
    const limits = { maxUnderWay: this.#maxUnderWay, overruns: counters.overruns };
    const session = new RemoteSession({ relays, wheel, claim, namespace, place, ...limits }, transport);
    if (typeof owner === 'string') session.ask(owner);
    else void session.find(owner);
    return session;
  }

  // --- from other nodes

  open(head: RequestHead | ReturnHead, stream: RelayStream<ToEntry>): RelayEnd<ToOwner> {
    if (head.kind === 'return') return this.#giveBack(head, stream);
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

  /** Of a client that has come back to another node. */
  #giveBack(head: ReturnHead, stream: RelayStream<ToEntry>): RelayEnd<ToOwner> {
    const sid = sidIn(head.pid);
    const { recovery } = this.#context.host;
    const settled = recovery?.settled(sid);
    if (settled && recovery?.leaves(sid)) stream.send({ type: 'leaving' });
    return settled ? new LateEnd(settled, () => this.#giveBackNow(head, stream)) : this.#giveBackNow(head, stream);
  }

  #giveBackNow({ pid, offset, namespace, transport }: ReturnHead, stream: RelayStream<ToEntry>): RelayEnd<ToOwner> {
    const { recovery } = this.#context.host;
    if (recovery?.leaves(sidIn(pid)) === 'now') {
      stream.send({ type: 'left' }, true);
      return nobody;
    }
    const recovered = recovery?.take({ pid, offset }, namespace);
    if (!recovered) {
      stream.send({ type: 'refused' }, true);
      return nobody;
    }
    const client = new RemoteClient(this.#context, stream, new RecoverableV5Codec(namespace), recovered.client);
    client.resume(recovered.missed, transport);
    return client;
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

  get #maxUnderWay(): number {
    return underWayBytes + hardPayloadLimit(this.#context.config.socketio.max_payload);
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

/** The end of a stream that has to wait for something; what comes meanwhile waits, too. */
class LateEnd implements RelayEnd<ToOwner> {
  #end: RelayEnd<ToOwner> | undefined;
  #early: ToOwner[] = [];
  #isLost = false;

  constructor(settled: Promise<void>, make: () => RelayEnd<ToOwner>) {
    void settled.then(() => {
      if (this.#isLost) return;
      this.#end = make();
      for (const signal of this.#early.splice(0)) this.#end.receive(signal);
    });
  }

  receive(signal: ToOwner): void {
    if (this.#end) this.#end.receive(signal);
    else this.#early.push(signal);
  }

  lost(): void {
    this.#isLost = true;
    this.#end?.lost();
  }
}
