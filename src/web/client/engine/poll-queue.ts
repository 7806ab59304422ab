/**
 * The outgoing half of an Engine.IO polling transport: what waits for the next poll, or the poll that waits for something.
 * Packets written in one turn of the event loop leave in one payload.
 */
import { HiveError } from '../../../observe/errors.ts';
import { type EngineDialect, type EnginePacket, packetTypes } from '../../../protocol/engine.ts';
import type { Encoded } from '../../../protocol/packet.ts';
import type { HttpRequest, HttpResponse } from '../../http/http.ts';
import type { ConnectionContext } from '../connection-context.ts';
import type { Query } from '../requests.ts';
import { faults } from './faults.ts';

/** In a payload for clients in Python, which refuse more; the rest goes with the next poll. */
const pythonPackets = 16;

/** What a client takes, as its handshake shows. */
export interface PollTraits {
  readonly maxPackets: number;
  /** It has not said (`b64`) that it can handle text only. */
  readonly takesBytes: boolean;
}

export function pollTraits(req: HttpRequest, query: Query): PollTraits {
  return {
    maxPackets: isPython(req.getHeader('user-agent'), query) ? pythonPackets : Number.POSITIVE_INFINITY,
    takesBytes: query.b64 === undefined,
  };
}

/**
 * Whether the client is one of python-engineio: its HTTP library says so, or the time in its URLs, in seconds with a fraction.
 * Where neither is to be seen, it may be.
 */
function isPython(agent: string, query: Query): boolean {
  if (agent === '' || /python|aiohttp/i.test(agent)) return true;
  return /^\d{10}\.\d+$/.test(query.t ?? '');
}

const textType = 'text/plain; charset=UTF-8';
const bytesType = 'application/octet-stream';

export class PollQueue {
  readonly #context: ConnectionContext;
  readonly #dialect: EngineDialect;
  readonly #traits: PollTraits;
  #packets: EnginePacket[] = [];
  #bytes = 0;
  #poll: HttpResponse | undefined;
  #scheduled = false;
  #onClosePacketSent: (() => void) | undefined;
  #lastPacket = '';
  /** Whether a POST is being read: clients send one at a time. */
  posting = false;
  /** What bodies have shown of the client so far. */
  writesBytes: boolean | undefined;

  constructor(context: ConnectionContext, dialect: EngineDialect, traits: PollTraits) {
    this.#context = context;
    this.#dialect = dialect;
    this.#traits = traits;
  }

  get waiting(): boolean {
    return this.#poll !== undefined;
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  push(packet: Encoded): void {
    if (typeof packet === 'string') this.#packets.push(packet);
    else this.#packets.push(packet.text, ...packet.frames);
    this.#bytes += packet.length;
    if (!this.#poll || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(flush, this);
  }

  /** Answers at once if there is something to say, else holds the poll. */
  hold(res: HttpResponse): void {
    this.#poll = res;
    if (this.#packets.length > 0) this.flush();
    else if (this.#onClosePacketSent) this.#sendClosePacket();
  }

  /**
   * Ends the transport: what is queued goes first, the last packet alone behind it, for client libraries drop what came with
   * a close packet. Runs `onSent` when that was sent, which may take another poll, or never happen.
   */
  finish(lastPacket: string, onSent: () => void): void {
    this.#lastPacket = lastPacket;
    this.#onClosePacketSent = onSent;
    if (this.#packets.length > 0) this.flush();
    else if (this.#poll) this.#sendClosePacket();
  }

  /** Sends what is queued, or ends a waiting poll with an error: after a close packet not every client would come back. */
  abort(): void {
    this.flush();
    if (this.#poll) this.#context.replyError(this.#poll, new HiveError('router_error'));
    this.#poll = undefined;
  }

  #sendClosePacket(): void {
    this.push(this.#lastPacket);
    this.flush();
    this.#onClosePacketSent?.();
  }

  /** The client has broken off its poll. */
  dropPoll(): void {
    this.#poll = undefined;
  }

  /** Ends a waiting poll with a no-op, so that the client can leave this transport. */
  release(): void {
    if (this.#poll && this.#packets.length === 0) this.push(packetTypes.noop);
    this.flush();
  }

  /**
   * Ends a waiting poll as one that comes after the transport's end; on the next tick, so that it does not overtake what was sent over
   * the new one, which may have taken another way.
   */
  refuse(): void {
    const poll = this.#poll;
    this.#poll = undefined;
    if (poll) this.#context.wheel.schedule(0, () => this.#context.replyJson(poll, 400, faults.request));
  }

  flush(): void {
    this.#scheduled = false;
    const poll = this.#poll;
    if (!poll || this.#packets.length === 0) return;
    this.#poll = undefined;
    const packets = this.#takePayload();
    const bytes = this.#traits.takesBytes ? this.#dialect.encodeBinaryPayload?.(packets) : undefined;
    if (bytes) this.#context.reply(poll, 200, bytes, bytesType);
    else this.#context.reply(poll, 200, this.#dialect.encodePayload(packets), textType);
  }

  #takePayload(): EnginePacket[] {
    const { maxPackets } = this.#traits;
    if (this.#packets.length <= maxPackets) return this.take();
    const packets = this.#packets.splice(0, maxPackets);
    for (const { length } of packets) this.#bytes -= length;
    return packets;
  }

  /** What is queued; the queue is empty afterwards. */
  take(): EnginePacket[] {
    const packets = this.#packets;
    this.#packets = [];
    this.#bytes = 0;
    return packets;
  }
}

function flush(queue: PollQueue): void {
  queue.flush();
}
