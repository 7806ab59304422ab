/**
 * What makes no sense ends the connection. Where ioredis stumbles over an answer (a null that nobody has asked for, a push without a
 * channel), it throws once more outside of everything, on purpose: the fault might be in a callback of its user's. Nobody can
 * catch that, so the process ends. Ours has no such callbacks: it is the answer, and its connection cannot be trusted any more.
 *
 * What reads answers is no public interface of ioredis: the tests send such answers, and would tell. All connections are meant,
 * those to Sentinels and to the nodes of a Cluster too, which ioredis makes by itself.
 */
import type { Duplex } from 'node:stream';
import * as handlers from 'ioredis/built/DataHandler.js';

interface Insides {
  readonly redis: { readonly stream: Duplex | undefined };
  dispatch(take: () => void): void;
}

/** A CommonJS module of a class that is its default export. */
const { default: DataHandler } = handlers as unknown as { default: { default: { prototype: Insides } } };

DataHandler.default.prototype.dispatch = function dispatchGuarded(this: Insides, take: () => void): void {
  try {
    take();
  } catch (error) {
    this.redis.stream?.destroy(new Error(`an answer makes no sense: ${(error as Error).message}`, { cause: error }));
  }
};
