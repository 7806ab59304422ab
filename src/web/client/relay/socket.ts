/**
 * A client's WebSocket that another node holds, as the owner of the session sees it. What is under way to the client counts
 * as buffered until the other node says that the client has taken it, so the usual limit applies to slow clients.
 */

import type { Payload } from '../../sockets/types.ts';
import type { ClientSocket, FrameHandler, SocketData } from '../client-socket.ts';
import { ChunkJoiner, costOf, noteBytes, sendChunks, toArrayBuffer } from './chunks.ts';
import type { Chunk, RelayEnd, RelayStream, ToEntry, ToOwner } from './relay.ts';

/** Bytes: on this node the system's own buffers would take about that much before a client counted as slow. */
export const slackBytes = 256 * 1024;

export class RelayedSocket implements ClientSocket, RelayEnd<ToOwner> {
  readonly #stream: RelayStream<ToEntry>;
  readonly #window: number;
  readonly #data: SocketData;
  readonly #joiner = new ChunkJoiner();
  /** The cost of what the client has not taken yet. */
  #underWay = 0;
  /** The cost of what was received since the last note. */
  #received = 0;
  #isOpen = true;

  /** @param window bytes that may wait for the client */
  constructor(stream: RelayStream<ToEntry>, window: number, handler: FrameHandler) {
    this.#stream = stream;
    this.#window = window;
    this.#data = { handler };
  }

  // ClientSocket

  send(message: Payload, isBinary = false): number {
    if (!this.#isOpen) return 2;
    this.#underWay += sendChunks(this.#stream, message, !isBinary);
    return this.getBufferedAmount() > this.#window ? 0 : 1;
  }

  ping(): number {
    this.#stream.send({ type: 'ping' });
    return 1;
  }

  getBufferedAmount(): number {
    return Math.max(0, this.#underWay - slackBytes);
  }

  getUserData(): SocketData {
    return this.#data;
  }

  end(code = 1000): void {
    this.#end(code);
  }

  close(): void {
    this.#end(undefined);
  }

  #end(code: number | undefined): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stream.send({ type: 'end', code }, true);
    this.#data.handler.closed('transport_closed');
  }

  // RelayEnd

  receive(signal: ToOwner): void {
    switch (signal.type) {
      case 'chunk':
        this.#receiveChunk(signal);
        break;
      case 'taken':
        this.#underWay -= signal.cost;
        break;
      case 'pong':
        this.#data.handler.pong();
        break;
      case 'gone':
        this.#isOpen = false;
        this.#data.handler.closed(signal.reason);
        break;
    }
  }

  lost(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#data.handler.closed('transport_closed');
  }

  #receiveChunk(chunk: Chunk): void {
    this.#received += costOf(chunk);
    if (this.#received >= noteBytes) {
      this.#stream.send({ type: 'taken', cost: this.#received });
      this.#received = 0;
    }
    const whole = this.#joiner.add(chunk);
    if (whole === undefined) return;
    const data = chunk.isText && typeof whole === 'string' ? whole : toArrayBuffer(whole);
    this.#data.handler.message(this, data, !chunk.isText);
  }
}
