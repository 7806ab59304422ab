/**
 * A client that has returned to another node, as its session sees it: packets and publishes are encoded here and go to the client's
 * node, which writes them. What is under way counts as buffered until that node has dealt with it; how much may wait for the client there is
 * that node's to limit.
 */
import { HiveError } from '../../../observe/errors.ts';
import type { Codec } from '../../../protocol/codec.ts';
import type { ClientPacket, Encoded, ServerPacket } from '../../../protocol/packet.ts';
import { withTail } from '../../../protocol/recovery.ts';
import { decodeSocketPacket } from '../../../protocol/socketio-v5.ts';
import type { ClientHandle, CloseReason, Recovered, Sink, TransportKind } from '../client-handle.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { ChannelMember } from '../topics.ts';
import { ChunkJoiner, costOf, noteBytes } from './chunks.ts';
import { sendEncoded, textOf } from './packets.ts';
import type { Chunk, RelayEnd, RelayStream, ToEntry, ToOwner } from './relay.ts';
import { slackBytes } from './socket.ts';

export class RemoteClient implements Sink, ChannelMember, RelayEnd<ToOwner> {
  readonly encoder: Codec;
  readonly #stream: RelayStream<ToEntry>;
  readonly #context: ConnectionContext;
  readonly #session: ClientHandle;
  readonly #joiner = new ChunkJoiner();
  readonly #channels = new Set<string>();
  /** The cost of what the client's node has not dealt with yet. */
  #underWay = 0;
  /** The cost of what was received since the last note. */
  #received = 0;
  #isEnded = false;

  constructor(context: ConnectionContext, stream: RelayStream<ToEntry>, codec: Codec, session: ClientHandle) {
    this.#context = context;
    this.#stream = stream;
    this.encoder = codec;
    this.#session = session;
  }

  /** In one turn of the event loop with the taking of the session: nothing can come between what was missed and what is new. */
  resume(missed: Recovered['missed'], transport: TransportKind): void {
    this.#stream.send({ type: 'recovered', window: this.#maxBufferedBytes });
    for (const { packet, tail } of missed) this.send(packet, tail);
    // A packet may have been one too many.
    if (!this.#isEnded) this.#session.resume(this, transport);
  }

  // Sink

  send(packet: ServerPacket, tail = ''): void {
    this.deliver(withTail(packet.encodedBy(this.encoder), tail));
  }

  join(channel: string): void {
    if (this.#isEnded) return;
    this.#channels.add(channel);
    this.#context.topics.add(channel, this);
  }

  leave(channel: string): void {
    if (this.#channels.delete(channel)) this.#context.topics.remove(channel, this);
  }

  end(reason: CloseReason): void {
    if (this.#isEnded) return;
    this.#finish();
    this.#stream.send({ type: 'ended', reason }, true);
  }

  get bufferedBytes(): number {
    return this.#isEnded ? 0 : Math.max(0, this.#underWay - slackBytes);
  }

  // ChannelMember

  deliver(packet: Encoded): void {
    if (this.#isEnded) return;
    this.#underWay += sendEncoded(this.#stream, packet);
    if (this.bufferedBytes <= this.#maxBufferedBytes) return;
    this.#context.counters.tooSlow.value += 1;
    this.#close('too_slow');
  }

  // RelayEnd

  receive(signal: ToOwner): void {
    switch (signal.type) {
      case 'chunk':
        return this.#receiveChunk(signal);
      case 'taken':
        this.#underWay -= signal.cost;
        return;
      case 'moved':
        return this.#session.transport(signal.transport);
      case 'gone':
        this.#finish();
        return this.#session.close(signal.reason, true);
      case 'pong':
    }
  }

  lost(): void {
    this.#finish();
    this.#session.close('transport_closed', true);
  }

  #receiveChunk(chunk: Chunk): void {
    this.#received += costOf(chunk);
    if (this.#received >= noteBytes) {
      this.#stream.send({ type: 'taken', cost: this.#received });
      this.#received = 0;
    }
    const whole = this.#joiner.add(chunk);
    if (whole === undefined || this.#isEnded) return;
    const packet = packetIn(textOf(whole));
    if (packet) this.#session.receive(packet);
    else this.#close('bad_packet');
  }

  /** Ends the connection as if it had ended by itself. */
  #close(reason: CloseReason): void {
    this.end(reason);
    this.#session.close(reason, true);
  }

  #finish(): void {
    this.#isEnded = true;
    for (const channel of this.#channels) this.#context.topics.remove(channel, this);
    this.#channels.clear();
  }

  get #maxBufferedBytes(): number {
    return this.#context.config.socketio.max_backpressure;
  }
}

/** The client's node has decoded it before; undefined if that node understands something else by it. */
function packetIn(text: string): ClientPacket | undefined {
  try {
    const decoded = decodeSocketPacket(text);
    return decoded.type === 'packet' ? decoded.packet : undefined;
  } catch (error) {
    if (error instanceof HiveError) return undefined;
    throw error;
  }
}
