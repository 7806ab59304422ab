/** Encoded packets on a relay stream: the text, and the binary frames that belong to it, one message each. */
import type { Encoded } from '../../../protocol/packet.ts';
import { attachmentsOf } from '../../../protocol/socketio-v5.ts';
import { ChunkJoiner, sendChunks } from './chunks.ts';
import type { Chunk, RelayStream } from './relay.ts';

/** Returns its cost. */
export function sendEncoded(stream: Pick<RelayStream<Chunk>, 'send'>, packet: Encoded): number {
  if (typeof packet === 'string') return sendChunks(stream, packet, true);
  let cost = sendChunks(stream, packet.text, true);
  for (const frame of packet.frames) cost += sendChunks(stream, frame, false);
  return cost;
}

/** Joins them again, so that nothing comes between a text and its frames. */
export class PacketJoiner {
  readonly #joiner = new ChunkJoiner();
  /** A text that waits for its frames. */
  #text = '';
  #frames: Buffer[] | undefined;
  #missing = 0;

  /** The whole packet, once its last chunk is there. */
  add(chunk: Chunk): Encoded | undefined {
    const whole = this.#joiner.add(chunk);
    if (whole === undefined) return undefined;
    const frames = this.#frames;
    if (!frames) {
      const text = textOf(whole);
      this.#missing = attachmentsOf(text);
      if (!(this.#missing > 0)) return text;
      this.#text = text;
      this.#frames = [];
      return undefined;
    }
    frames.push(Buffer.from(whole as Uint8Array));
    this.#missing -= 1;
    if (this.#missing > 0) return undefined;
    this.#frames = undefined;
    const length = frames.reduce((sum, frame) => sum + frame.length, this.#text.length);
    return { text: this.#text, frames, length };
  }
}

export function textOf(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}
