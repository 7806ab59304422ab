/**
 * A connection of Engine.IO: it starts on either transport, may move from polling to a WebSocket once, and carries one
 * client per connected Socket.IO namespace.
 *
 *     polling ──(probe: 2probe, 3probe, 5)──► websocket ──► closed
 *
 * The server pings every `ping_interval`; no pong within `ping_timeout` ends the connection. In v3 the client pings. Idle WebSockets are what a
 * server mostly holds: this object, its timer and its link are all that such a connection costs in JavaScript.
 */
import { type Expiring, Timer } from '../kernel/timers.ts';
import { HiveError } from '../observe/errors.ts';
import { type BodyForm, type EngineDialect, type EnginePacket, packetType, packetTypes } from '../protocol/engine.ts';
import type { ClientPacket, Encoded } from '../protocol/packet.ts';
import { decodeSocketPacket, type IncompletePacket } from '../protocol/socketio-v5.ts';
import { ClientLink, type Wire } from './client-link.ts';
import { parseQuery } from './client-requests.ts';
import { type ClientSocket, type FrameHandler, sendFrame, sendPacket } from './client-socket.ts';
import type { EngineServer } from './engine-server.ts';
import type { EngineUpgrade } from './engine-upgrade.ts';
import { PacketRate } from './packet-rate.ts';
import { PollQueue } from './poll-queue.ts';
import { type CloseReason, closeReasons, type Handshake } from './sessions.ts';

const noLinks: readonly ClientLink[] = [];
const nothing: Record<string, string> = Object.freeze({});

export class EngineConnection implements Wire, FrameHandler, Expiring {
  readonly dialect: EngineDialect;
  readonly id: string;
  socket: ClientSocket | undefined;
  /** The polling transport; undefined on a WebSocket. */
  polls: PollQueue | undefined;
  /** The WebSocket that wants to take over from polling. */
  upgrade: EngineUpgrade | undefined;
  readonly #server: EngineServer;
  #links: readonly ClientLink[] = noLinks;
  #handshake: Handshake;
  readonly #heartbeat: Timer;
  readonly #rate: PacketRate | undefined;
  /** Runs while no client is connected. */
  #connectTimer: Timer | undefined;
  #awaitsPong = false;
  /** What waits for attachments, which come next. */
  #incomplete: { readonly namespace: string; readonly rest: IncompletePacket; readonly bytes: number } | undefined;
  isClosed = false;

  constructor(server: EngineServer, dialect: EngineDialect, id: string, handshake: Handshake) {
    this.#server = server;
    this.dialect = dialect;
    this.id = id;
    this.#handshake = handshake;
    this.#heartbeat = new Timer(this);
    this.#rate = PacketRate.of(server.context.config.socketio.max_packets_per_second);
    if (handshake.transport === 'polling') this.polls = new PollQueue(server.context, dialect);
  }

