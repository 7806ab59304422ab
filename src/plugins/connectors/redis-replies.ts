/**
 * What nobody has asked for ends the connection. ioredis takes an answer that belongs to no command as an error; and where that
 * answer is null it throws, from a callback of its own in which nobody can catch it, so that the process ends.
 *
 * Its queue of commands is no public interface: the tests send such answers, and would tell. All connections are meant, those to
 * Sentinels and to the nodes of a Cluster too, which ioredis makes by itself.
 */
import type { Duplex } from 'node:stream';
import { Redis } from 'ioredis';

interface Insides {
  readonly stream: Duplex | undefined;
  readonly commandQueue: { readonly length: number; shift(): unknown };
  resetCommandQueue(): void;
}

/** Takes any answer, and is of no consequence. */
const nobody = { command: { name: '', args: [], resolve() {}, reject() {} } };

const insides = Redis.prototype as unknown as Insides;
const { resetCommandQueue } = insides;

insides.resetCommandQueue = function resetGuarded(this: Insides): void {
  resetCommandQueue.call(this);
  const queue = this.commandQueue;
  const { shift } = queue;
  queue.shift = () => {
    if (queue.length > 0) return shift.call(queue);
    // Without a reader it is not about an answer: the queue is being emptied.
    if (!this.stream || this.stream.listenerCount('data') === 0) return undefined;
    this.stream.destroy(new Error('an answer came that nobody had asked for'));
    return nobody;
  };
};
