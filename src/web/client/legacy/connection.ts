/**
 * A connection of Socket.IO 0.9. The client is opened at the handshake and attached when its transport arrives, which is
 * then its only one.
 *
 *     generic ──► websocket ──► closed        2:: and a ping every heartbeat_timeout
 *        └──────► polling ────► closed        a poll is answered by then; no poll for reconnect_timeout: gone
 *
 * Only packets from the client postpone `session_timeout`; heartbeats are packets, polls are not.
 */
import { isUtf8 } from 'node:buffer';
import { type Expiring, Timer } from '../../../kernel/timers.ts';
import { HiveError } from '../../../observe/errors.ts';
import {
  decodeBatch,
  decodeLegacyPacket,
  disconnectPacket,
  errorPacket,
  heartbeatPacket,
  LegacyCodec,
  unknownSessionPacket,
} from '../../../protocol/legacy.ts';
import type { Encoded } from '../../../protocol/packet.ts';
import { readBody } from '../../http/bodies.ts';
import { type HttpResponse, isOver } from '../../http/http.ts';
import { type ClientHandle, type CloseReason, closeReasons, type TransportKind } from '../client-handle.ts';
import { type ClientSocket, exceeds, type FrameData, type FrameHandler, sendPacket, textOf } from '../client-socket.ts';
import type { ConnectionContext } from '../connection-context.ts';
import { type ClientConnection, NamespaceSocket } from '../namespace-socket.ts';
import type { Sender } from '../packet-rate.ts';
import { LegacyPolls } from './polls.ts';

const codec = new LegacyCodec();

/** Who has opened the connection hears of it. */
interface Owner {
  /** Once: hooks of `on_connect` are done, or will never run. */
  attached(): void;
  ended(): void;
}

export class LegacyConnection implements ClientConnection, FrameHandler, Expiring, Sender {
  readonly id: string;
  socket: ClientSocket | undefined;
  isClosed = false;
  /** What its address is counted as; undefined where nobody counts. */
  source: string | undefined;
  packets = 0;
  sinceMs = 0;
  readonly #context: ConnectionContext;
  readonly #owner: Owner;
  #isAttaching = false;
  readonly #client: NamespaceSocket;
  #polls: LegacyPolls | undefined;
  /** Generic: time to the first transport. WebSocket: to the next heartbeat or the pong. */
  readonly #timer = new Timer(this);
  readonly #sessionTimer = new Timer({ expire: () => this.end('session_timeout') });
  #awaitsPong = false;
  #reserved = false;

  constructor(context: ConnectionContext, id: string, session: ClientHandle, owner: Owner) {
    this.#context = context;
    this.id = id;
    this.#owner = owner;
    this.#client = new NamespaceSocket(this, codec, '/', context.topics);
    this.#client.adopt(session);
    context.wheel.start(this.#timer, context.config.socketio.init_timeout);
  }

  /** No transport has come yet. */
  get #isGeneric(): boolean {
    return !this.isClosed && !this.socket && !this.#polls && !this.#reserved;
  }

  // Requests

