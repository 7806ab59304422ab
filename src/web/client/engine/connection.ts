/**
 * A connection of Engine.IO: it starts on either transport, may move from polling to a WebSocket once, and carries the
 * clients of one user (namespaces.ts).
 *
 *     polling ──(probe: 2probe, 3probe, 5)──► websocket ──► closed
 *
 * The server pings every `ping_interval`; no pong within `ping_timeout` ends the connection. In v3 the client pings. Idle
 * WebSockets are what a server mostly holds: this object, which is its own timer, its namespaces and clients are all that one costs
 * in JavaScript.
 */
import { Timer } from '../../../kernel/timers.ts';
import { HiveError } from '../../../observe/errors.ts';
import {
  type BodyForm,
  type EngineDialect,
  type EnginePacket,
  packetType,
  packetTypes,
} from '../../../protocol/engine.ts';
import type { Encoded } from '../../../protocol/packet.ts';
import { readBody } from '../../http/bodies.ts';
import { type HttpResponse, isOver } from '../../http/http.ts';
import { type CloseReason, closeReasons, type Handshake } from '../client-handle.ts';
import {
  type ClientSocket,
  exceeds,
  type FrameData,
  type FrameHandler,
  sendFrame,
  sendPacket,
  textOf,
} from '../client-socket.ts';
import type { NamespaceSocket } from '../namespace-socket.ts';
import type { Sender } from '../packet-rate.ts';
import { faults } from './faults.ts';
import type { EngineHost } from './host.ts';
import type { Carrier, MessageLayer } from './message-layer.ts';
import { PollQueue, type PollTraits } from './poll-queue.ts';
import { EngineUpgrade, unwanted } from './upgrade.ts';

/** A poll that its client sent before the close packet, over a slower way, is there by then. */
const crossingMs = 2000;

export class EngineConnection extends Timer implements Carrier, FrameHandler, Sender {
  readonly dialect: EngineDialect;
  readonly id: string;
  socket: ClientSocket | undefined;
  /** The polling transport; undefined on a WebSocket. */
  polls: PollQueue | undefined;
  /** The WebSocket that wants to take over from polling. */
  upgrade: EngineUpgrade | undefined;
  /** What its address is counted as; undefined where nobody counts. */
  source: string | undefined;
  isRecoverable = false;
  packets = 0;
  sinceMs = 0;
  readonly #host: EngineHost;
  readonly #messages: MessageLayer;
  #awaitsPong = false;
  isClosed = false;

  /** @param polls of a client that polls */
  constructor(host: EngineHost, dialect: EngineDialect, id: string, handshake: Handshake, polls?: PollTraits) {
    super();
    this.#host = host;
    this.dialect = dialect;
    this.id = id;
    this.#messages = host.newMessageLayer(host, this, handshake);
    if (polls) this.polls = new PollQueue(host.context, dialect, polls);
  }

  /** Sends the open packet in answer to the handshake of a client that polls. On a WebSocket, `opened` does it. */
  open(res: HttpResponse): void {
    this.#start();
    this.polls?.hold(res);
  }

  #start(): void {
    this.write(this.#host.openPacket(this.id, this.polls ? 'polling' : 'websocket'));
    this.#expectLife();
    this.#messages.start();
  }

  // Requests

