/** `hive stop`: ends a node, or all nodes of a cluster one after the other, gracefully, and waits for the end. */
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../observe/printable.ts';
import { milliseconds } from './operator/formats.ts';
import { NobodyListens, Operator, Unanswered } from './operator/operator.ts';
import { print } from './operator/output.ts';
import { isText, listOf, withMembers } from './operator/shapes.ts';
import type { Where } from './operator/where.ts';

export interface StopOptions {
  readonly cluster?: boolean;
  /** How long to wait, s. */
  readonly timeout: number;
}

interface Reached {
  readonly nodes: readonly string[];
  readonly missing: readonly string[];
}

const isReached = withMembers<Reached>({ nodes: listOf(isText), missing: listOf(isText) });

/** How often it looks whether the node is there: more often than a service manager starts it anew. */
const lookMs = 50;

/** Resolves to the exit code: 0 it has ended, 2 it is still there after that time. @throws Failure (rejection) */
export async function stop(where: Where, { cluster = false, timeout }: StopOptions): Promise<number> {
  const operator = new Operator(where);
  const began = performance.now();
  const deadline = AbortSignal.timeout(timeout * 1000);
  try {
    const over = cluster ? await stopAll(operator, deadline) : await stopOne(operator, deadline);
    if (over) await say(`The node at ${where.origin} has ended after ${milliseconds(performance.now() - began)}.`);
    else process.stderr.write(`hive stop: ${where.origin} still answers after ${timeout} s; it goes on stopping.\n`);
    return over ? 0 : 2;
  } finally {
    operator.close();
  }
}

async function stopOne(operator: Operator, deadline: AbortSignal): Promise<boolean> {
  await seen(operator);
  // A Hive has nothing to say here.
  if ((await operator.ask('hive/stop', { method: 'POST' })).text !== '') throw operator.stranger();
  await say(`The node at ${operator.where.origin} is stopping: its clients have time to leave.`);
  return gone(() => seen(operator, deadline), deadline);
}

/** The node that is asked ends last, so the others can be seen through it until they have ended. */
async function stopAll(operator: Operator, deadline: AbortSignal): Promise<boolean> {
  const { nodes, missing } = await operator.json('hive/stop?cluster=true', isReached, { method: 'POST' });
  await say(`Stopping one after the other, ${operator.where.origin} last: ${nodes.join(', ')}`);
  if (missing.length > 0) await say(`Not reached, and not stopped: ${missing.join(', ')}`);
  let left = nodes;
  const look = async (): Promise<void> => {
    // Any call about the whole cluster tells who is in it.
    const reached = await operator.json('pubsub/subscribe/hive?cluster=true', isReached, { signal: deadline });
    for (const node of left) if (!reached.nodes.includes(node)) await say(`${node} has ended.`);
    left = left.filter((node) => reached.nodes.includes(node));
  };
  return gone(look, deadline);
}

/** Whoever is there is a Hive. @throws Failure (rejection) */
async function seen(operator: Operator, signal?: AbortSignal): Promise<void> {
  const { text } = await operator.ask('hive/version', { signal });
  if (!/^\d+\.\d+\.\d+\S{0,40}$/.test(text)) throw operator.stranger();
}

/** False if it is still there at the deadline. Its API is closed when its clients have ended. */
async function gone(look: () => Promise<void>, deadline: AbortSignal): Promise<boolean> {
  while (!deadline.aborted) {
    try {
      await look();
    } catch (error) {
      if (error instanceof NobodyListens) return true;
      // It may be in the middle of ending: the next look tells.
      if (!(error instanceof Unanswered)) throw error;
    }
    await delay(lookMs);
  }
  return false;
}

function say(line: string): Promise<void> {
  return print(printable(`${line}\n`));
}
