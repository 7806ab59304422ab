/**
 * The polls of one client of Socket.IO 0.9. What is queued answers the next poll at once; a poll that waits collects for
 * `poll_timeout` after the first packet, and is answered with a no-op after `heartbeat_timeout` of silence.
 */
import { Timer } from '../../../kernel/timers.ts';
import { encodeBatch, noopPacket, unknownSessionPacket } from '../../../protocol/legacy.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { CloseReason } from '../client-handle.ts';
import type { ConnectionContext } from '../connection-context.ts';

/** Events and messages (types 3 to 6) go in batches; a lone connect, disconnect, error or no-op stands by itself. */
function bodyOf(packets: readonly string[]): string {
  const first = packets[0] ?? noopPacket;
  const type = first.charCodeAt(0) - 48;
  return packets.length <= 1 && (type < 3 || type > 6) ? first : encodeBatch(packets);
}

export class LegacyPolls {
  readonly #context: ConnectionContext;
  readonly #owner: { close(reason: CloseReason): void };
  #packets: string[] = [];
  #bytes = 0;
  #poll: HttpResponse | undefined;
  #isClosed = false;
  /** While a poll waits: the heartbeat. While none does: how long the client may stay away. */
  readonly #presence = new Timer({ expire: () => this.#presenceExpired() });
  readonly #collect = new Timer({ expire: () => this.#flush() });

  constructor(context: ConnectionContext, owner: { close(reason: CloseReason): void }) {
    this.#context = context;
    this.#owner = owner;
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  /** Takes a poll. The newest one counts: an older one may be what is left of a broken connection. */
  hold(res: HttpResponse): void {
    const { wheel, config } = this.#context;
    const older = this.#poll;
    this.#poll = res;
    if (older) this.#context.reply(older, 200, noopPacket);
    this.#context.defer(res, () => this.#dropped(res));
    if (this.#packets.length > 0) this.#flush();
    else wheel.start(this.#presence, config.socketio.heartbeat_timeout);
  }

  push(packet: string): void {
    this.#packets.push(packet);
    this.#bytes += packet.length;
    if (!this.#poll) return;
    // A connect packet is waited for: it is not held back for company.
    if (packet.startsWith('1:')) setImmediate(flush, this);
    else if (!this.#collect.pending) {
      this.#context.wheel.start(this.#collect, this.#context.config.socketio.poll_timeout);
    }
  }

  /**
   * Answers a waiting poll for the last time: with the rest, or else so that the client starts anew. Returns false if there
   * is a rest and no poll: the next one gets it.
   */
  close(): boolean {
    this.#isClosed = true;
    this.#presence.cancel();
    this.#collect.cancel();
    const poll = this.#poll;
    if (!poll) return this.#packets.length === 0;
    if (this.#packets.length > 0) this.#flush();
    else this.#answer(poll, unknownSessionPacket);
    return true;
  }

  flush(): void {
    this.#flush();
  }

  #flush(): void {
    const poll = this.#poll;
    if (!poll || this.#packets.length === 0) return;
    const packets = this.#packets;
    this.#packets = [];
    this.#bytes = 0;
    this.#answer(poll, bodyOf(packets));
  }

  #answer(poll: HttpResponse, body: string): void {
    this.#poll = undefined;
    this.#collect.cancel();
    this.#awaitPoll();
    this.#context.reply(poll, 200, body);
  }

  /** A poll that is not the newest may go: its successor serves. */
  #dropped(res: HttpResponse): void {
    if (this.#poll !== res) return;
    this.#poll = undefined;
    this.#collect.cancel();
    this.#awaitPoll();
  }

  #awaitPoll(): void {
    if (this.#isClosed) return;
    this.#context.wheel.start(this.#presence, this.#context.config.socketio.reconnect_timeout);
  }

  #presenceExpired(): void {
    if (this.#poll) this.#answer(this.#poll, noopPacket);
    else this.#owner.close('transport_closed');
  }
}

function flush(polls: LegacyPolls): void {
  polls.flush();
}
