/** `hive drain`: takes a node out of rotation without stopping it, waits until its sessions have been handed over, or puts it back. */
import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../observe/printable.ts';
import type { Drainage } from '../web/api/api-host.ts';
import { milliseconds, plural } from './operator/formats.ts';
import { Operator } from './operator/operator.ts';
import { print } from './operator/output.ts';
import { isNumber, isText, type Shape, withMembers } from './operator/shapes.ts';
import type { Where } from './operator/where.ts';

export interface DrainOptions {
  readonly undo?: boolean;
  /** How long to wait, s. */
  readonly timeout: number;
}

const isTruth: Shape<boolean> = (value) => typeof value === 'boolean';
const isTextOrNull: Shape<string | null> = (value) => value === null || isText(value);
const isDrainage = withMembers<Drainage>({
  admits: isTruth,
  handing_over: isTruth,
  connections: isNumber,
  clients: isNumber,
  stays: isTextOrNull,
});

const lookMs = 100;

/** Resolves to the exit code: 0 it is done, 2 not yet after that time. @throws Failure (rejection) */
export async function drain(where: Where, { undo = false, timeout }: DrainOptions): Promise<number> {
  const operator = new Operator(where);
  try {
    // Whoever is asked to do something is a Hive.
    await operator.json('router/drain', isDrainage);
    return await (undo ? putBack(operator) : takeOut(operator, timeout * 1000));
  } finally {
    operator.close();
  }
}

async function putBack(operator: Operator): Promise<number> {
  await operator.ask('router/enable', { method: 'POST' });
  await say(`The node at ${operator.where.origin} accepts new clients.`);
  return 0;
}

async function takeOut(operator: Operator, timeoutMs: number): Promise<number> {
  const { origin } = operator.where;
  const began = performance.now();
  let now = await operator.json('router/drain', isDrainage, { method: 'POST' });
  if (now.stays !== null) {
    await say(`The node at ${origin} refuses new clients. Its clients stay: ${now.stays}.`);
    return 0;
  }
  await say(
    `The node at ${origin} refuses new clients and hands sessions over; connections to close: ${now.connections}.`,
  );
  while (now.handing_over) {
    if (performance.now() - began > timeoutMs) {
      const left = plural(now.connections, 'connection');
      process.stderr.write(
        printable(`hive drain: ${origin} has ${left} to close after ${timeoutMs / 1000} s; it goes on.\n`),
      );
      return 2;
    }
    await delay(lookMs);
    now = await operator.json('router/drain', isDrainage);
  }
  const spent = milliseconds(performance.now() - began);
  await say(`It has been drained after ${spent}. Clients that stay until they leave by themselves: ${now.clients}.`);
  return 0;
}

function say(line: string): Promise<void> {
  return print(printable(`${line}\n`));
}