  /** Sends the open packet; on a WebSocket, once that is there. */
  start(): void {
    this.write(this.#server.openPacket(this.id, this.polls !== undefined));
    this.#expectLife();
    if (this.dialect.connectsDefault && this.#server.codec(this.dialect, '/')) this.#connect('/', undefined);
    else this.#awaitConnect();
  }

  // Wire

  get bufferedBytes(): number {
    return this.socket ? this.socket.getBufferedAmount() : (this.polls?.bufferedBytes ?? 0);
  }

  get maxBufferedBytes(): number {
    return this.#server.context.config.socketio.max_backpressure;
  }

  write(packet: Encoded): void {
    const { socket } = this;
    if (socket) {
      const { counters, config } = this.#server.context;
      counters.websocket.ok.value += 1;
      if (!sendPacket(socket, packet, config.socketio.compression)) this.checkBackpressure();
    } else if (this.polls) {
      this.polls.push(packet);
      this.checkBackpressure();
    }
  }

  refused(link: ClientLink): void {
    this.#remove(link);
    if (!this.isClosed) this.#awaitConnect();
  }

  left(link: ClientLink, reason: CloseReason): void {
    this.#remove(link);
    if (this.#links.length === 0 || !closeReasons[reason].final) this.close(reason);
  }

  crashed(error: unknown): void {
    this.#server.context.crashed(error);
  }

  // FrameHandler

  opened(socket: ClientSocket): void {
    this.socket = socket;
    this.start();
  }

  message(_socket: ClientSocket, data: ArrayBuffer, isBinary: boolean): void {
    const { counters, config } = this.#server.context;
    counters.websocket.frames.value += 1;
    if (data.byteLength > config.socketio.max_payload) this.close('payload_too_large');
    else if (isBinary) this.#receiveFrame(data);
    else this.#receive(Buffer.from(data).toString());
  }

  pong(): void {}

  closed(reason: CloseReason): void {
    this.socket = undefined;
    this.close(reason);
  }

  // Packets

  /** Takes a polling body. What is wrong with it ends this connection and nothing else. Returns whether it was good. */
  receiveBody(body: Buffer, form: BodyForm): boolean {
    try {
      for (const packet of this.dialect.decodePayload(body, form)) {
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
    if (this.#rate?.exceeded()) {
      this.#server.context.counters.tooManyPackets.value += 1;
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
    this.#server.context.counters[this.socket ? 'websocket' : 'http'].errors.value += 1;
    this.close(error instanceof HiveError ? 'bad_packet' : 'internal_error');
    return false;
  }

  #receiveText(text: string): boolean {
    const type = packetType(text);
    if (this.dialect.clientPings) this.#expectLife();
    if (type === 'message') this.#receiveMessage(text);
    else if (type === 'pong') this.#ponged();
    else if (type === 'close') this.close('client_disconnect');
    else if (type === 'ping' && this.dialect.clientPings) this.write(packetTypes.pong + text.slice(1));
    else if (type !== 'noop') throw new HiveError('bad_packet', 'Clients do not send packets of that type.');
    return true;
  }

  #receiveBinary(data: Buffer): boolean {
    const incomplete = this.#incomplete;
    if (!incomplete) {
      this.close('unsupported_data');
      return false;
    }
    const { namespace, rest, bytes } = incomplete;
    if (bytes + rest.bytes + data.length > this.#server.context.config.socketio.max_payload) {
      this.close('payload_too_large');
      return false;
    }
    const packet = rest.add(data);
    if (!packet) return true;
    this.#incomplete = undefined;
    this.#deliver(namespace, packet);
    return true;
  }

  #receiveMessage(text: string): void {
    if (this.#incomplete) throw new HiveError('bad_packet', 'An attachment is missing.');
    const packet = decodeSocketPacket(text, 1);
    if (packet.type === 'packet') {
      this.#deliver(packet.namespace, packet.packet);
    } else if (packet.type === 'incomplete') {
      this.#incomplete = { namespace: packet.namespace, rest: packet.rest, bytes: text.length };
    } else if (packet.type === 'connect') {
      this.#connect(packet.namespace, packet.auth);
    } else {
      const link = this.#find(packet.namespace);
      if (!link) return;
      this.#remove(link);
      link.close('client_disconnect');
      this.#awaitConnect();
    }
  }

  #deliver(namespace: string, packet: ClientPacket): void {
    const link = this.#find(namespace);
    if (!link) throw new HiveError('bad_packet', 'The namespace is not connected.');
    link.receive(packet);
  }

  /** @param name v3: may carry a query, `/chat?token=1`, in place of the auth payload */
  #connect(name: string, auth: unknown): void {
    const { host, topics } = this.#server.context;
    const { connectsDefault, protocol } = this.dialect;
    const [namespace = '', query] = connectsDefault ? name.split('?', 2) : [name];
    if (this.#find(namespace)) {
      if (connectsDefault && namespace === '/') return; // some clients ask nevertheless
      throw new HiveError('bad_packet', 'The namespace is connected already.');
    }
    const codec = this.#server.codec(this.dialect, namespace);
    if (!codec) {
      this.write(this.dialect.invalidNamespace(namespace));
      return;
    }
    const link = new ClientLink(this, codec, namespace, topics);
    this.#links = [...this.#links, link];
    this.#connectTimer?.cancel();
    this.#connectTimer = undefined;
    const handshake = { ...this.#handshake, auth };
    if (query) handshake.query = { ...handshake.query, ...parseQuery(query) };
    // Headers weigh more than the rest of an idle connection. With one namespace they have been told to whom they concern.
    if (!this.#server.hasNamespaces) this.#handshake = { ...this.#handshake, query: nothing, headers: nothing };
    void link.open(host, { namespace, handshake, protocol }, this.socket ? 'websocket' : 'polling');
  }

  #find(namespace: string): ClientLink | undefined {
    for (const link of this.#links) if (link.namespace === namespace) return link;
    return undefined;
  }

  #remove(link: ClientLink): void {
    const rest = this.#links.filter((other) => other !== link);
    this.#links = rest.length === 0 ? noLinks : rest;
  }

  // Timers

  expire(): void {
    const { wheel, config } = this.#server.context;
    if (this.isClosed) {
      this.forget();
      return;
    }
    if (this.#awaitsPong || this.dialect.clientPings) {
      this.close('ping_timeout');
      return;
    }
    this.#awaitsPong = true;
    wheel.start(this.#heartbeat, config.socketio.ping_timeout);
    this.write(packetTypes.ping);
  }

  #ponged(): void {
    if (!this.#awaitsPong) return;
    this.#awaitsPong = false;
    this.#expectLife();
  }

  /** v4: until the next ping of ours. v3: until the client's. */
  #expectLife(): void {
    const { wheel, config } = this.#server.context;
    const { ping_interval, ping_timeout } = config.socketio;
    wheel.start(this.#heartbeat, this.dialect.clientPings ? ping_interval + ping_timeout : ping_interval);
  }

  #awaitConnect(): void {
    if (this.isClosed || this.#links.length > 0) return;
    const { wheel, config } = this.#server.context;
    this.#connectTimer?.cancel();
    this.#connectTimer = wheel.schedule(config.socketio.connect_timeout, () => this.close('connect_timeout'));
  }

  // The end

  /** A WebSocket has passed its probe: everything goes over it from now on. */
  upgraded(socket: ClientSocket): void {
    const { counters, config } = this.#server.context;
    const { compression } = config.socketio;
    const packets = this.polls?.take() ?? [];
    this.polls?.release();
    this.polls = undefined;
    this.upgrade = undefined;
    if (this.isClosed) {
      for (const packet of packets) sendFrame(socket, packet, compression);
      socket.end(closeReasons.stopped.code);
      this.forget();
      return;
    }
    this.socket = socket;
    for (const packet of packets) sendFrame(socket, packet, compression);
    counters.websocket.ok.value += packets.length;
    this.checkBackpressure();
    for (const link of this.#links) link.upgraded();
  }

  /** Ends a connection whose client reads too slowly. */
  checkBackpressure(): void {
    if (!this.isClosed && this.bufferedBytes > this.maxBufferedBytes) this.overflow();
  }

  overflow(): void {
    this.#server.context.counters.tooSlow.value += 1;
    this.close('too_slow');
  }

  /** Ends the connection and its clients. Idempotent. */
  close(reason: CloseReason): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#heartbeat.cancel();
    this.#connectTimer?.cancel();
    const links = this.#links;
    this.#links = noLinks;
    for (const link of links) link.close(reason);
    this.#closeTransport(reason);
  }

  #closeTransport(reason: CloseReason): void {
    const { socket, polls } = this;
    this.socket = undefined;
    // A client that does not read gets no farewell: it would only occupy memory.
    const mute = reason === 'too_slow' || reason === 'ping_timeout';
    if (socket) {
      if (mute) socket.close();
      else socket.end(closeReasons[reason].code);
    }
    if (reason === 'shutdown') polls?.dismiss();
    const lastWords = !mute && polls && (polls.waiting || polls.bufferedBytes > 0 || closeReasons[reason].final);
    if (!lastWords) {
      this.forget();
      return;
    }
    // The client learns from this or its next poll, or from the socket that it is changing to, that it is over.
    const { wheel, config } = this.#server.context;
    wheel.start(this.#heartbeat, config.socketio.ping_timeout);
    polls.finish(() => this.forget());
  }

  /** Gives up what is left of an ended connection: its last words. */
  forget(): void {
    this.#heartbeat.cancel();
    this.upgrade?.abandon();
    this.#server.remove(this);
  }
}
