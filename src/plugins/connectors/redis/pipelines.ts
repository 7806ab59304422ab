/** How commands that belong together are sent: in one pipeline; to a Cluster, in one for each slot that they touch. */
import { Cluster, Command, type Redis } from 'ioredis';
import type { Outcome, RedisCommand } from './refusal.ts';

/** Resolves to their outcomes, in their order. */
export async function sendTogether(
  redis: Redis | Cluster,
  commands: readonly RedisCommand[],
): Promise<readonly Outcome[]> {
  const [first] = commands;
  if (first && commands.length === 1 && !(redis instanceof Cluster)) return [await sendOne(redis, first)];
  const pipeline = redis.pipeline();
  for (const [name, ...args] of commands) {
    // A Cluster must know what is a transaction: one that meets another node's slot is sent there as a whole.
    if (name === 'multi') (pipeline as unknown as { multi(): void }).multi();
    else if (name === 'exec') void pipeline.exec();
    else pipeline.call(name, ...args);
  }
  return (await pipeline.exec()) ?? [];
}

/** Costs the client half of what a pipeline of one costs. */
async function sendOne(redis: Redis, [name, ...args]: RedisCommand): Promise<Outcome> {
  try {
    return [null, await redis.call(name, ...args)];
  } catch (error) {
    return [error as Error];
  }
}

/**
 * The same for a Cluster. Commands of one slot are executed in their order, those of several at the same time; a transaction stays whole.
 * All that a slot's new owner has to say of a pipeline is the same for each of its commands, so ioredis sends it there as a whole.
 */
export async function sendBySlot(cluster: Cluster, commands: readonly RedisCommand[]): Promise<readonly Outcome[]> {
  const parts = partsOf(commands);
  if (parts.length <= 1) return sendTogether(cluster, commands);
  const outcomes: Outcome[] = [];
  const sent = parts.map(async (places) => {
    const part = places.map((at) => commands[at]!);
    for (const [i, outcome] of (await sendTogether(cluster, part)).entries()) outcomes[places[i]!] = outcome;
  });
  // All have ended before one of them is said to have failed.
  for (const result of await Promise.allSettled(sent)) if (result.status === 'rejected') throw result.reason;
  return outcomes;
}

/** Which commands belong to one slot; those without keys belong together. A transaction is where its first key is. */
function partsOf(commands: readonly RedisCommand[]): number[][] {
  const parts = new Map<number, number[]>();
  const add = (slot: number, places: readonly number[]): void => {
    const part = parts.get(slot);
    if (part) part.push(...places);
    else parts.set(slot, [...places]);
  };
  let transaction: number[] | undefined;
  let whose = keyless;
  for (const [at, [name, ...args]] of commands.entries()) {
    if (name === 'multi') transaction = [];
    if (!transaction) {
      add(slotOf(name, args), [at]);
      continue;
    }
    transaction.push(at);
    if (whose === keyless) whose = slotOf(name, args);
    if (name !== 'exec') continue;
    add(whose, transaction);
    transaction = undefined;
    whose = keyless;
  }
  if (transaction) add(whose, transaction);
  return [...parts.values()];
}

const keyless = -1;

function slotOf(name: string, args: readonly (string | number)[]): number {
  return new Command(name, [...args]).getSlot() ?? keyless;
}
