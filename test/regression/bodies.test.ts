/**
 * Bodies that come in pieces were bounded each and not together: strangers without a client could have a megabyte kept per
 * connection for as long as they went on sending, and so could calls of the API, with eight.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { startApiServer } from '../../src/web/api/api.ts';
import type { ApiHost } from '../../src/web/api/api-host.ts';
import { startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { request } from '../support/raw-client.ts';
import { testLibraries } from '../support/socket-libraries.ts';
import { sockets } from '../support/sockets.ts';
import { TcpClient } from '../support/tcp-client.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const maxPayload = 1_000_000;
/** As many as fit into 64 MiB. */
const room = Math.floor((64 * 1024 * 1024) / (maxPayload - 1));

/** Sends all but the last byte of so many bodies, one after the other. */
function begin(t: TestContext, port: number, paths: readonly string[], bytes: number): TcpClient[] {
  return paths.map((path) => {
    const client = new TcpClient(port);
    t.after(() => client.destroy());
    return client
      .send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes}\r\n\r\n`)
      .send(Buffer.alloc(bytes - 1, 'x'));
  });
}

const statusOf = ({ text }: TcpClient): string => text.slice(9, 12);

async function handshakes(server: TestServer, count: number): Promise<string[]> {
  const paths: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const { body } = await request(server.url + polling);
    paths.push(`${polling}&sid=${(JSON.parse(body.slice(1)) as { sid: string }).sid}`);
  }
  return paths;
}

testLibraries('of unfinished bodies of connections without a client 64 MiB are kept together', async (t, library) => {
  const server = await startTestServer({ socketio: { max_payload: maxPayload } }, { sockets: library });
  t.after(() => server.close());
  const [mine, ...paths] = (await handshakes(server, room + 10)) as [string, ...string[]];
  assert.equal((await request(server.url + mine, { method: 'POST', body: '40' })).body, 'ok');
  const clients = begin(t, server.port, paths, maxPayload);
  const refused = () => clients.filter((client) => statusOf(client) === '503');
  await eventually(() => refused().length === paths.length - room, 'the refusal of those for which there is no room');
  const [first] = refused();
  assert.match(first!.text, /"error":"overloaded"/);
  await eventually(() => refused().every(({ isClosed }) => isClosed), 'the end of their connections');
  // Who has a client is not in their way, nor is what comes in one piece.
  const large = `42["x","${'x'.repeat(maxPayload / 2)}"]`;
  assert.equal((await request(server.url + mine, { method: 'POST', body: large })).body, 'ok');
  const [small] = (await handshakes(server, 1)) as [string];
  assert.equal((await request(server.url + small, { method: 'POST', body: '40' })).body, 'ok');
  for (const client of clients) client.destroy();
  const body = `40{"x":"${'x'.repeat(maxPayload / 2)}"}`;
  await eventually(async () => {
    const [another] = (await handshakes(server, 1)) as [string];
    return (await request(server.url + another, { method: 'POST', body })).status === 200;
  }, 'room for others when they have gone');
  assert.deepEqual(server.crashes, []);
});

test('so are those of calls of the API', async (t) => {
  const key = 'a-key-of-more-than-16-characters';
  const host = {
    runActions: () => Promise.resolve(),
  } as unknown as ApiHost;
  const server = await startApiServer({
    sockets,
    address: '127.0.0.1',
    port: 0,
    tls: undefined,
    key,
    host,
    metrics: new Metrics(),
    log: silent,
  });
  t.after(() => server.stop());
  const path = `/api/${key}/clients/action/someone`;
  const calls = begin(t, server.port, Array(10).fill(path), 8_000_000);
  const refused = () => calls.filter((call) => statusOf(call) === '503');
  await eventually(() => refused().length === 2, 'the refusal of two of ten');
  assert.match(refused()[0]!.text, /"error":"overloaded"/);
  assert.equal((await request(`http://127.0.0.1:${server.port}${path}`, { method: 'POST', body: '[]' })).status, 200);
});
