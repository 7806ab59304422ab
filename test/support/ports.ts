/** Ports for servers that cannot be told to take any free one. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections: such a port would be taken by one between the moment and its server's start. */
const lowest = 10_000;
const highest = 32_000;
/** Test files run side by side, in processes of their own: each looks at ports of its own first. */
let next = lowest + ((process.pid * 97) % (highest - lowest));

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePortsInARow(1)));
}

/** The first of that many in a row. */
export async function freePortsInARow(count: number): Promise<number> {
  for (;;) {
    if (next + count > highest) next = lowest;
    const first = next;
    next += count;
    try {
      await heldForAMoment(Array.from({ length: count }, (_, index) => first + index));
      return first;
    } catch {
      // One of them is taken.
    }
  }
}

/** Listens on these ports, and stops again. */
async function heldForAMoment(ports: readonly number[]): Promise<void> {
  const servers = ports.map(() => createServer());
  const listening = await Promise.allSettled(
    servers.map(async (server, index) => {
      server.listen(ports[index], '127.0.0.1');
      await once(server, 'listening');
    }),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  for (const result of listening) if (result.status === 'rejected') throw result.reason;
}
