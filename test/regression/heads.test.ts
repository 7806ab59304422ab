/**
 * Heads of 60 to 100 KB were read and kept, by 20.30 at least, which limits the pieces that a head comes in and not the head.
 * What no hook would ask for was kept, too, and relayed WebSockets kept the request that they had begun with.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { startApiServer } from '../../src/web/api/api.ts';
import type { ApiHost } from '../../src/web/api/api-host.ts';
import { type SettingsChange, startTestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { request, textFrame } from '../support/raw-client.ts';
import { startRelayPair } from '../support/relay-pair.ts';
import { testLibraries } from '../support/socket-libraries.ts';
import { TcpClient } from '../support/tcp-client.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const websocket = '/socket.io/?EIO=4&transport=websocket';
const upgrade =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function head(path: string, headers: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
}

function padding(bytes: number): string {
  return `X-Padding: ${'x'.repeat(bytes)}\r\n`;
}

testLibraries('what begins something is refused with 431 if its head is larger than 16 KiB', async (t, library) => {
  const server = await startTestServer({}, { sockets: library });
  t.after(() => server.close());
  const status = async (bytes: string): Promise<string> => {
    const client = new TcpClient(server.port);
    t.after(() => client.destroy());
    client.send(bytes);
    await eventually(() => client.isClosed || client.text.includes('\r\n'), 'an answer or the end');
    return client.text.slice(9, 12);
  };
  // What comes in more than one piece is closed by 20.30.
  const refused = (bytes: number) => (bytes < 20_000 ? ['431'] : ['431', '']);
  for (const bytes of [17_000, 60_000, 100_000]) {
    const long = `&long=${'x'.repeat(bytes)}`;
    for (const request of [
      head(polling, padding(bytes)),
      head(polling + long, ''),
      head(websocket, upgrade + padding(bytes)),
      head(websocket + long, upgrade),
      head('/socket.io/1/', padding(bytes)),
    ]) {
      const given = await status(request);
      assert.ok(refused(bytes).includes(given), `${given} for ${bytes} bytes: ${request.slice(0, 60)}`);
    }
  }
  assert.equal(await status(head(polling, padding(15_000))), '200');
  assert.equal(await status(head(websocket, upgrade + padding(15_000))), '101');
  assert.equal(await status(head('/socket.io/1/', padding(15_000))), '200');
  assert.deepEqual(server.crashes, []);
});

testLibraries('so is what is asked of the API without its key in the path', async (t, library) => {
  const key = 'a-key-of-more-than-16-characters';
  const host = { version: '1' } as ApiHost;
  const log = silent;
  const metrics = new Metrics();
  const at = { sockets: library, address: '127.0.0.1', port: 0, tls: undefined };
  const server = await startApiServer({ ...at, key, host, metrics, log });
  t.after(() => server.stop());
  const status = async (path: string, bytes: number): Promise<string> => {
    const client = new TcpClient(server.port);
    t.after(() => client.destroy());
    client.send(head(path, padding(bytes)));
    return (await client.until(/^HTTP\/1\.1 \d{3} /)).slice(9, 12);
  };
  assert.equal(await status('/api/a-wrong-key/hive/version', 17_000), '431');
  assert.equal(await status('/api/hive/version', 17_000), '431');
  assert.equal(await status(`/api/${key}/hive/version`, 15_000), '200');
});

test('a request with too large a head is not relayed', async (t) => {
  const { owner, entry } = await startRelayPair(t);
  const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
  const client = new TcpClient(Number(new URL(entry.url).port));
  t.after(() => client.destroy());
  client.send(head(`${polling}&sid=${sid}`, padding(60_000)));
  await client.until(/^HTTP\/1\.1 431 /);
  assert.equal((await request(`${entry.url + polling}&sid=${sid}`, { method: 'POST', body: '40' })).status, 200);
});

test('of clients whose handshake no hook wants to know nothing is kept but their address', async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  server.host.wantsHandshakes = false;
  const handshakes = async () => {
    const { body } = await request(`${server.url + polling}&token=t`);
    const { sid } = JSON.parse(body.slice(1)) as { sid: string };
    await request(`${server.url + polling}&sid=${sid}`, { method: 'POST', body: '40{"token":"secret"}' });
    await request(`${server.url}/socket.io/1/?token=t`);
    await eventually(() => server.host.sessions.length % 2 === 0, 'both sessions');
    return server.host.sessions.splice(0).map(({ request: { handshake } }) => handshake);
  };
  for (const { auth, query, headers, address } of await handshakes()) {
    assert.deepEqual([auth, { ...query }, { ...headers }, address], [undefined, {}, {}, '127.0.0.1']);
  }
  server.host.wantsHandshakes = true;
  const [today, legacy] = await handshakes();
  assert.deepEqual(today!.auth, { token: 'secret' });
  for (const { query, headers } of [today!, legacy!]) {
    assert.equal(query.token, 't');
    assert.equal(headers.host, new URL(server.url).host);
  }
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Of the heap, after everything that can be collected was. */
function usedBytes(): number {
  collect();
  collect();
  return getHeapStatistics().used_heap_size;
}

const crowd = 200;
const group = 20;
const padded = 14_000;

/** What one of many sockets keeps of that header. */
async function keptOf(t: TestContext, open: (header: string) => Promise<Socket>): Promise<number> {
  const round = async (header: string): Promise<number> => {
    const before = usedBytes();
    const sockets: Socket[] = [];
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let n = 0; n < crowd; n += group) {
      sockets.push(...(await Promise.all(Array.from({ length: group }, () => open(header)))));
    }
    return (usedBytes() - before) / crowd;
  };
  // What is there only once, compiled code above all, comes with the first.
  await round('');
  const without = await round('');
  return (await round(padding(padded))) - without;
}

/** A WebSocket, when its first answer has come. */
async function opened(port: number, path: string, header: string, ...frames: string[]): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.write(head(path, upgrade + header));
  await once(socket, 'data');
  for (const frame of frames) {
    socket.write(textFrame(frame));
    if (frame === '2probe') await once(socket, 'data');
  }
  return socket;
}

const roomy: SettingsChange = { hive: { max_client_slots: 10_000 } };

test('an open WebSocket keeps nothing of its head', async (t) => {
  const server = await startTestServer(roomy);
  t.after(() => server.close());
  server.host.wantsHandshakes = false;
  const kept = await keptOf(t, (header) => opened(server.port, websocket, header, '40'));
  assert.ok(kept < padded / 2, `${kept} bytes are kept`);
});

test('nor does one that is relayed', async (t) => {
  const { owner, entry } = await startRelayPair(t, roomy);
  owner.server.host.wantsHandshakes = false;
  const port = Number(new URL(entry.url).port);
  const kept = await keptOf(t, async (header) => {
    const { sid } = JSON.parse((await request(owner.url + polling)).body.slice(1)) as { sid: string };
    return opened(port, `${websocket}&sid=${sid}`, header, '2probe', '5');
  });
  assert.ok(kept < padded / 2, `${kept} bytes are kept`);
});
