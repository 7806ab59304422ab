/**
 * Fan-out without visiting clients. A channel has one native topic per wire format in use; a publish is encoded once per
 * format and handed to the library, which also keeps it in order with what is sent to single sockets. Members without a
 * native subscription (polling clients, clients whose socket another node holds, clients before their connect packet) get the
 * same packet one by one.
 *
 *     publish ─► encode ─► app.publish("room" + NUL + "5/")   ─► sockets speaking Socket.IO 5, namespace /
 *             └► encode ─► app.publish("room" + NUL + "0.9")  ─► sockets speaking 0.9
 *             └──────────► member.deliver(text)               ─► polls
 */
import type { Counter } from '../../observe/metrics.ts';
import type { Encoded, PacketEncoder, ServerPacket } from '../../protocol/packet.ts';
import { isPositioned, noPosition, withTail } from '../../protocol/recovery.ts';
import type { SessionStore } from '../../sessions/session-store.ts';
import type { SocketApp } from '../sockets/types.ts';
import type { NativeSocket } from './client-socket.ts';

/** Who receives from a channel without a native subscription. */
export interface ChannelMember {
  readonly encoder: PacketEncoder;
  deliver(packet: Encoded): void;
}

/** What a running server lends to its topics. */
export interface TopicHost {
  readonly app: SocketApp;
  /** Whether what is published may be compressed. */
  readonly compression: boolean;
  /** Counts packets sent over WebSockets. */
  readonly sent: Counter;
  /** Native publishes cannot tell which sockets lag; called after so many published bytes to look for those. */
  readonly sweepBytes: number;
  sweep(): void;
}

const separator = '\0';

/** Whether a wire format is meant. */
type Takes = (encoder: PacketEncoder) => boolean;
const everybody: Takes = () => true;
const recoverable: Takes = ({ isRecoverable }) => isRecoverable;
const others: Takes = ({ isRecoverable }) => !isRecoverable;

export class Topics {
  readonly #sessions: SessionStore | undefined;
  readonly #encoders: PacketEncoder[] = [];
  readonly #members = new Map<string, Set<ChannelMember>>();
  #host: TopicHost | undefined;
  #bytesToSweep = 0;

  /** Connects the topics to the running server, until what is returned is disposed of. Another server may have been bound by then. */
  bind(host: TopicHost): Disposable {
    this.#host = host;
    this.#bytesToSweep = host.sweepBytes;
    return {
      [Symbol.dispose]: () => {
        if (this.#host === host) this.#host = undefined;
      },
    };
  }

  /** @param sessions numbers what recoverable clients are sent; absent if there are none */
  constructor(sessions?: SessionStore) {
    this.#sessions = sessions;
  }

  /** Returns the number of members that the packet was handed to. */
  publish(channel: string, packet: ServerPacket, id?: string): number {
    const sessions = this.#sessions;
    if (!sessions || !isPositioned(packet)) return this.#show(channel, packet, '', everybody);
    const tail = sessions.publish(channel, packet, id);
    if (!sessions.defers) return this.#show(channel, packet, tail, everybody);
    // Without a position it is for nobody who may return: those who are in the topic still have left the channel.
    if (tail !== noPosition) sessions.release(() => this.#show(channel, packet, tail, recoverable));
    return this.#show(channel, packet, tail, others);
  }

  #show(channel: string, packet: ServerPacket, tail: string, takes: Takes): number {
    let receivers = 0;
    const host = this.#host;
    if (host) {
      for (const encoder of this.#encoders) {
        if (!takes(encoder)) continue;
        const native = channel + separator + encoder.key;
        const count = host.app.numSubscribers(native);
        if (count === 0) continue;
        const encoded = encodedFor(encoder, packet, tail);
        publish(host, native, encoded);
        receivers += count;
        this.#account(host, encoded.length);
      }
      host.sent.value += receivers;
    }
    const members = this.#members.get(channel);
    if (!members) return receivers;
    for (const member of members) {
      if (!takes(member.encoder)) continue;
      member.deliver(encodedFor(member.encoder, packet, tail));
      receivers += 1;
    }
    return receivers;
  }

  subscribe(socket: NativeSocket, channel: string, encoder: PacketEncoder): void {
    if (!this.#encoders.some(({ key }) => key === encoder.key)) this.#encoders.push(encoder);
    socket.subscribe(channel + separator + encoder.key);
  }

  unsubscribe(socket: NativeSocket, channel: string, encoder: PacketEncoder): void {
    leave(socket, channel + separator + encoder.key);
  }

  /** Ends every native subscription of one format, which is that of one namespace. */
  unsubscribeAll(socket: NativeSocket, encoder: PacketEncoder): void {
    const suffix = separator + encoder.key;
    for (const native of socket.getTopics()) if (native.endsWith(suffix)) leave(socket, native);
  }

  add(channel: string, member: ChannelMember): void {
    const members = this.#members.get(channel);
    if (members) members.add(member);
    else this.#members.set(channel, new Set([member]));
  }

  remove(channel: string, member: ChannelMember): void {
    const members = this.#members.get(channel);
    if (members?.delete(member) && members.size === 0) this.#members.delete(channel);
  }

  /** A socket cannot lag by more than was published: looking for laggards once per that many bytes finds them all. */
  #account(host: TopicHost, bytes: number): void {
    this.#bytesToSweep -= bytes;
    if (this.#bytesToSweep > 0) return;
    this.#bytesToSweep = host.sweepBytes;
    setImmediate(sweep, host);
  }
}

/**
 * The library forgets what was published to a socket in this turn of the event loop when the socket leaves its last topic.
 * So that it never leaves the last one, it stays in one that nobody publishes to. (Counting its topics would copy them all.)
 */
function leave(socket: NativeSocket, native: string): void {
  if (!socket.isSubscribed(separator)) socket.subscribe(separator);
  socket.unsubscribe(native);
}

function encodedFor(encoder: PacketEncoder, packet: ServerPacket, tail: string): Encoded {
  const encoded = packet.encodedBy(encoder);
  return encoder.isRecoverable ? withTail(encoded, tail) : encoded;
}

/** One frame after the other: the library keeps them together, also where a socket is in several topics. */
function publish({ app, compression }: TopicHost, native: string, packet: Encoded): void {
  if (typeof packet === 'string') {
    app.publish(native, packet, false, compression);
    return;
  }
  app.publish(native, packet.text, false, compression);
  for (const frame of packet.frames) app.publish(native, frame, true, compression);
}

function sweep(host: TopicHost): void {
  host.sweep();
}