  /** Promises a WebSocket: nothing else may attach from now on. False if there is a transport already. */
  reserve(): boolean {
    if (!this.#isGeneric) return false;
    this.#reserved = true;
    return true;
  }

  /**
   * Takes a poll: the first one attaches the client, later ones take the place of one that still waits, and the last one
   * tells a client that has ended why. False if there is another transport.
   */
  poll(res: HttpResponse): boolean {
    if (!this.#polls && !this.#isGeneric) return false;
    if (this.isClosed) this[Symbol.dispose]();
    const first = this.#polls === undefined;
    const polls = this.#polls ?? new LegacyPolls(this.#context, this);
    this.#polls = polls;
    polls.hold(res);
    if (!first) return true;
    this.#timer.cancel();
    this.#touch();
    this.#attach('polling');
    return true;
  }

  /** Takes a body. False if the client does not poll. */
  post(res: HttpResponse): boolean {
    if (!this.#polls) return false;
    const context = this.#context;
    context.defer(res);
    readBody(res, context.config.socketio.max_payload, context.bodies.clients).then(
      (body) => {
        const error = this.#receiveBody(body);
        if (!error) return context.reply(res, 200, '');
        context.counters.http.errors.value += 1;
        context.reply(res, 400, errorPacket(error.message));
      },
      (error) => {
        if (!isOver(res)) context.replyError(res, error);
      },
    );
    return true;
  }

  #attach(transport: TransportKind): void {
    this.#isAttaching = true;
    void this.#client.attach(transport).then(() => this.#owner.attached());
  }

  // Wire

  get bufferedBytes(): number {
    return this.socket ? this.socket.getBufferedAmount() : (this.#polls?.bufferedBytes ?? 0);
  }

  get maxBufferedBytes(): number {
    return this.#context.config.socketio.max_backpressure;
  }

  write(packet: Encoded): void {
    const { socket } = this;
    // The protocol knows no attachments: its encoder makes nothing but texts.
    const text = typeof packet === 'string' ? packet : packet.text;
    if (socket) {
      this.#context.counters.websocket.ok.value += 1;
      if (!sendPacket(socket, text, this.#context.config.socketio.compression)) this.checkBackpressure();
    } else if (this.#polls) {
      this.#polls.push(text);
      this.checkBackpressure();
    }
  }

  refused(): void {
    this.close('refused');
  }

  left(_client: NamespaceSocket, reason: CloseReason): void {
    this.close(reason);
  }

  crashed(error: unknown): void {
    this.#context.crashed(error);
  }

  checkBackpressure(): void {
    if (!this.isClosed && this.bufferedBytes > this.maxBufferedBytes) this.overflow();
  }

  overflow(): void {
    this.#context.counters.tooSlow.value += 1;
    this.close('too_slow');
  }

  // FrameHandler

  opened(socket: ClientSocket): void {
    if (this.isClosed) {
      socket.send(unknownSessionPacket);
      socket.end(1000);
      return;
    }
    this.socket = socket;
    this.#touch();
    this.#context.wheel.start(this.#timer, this.#context.config.socketio.heartbeat_timeout);
    this.#attach('websocket');
  }

  message(socket: ClientSocket, data: FrameData, isBinary: boolean): void {
    const { counters, config } = this.#context;
    counters.websocket.frames.value += 1;
    if (exceeds(data, config.socketio.max_payload)) {
      this.close('payload_too_large');
    } else if (isBinary) {
      counters.websocket.errors.value += 1;
      this.close('unsupported_data');
    } else {
      const error = this.#receivePacket(textOf(data));
      if (!error) return;
      counters.websocket.bad.value += 1;
      if (this.socket) socket.send(errorPacket(error.message));
      this.close('bad_packet');
    }
  }

  pong(): void {
    if (!this.#awaitsPong) return;
    this.#awaitsPong = false;
    this.#context.wheel.start(this.#timer, this.#context.config.socketio.heartbeat_timeout);
  }

  closed(reason: CloseReason): void {
    this.socket = undefined;
    this.close(reason);
  }

  // Packets

  /** Takes the packets of a body; returns what makes the first bad one of them malformed. */
  #receiveBody(body: Buffer): HiveError | undefined {
    if (!isUtf8(body)) return new HiveError('bad_packet', 'The body is not UTF-8.');
    let error: HiveError | undefined;
    try {
      for (const packet of decodeBatch(body.toString())) {
        error ??= this.isClosed ? undefined : this.#receivePacket(packet);
      }
    } catch (thrown) {
      if (!(thrown instanceof HiveError)) throw thrown;
      error = thrown;
    }
    return error;
  }

  /** Takes one packet; returns what makes it malformed. */
  #receivePacket(text: string): HiveError | undefined {
    if (this.#context.packetRate?.exceeded(this)) {
      this.#context.counters.tooManyPackets.value += 1;
      this.close('too_many_packets');
      return undefined;
    }
    try {
      this.#receive(text);
      return undefined;
    } catch (error) {
      if (error instanceof HiveError) return error;
      this.crashed(error);
      return new HiveError('internal_error');
    }
  }

  #receive(text: string): void {
    const packet = decodeLegacyPacket(text);
    this.#touch();
    switch (packet.type) {
      case 'packet':
        this.#client.receive(packet.packet);
        break;
      case 'unusable':
        this.#client.reject(packet.error);
        break;
      case 'disconnect':
        if (packet.endpoint === '') this.sayGoodbye();
        break;
      case 'connect':
        // The default endpoint is connected by the transport itself; the 2014 server had no others.
        if (packet.endpoint !== '') this.write(errorPacket('Invalid namespace', packet.endpoint));
        break;
      default:
        break;
    }
  }

  // The end

  /** The client wants to leave. */
  sayGoodbye(): void {
    if (this.isClosed) return;
    this.write(disconnectPacket);
    this.close('client_disconnect');
  }

  /** Ends the client from here, telling it so. */
  end(reason: CloseReason): void {
    if (closeReasons[reason].final) this.write(disconnectPacket);
    this.close(reason);
  }

  /** Generic: no transport came in time. WebSocket: a heartbeat is due, or its pong is missing. Ended: nobody came. */
  expire(): void {
    const { wheel, config } = this.#context;
    if (this.isClosed) {
      this[Symbol.dispose]();
    } else if (!this.socket) {
      this.close('connect_timeout');
    } else if (this.#awaitsPong) {
      this.close('ping_timeout');
    } else {
      this.#awaitsPong = true;
      wheel.start(this.#timer, config.hive.websocket_ping_timeout);
      this.write(heartbeatPacket);
      this.socket?.ping();
    }
  }

  #touch(): void {
    this.#context.wheel.start(this.#sessionTimer, this.#context.config.socketio.session_timeout);
  }

  /** Ends the connection and its client. Idempotent. */
  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (!this.#isAttaching) this.#owner.attached();
    this.#timer.cancel();
    this.#sessionTimer.cancel();
    this.#client.close(reason);
    const { socket } = this;
    this.socket = undefined;
    // A client that does not read gets no close packet: it would only occupy memory.
    const mute = reason === 'too_slow' || reason === 'ping_timeout';
    if (socket) {
      if (mute) socket.close();
      else socket.end(closeReasons[reason].code);
    }
    const served = this.#polls?.close() ?? true;
    if (served || mute) {
      this[Symbol.dispose]();
    } else {
      const { wheel, config } = this.#context;
      wheel.start(this.#timer, config.socketio.heartbeat_timeout);
    }
  }

  /** Gives up what is left of an ended connection: its last words. */
  [Symbol.dispose](): void {
    this.#timer.cancel();
    this.#owner.ended();
  }
}
