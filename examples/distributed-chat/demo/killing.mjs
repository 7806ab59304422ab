/**
 * Where the page has its node killed, to show what becomes of the sessions: on loopback, and for the page alone, since any web page
 * could send the same request.
 *
 *   POST /kill/node2
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

const prefix = '/kill/';

/** Resolves with the address to which the name of a node is appended. `find(name)` is its program, `origins` are those of the page. */
export async function serveKills(origins, find) {
  const server = createServer((request, response) => {
    const { origin } = request.headers;
    const answer = (status) => response.writeHead(status, { Vary: 'Origin' }).end();
    // Not of a browser, if it has none.
    if (origin !== undefined && !origins.includes(origin)) return answer(403);
    if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin);
    const program = request.url.startsWith(prefix) ? find(request.url.slice(prefix.length)) : undefined;
    if (!program) return answer(404);
    if (request.method !== 'POST') return answer(405);
    if (!program.runs) return answer(409);
    program.signal('SIGKILL');
    return answer(204);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return `http://127.0.0.1:${server.address().port}${prefix}`;
}
