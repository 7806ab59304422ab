/** Ports for servers that cannot be told to take any free one. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Ports of 127.0.0.1 that were free a moment ago, all different. */
export function freePorts(count: number): Promise<number[]> {
  return heldForAMoment(Array.from({ length: count }, () => 0));
}

/** The first of that many in a row. */
export async function freePortsInARow(count: number): Promise<number> {
  for (;;) {
    const [first] = (await freePorts(1)) as [number];
    try {
      await heldForAMoment(Array.from({ length: count }, (_, index) => first + index));
      return first;
    } catch {
      // one of them is taken, or there is none so high
    }
  }
}

/** Listens on these ports, 0 being any, and stops again. */
async function heldForAMoment(ports: readonly number[]): Promise<number[]> {
  const servers = ports.map(() => createServer());
  const listening = await Promise.allSettled(
    servers.map(async (server, index) => {
      server.listen(ports[index], '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return listening.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
