/**
 * What makes no sense ends the connection. Where ioredis stumbles over an answer (a null that nobody has asked for, a push without a
 * channel), it throws once more outside of everything, on purpose: the fault might be in a callback of its user's. Nobody can
 * catch that, so the process ends. Ours has no such callbacks: it is the answer, and its connection cannot be trusted any more.
 * Nor can one that announces more than any answer has.
 *
 * What reads answers is no public interface of ioredis: the tests send such answers, and would tell. All connections are meant,
 * those to Sentinels and to the nodes of a Cluster too, which ioredis makes by itself.
 */
import type { Duplex } from 'node:stream';
import * as handlers from 'ioredis/built/DataHandler.js';
import { Decoder } from 'ioredis/built/resp/decoder.js';
import { ReplyLength } from './reply-length.ts';

interface Handler {
  readonly redis: { readonly stream: Duplex | undefined };
  dispatch(take: () => void): void;
}

/** A CommonJS module of a class that is its default export. */
const { default: DataHandler } = handlers as unknown as { default: { default: { prototype: Handler } } };

DataHandler.default.prototype.dispatch = function dispatchGuarded(this: Handler, take: () => void): void {
  try {
    take();
  } catch (error) {
    this.redis.stream?.destroy(new Error(`an answer makes no sense: ${(error as Error).message}`, { cause: error }));
  }
};

/** There is a decoder for each connection. */
const lengths = new WeakMap<Decoder, ReplyLength>();
const { write } = Decoder.prototype;

Decoder.prototype.write = function writeGuarded(this: Decoder, chunk): void {
  let length = lengths.get(this);
  if (!length) {
    length = new ReplyLength();
    lengths.set(this, length);
  }
  length.follow(chunk);
  write.call(this, chunk);
};
