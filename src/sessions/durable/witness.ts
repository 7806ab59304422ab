/**
 * Tells whether Redis is still the server that it was. A replica that has become the master may not have got the last writes that the former
 * one had confirmed, and a server that was restarted may come back with an old snapshot; the lease may have survived either.
 */
import type { RunCommands } from './commands.ts';

/** In a script, so that a Cluster answers from the node that has the key. */
const whoHas = "return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')";

/** Which server has a key. Undefined if it does not say so, or Redis is away. */
export async function serverOf(run: RunCommands, key: string): Promise<unknown> {
  const [server] = await run([['eval', whoHas, 1, key]]).catch(() => []);
  return server;
}

export class Witness {
  readonly #run: RunCommands;
  #servers = new Map<string, unknown>();

  constructor(run: RunCommands) {
    this.#run = run;
  }

  /**
   * Whether one of the keys is at another server than when it was last said where it is. A Redis that does not say who it is always is the
   * same.
   */
  async hasChanged(keys: readonly string[]): Promise<boolean> {
    const former = this.#servers;
    const answers = await this.#run(keys.map((key) => ['eval', whoHas, 1, key])).catch(() => []);
    // One that is just going away does not answer: the next one is compared with it all the same.
    this.#servers = new Map(keys.map((key, i) => [key, typeof answers[i] === 'string' ? answers[i] : former.get(key)]));
    return keys.some((key, i) => typeof answers[i] === 'string' && (former.get(key) ?? answers[i]) !== answers[i]);
  }
}