  /** Takes a poll, which is answered when there is something to say. */
  poll(res: HttpResponse): void {
    const { polls } = this;
    if (!polls) return this.#host.refuse(res, faults.request);
    if (polls.waiting) return this.#violated(res); // two polls at a time
    this.#host.context.defer(res, () => {
      polls.dropPoll();
      this.close('transport_closed');
    });
    polls.hold(res);
  }

  /** Takes a body, one at a time. */
  post(res: HttpResponse, form: BodyForm): void {
    const { polls } = this;
    if (!polls) return this.#host.refuse(res, faults.request);
    if (polls.posting) return this.#violated(res);
    polls.posting = true;
    const { context } = this.#host;
    context.defer(res);
    const budget = this.#messages.isEmpty ? context.bodies.clientless : context.bodies.clients;
    readBody(res, context.config.socketio.max_payload, budget).then(
      (body) => {
        polls.posting = false;
        if (this.#receiveBody(body, form)) context.reply(res, 200, 'ok');
        else this.#host.refuse(res, faults.request);
      },
      (error) => {
        polls.posting = false;
        this.close(reasonOf(error));
        if (!isOver(res)) context.replyError(res, error);
      },
    );
  }

  /** The protocol wants the session closed. */
  #violated(res: HttpResponse): void {
    this.close('transport_error');
    this.#host.refuse(res, faults.request);
  }

  /** What is to handle the frames of a WebSocket for this session. */
  acceptUpgrade(): FrameHandler {
    if (!this.polls || this.upgrade) return unwanted;
    this.upgrade = new EngineUpgrade(this.#host.context, this);
    return this.upgrade;
  }

  // Wire

  get bufferedBytes(): number {
    return this.socket ? this.socket.getBufferedAmount() : (this.polls?.bufferedBytes ?? 0);
  }

  get maxBufferedBytes(): number {
    return this.#host.context.config.socketio.max_backpressure;
  }

  write(packet: Encoded): void {
    const { socket } = this;
    if (socket) {
      const { counters, config } = this.#host.context;
      counters.websocket.ok.value += 1;
      if (!sendPacket(socket, packet, config.socketio.compression)) this.checkBackpressure();
    } else if (this.polls) {
      this.polls.push(packet);
      this.checkBackpressure();
    }
  }

  refused(client: NamespaceSocket): void {
    this.#messages.remove(client);
  }

  left(client: NamespaceSocket, reason: CloseReason): void {
    this.#messages.remove(client);
    if (this.#messages.isEmpty || !closeReasons[reason].final) this.close(reason);
  }

  crashed(error: unknown): void {
    this.#host.context.crashed(error);
  }

  // FrameHandler

  opened(socket: ClientSocket): void {
    this.socket = socket;
    this.#start();
  }

  message(_socket: ClientSocket, data: FrameData, isBinary: boolean): void {
    const { counters, config } = this.#host.context;
    counters.websocket.frames.value += 1;
    if (exceeds(data, config.socketio.max_payload)) this.close('payload_too_large');
    else if (isBinary && typeof data !== 'string') this.#receiveFrame(data);
    else this.#receive(textOf(data));
  }

  pong(): void {}

  closed(reason: CloseReason): void {
    this.socket = undefined;
    this.close(reason);
  }

  // Packets

  /** Takes a polling body. What is wrong with it ends this connection and nothing else. Returns whether it was good. */
  #receiveBody(body: Buffer, form: BodyForm): boolean {
    try {
      const { polls } = this;
      form.writesBytes = polls?.writesBytes;
      const packets = this.dialect.decodePayload(body, form);
      if (polls) polls.writesBytes = form.writesBytes;
      for (const packet of packets) {
        if (this.isClosed) break;
        if (!this.#receive(packet)) return false;
      }
      return true;
    } catch (error) {
      return this.#failed(error);
    }
  }

  #receiveFrame(data: ArrayBuffer): void {
    // The library takes its memory back after this call: copy.
    const message = this.dialect.frameMessage(Buffer.from(Buffer.from(data)));
    if (message) this.#receive(message);
    else this.close('unsupported_data');
  }

  #receive(packet: EnginePacket): boolean {
    if (this.#host.context.packetRate?.exceeded(this)) {
      this.#host.context.counters.tooManyPackets.value += 1;
      this.close('too_many_packets');
      return false;
    }
    try {
      return typeof packet === 'string' ? this.#receiveText(packet) : this.#receiveBinary(packet);
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): false {
    if (!(error instanceof HiveError)) this.crashed(error);
    this.#host.context.counters[this.socket ? 'websocket' : 'http'].errors.value += 1;
    this.close(error instanceof HiveError ? 'bad_packet' : 'internal_error');
    return false;
  }

  #receiveText(text: string): boolean {
    const type = packetType(text);
    if (this.dialect.clientPings) this.#expectLife();
    if (type === 'message') this.#messages.receiveText(text);
    else if (type === 'pong') this.#ponged();
    else if (type === 'close') this.close('client_disconnect');
    else if (type === 'ping' && this.dialect.clientPings) this.write(packetTypes.pong + text.slice(1));
    else if (type !== 'noop') throw new HiveError('bad_packet', 'Clients do not send packets of that type.');
    return true;
  }

  #receiveBinary(data: Buffer): boolean {
    const mistake = this.#messages.receiveBinary(data);
    if (mistake) this.close(mistake);
    return mistake === undefined;
  }

  // The heartbeat

  override expire(): void {
    const { wheel, config } = this.#host.context;
    if (this.isClosed) {
      this[Symbol.dispose]();
      return;
    }
    if (this.#awaitsPong || this.dialect.clientPings) {
      this.close('ping_timeout');
      return;
    }
    this.#awaitsPong = true;
    wheel.prolong(this, config.socketio.ping_timeout);
    this.write(packetTypes.ping);
  }

  /** Whether a request finds it alive. One that comes between the client's last moment and the tick that ends it does not. */
  get isGone(): boolean {
    const hurries = !this.isClosed && (this.#awaitsPong || this.dialect.clientPings);
    if (!hurries || !this.#host.context.wheel.isOverdue(this)) return false;
    this.close('ping_timeout');
    return true;
  }

  #ponged(): void {
    if (!this.#awaitsPong) return;
    this.#awaitsPong = false;
    this.#expectLife();
  }

  /** v4: until the next ping of ours. v3: until the client's. */
  #expectLife(): void {
    const { wheel, config } = this.#host.context;
    const { ping_interval, ping_timeout } = config.socketio;
    wheel.start(this, this.dialect.clientPings ? ping_interval + ping_timeout : ping_interval);
  }

  // The end

  /** A WebSocket has passed its probe: everything goes over it from now on. */
  upgraded(socket: ClientSocket): void {
    const { counters, config } = this.#host.context;
    const { compression } = config.socketio;
    const packets = this.polls?.take() ?? [];
    this.polls?.refuse();
    this.polls = undefined;
    this.upgrade = undefined;
    if (this.isClosed) {
      for (const packet of packets) sendFrame(socket, packet, compression);
      socket.end(closeReasons.stopped.code);
      this[Symbol.dispose]();
      return;
    }
    this.socket = socket;
    for (const packet of packets) sendFrame(socket, packet, compression);
    counters.websocket.ok.value += packets.length;
    this.checkBackpressure();
    this.#messages.upgraded();
  }

  /** Ends a connection whose client reads too slowly. */
  checkBackpressure(): void {
    if (!this.isClosed && this.bufferedBytes > this.maxBufferedBytes) this.overflow();
  }

  overflow(): void {
    this.#host.context.counters.tooSlow.value += 1;
    this.close('too_slow');
  }

  /** Ends the connection and its clients. Idempotent. */
  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancel();
    this.#messages.close(reason);
    this.#closeTransport(reason);
  }

  #closeTransport(reason: CloseReason): void {
    const { socket, polls } = this;
    this.socket = undefined;
    // A client that does not read gets no close packet: it would only occupy memory. One whose poll waits does read.
    const mute = reason === 'too_slow' || reason === 'ping_timeout';
    if (socket) {
      if (mute) socket.close();
      else socket.end(closeReasons[reason].code);
    }
    if (reason === 'shutdown' || reason === 'handed_over') polls?.abort();
    const { wheel, config } = this.#host.context;
    // A client that has disconnected itself is not notified: its poll ends as for a client that changes its transport, even if
    // it arrives only now.
    if (reason === 'client_disconnect') {
      if (!polls) return this[Symbol.dispose]();
      if (!polls.waiting) polls.take();
      wheel.start(this, crossingMs);
      polls.finish(packetTypes.noop, () => this[Symbol.dispose]());
      return;
    }
    const lastWords = polls && (polls.waiting || (!mute && (polls.bufferedBytes > 0 || closeReasons[reason].final)));
    if (!lastWords) return this[Symbol.dispose]();
    // The client learns from this or its next poll, or from the socket that it is changing to, that it is over.
    wheel.start(this, config.socketio.ping_timeout);
    polls.finish(packetTypes.close, () => this[Symbol.dispose]());
  }

  /** Gives up what is left of an ended connection: its last words. */
  [Symbol.dispose](): void {
    this.cancel();
    this.upgrade?.abandon();
    this.#messages[Symbol.dispose]();
    this.#host.remove(this);
  }
}

/** What a body that did not come whole means for its connection. */
function reasonOf(error: unknown): CloseReason {
  const code = error instanceof HiveError ? error.code : undefined;
  return code === 'payload_too_large' || code === 'overloaded' ? code : 'transport_closed';
}
