/** Ports for servers that cannot be told to take any free one. */
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections: such a port would be taken by one between the moment and its server's start. */
const lowest = 10_000;
const highest = 32_000;
/** Benchmarks may run side by side: each looks at ports of its own first. */
let next = lowest + ((process.pid * 97) % (highest - lowest));

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort() {
  for (;;) {
    const port = next;
    next = port + 1 < highest ? port + 1 : lowest;
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
