/**
 * Handshakes by polling that never asked for a client took no slots, and what they had sent was kept until
 * `connect_timeout`: strangers filled the heap with headers. So did auth payloads while hooks of `on_connect` waited for a back end. Attachments for namespaces that nobody was connected to were kept, too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Handshake } from '../../src/web/client/client-handle.ts';
import { Clientless } from '../../src/web/client/clientless.ts';
import { startTestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';

const slots = 10;
const allowed = 11;

const sidOf = (body: string): string => JSON.parse(body.slice(1)).sid;

test('connections without a client are 10 % more than the slots at most, and those with one do not count', async () => {
  const server = await startTestServer({ hive: { max_client_slots: slots } });
  try {
    const base = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const urls: string[] = [];
    for (let at = 0; at < allowed; at += 1) {
      const { status, body } = await request(base);
      assert.equal(status, 200, body);
      urls.push(`${base}&sid=${sidOf(body)}`);
    }
    const refused = await request(base);
    assert.deepEqual([refused.status, JSON.parse(refused.body).error], [503, 'no_slots']);
    const socket = new RawSocket(base.replace('polling', 'websocket'));
    await socket.closed();
    assert.deepEqual(socket.messages, []);
    // One gets its client: there is room for one, and for no more.
    assert.equal((await request(urls[0]!, { method: 'POST', body: '40' })).body, 'ok');
    assert.match((await request(urls[0]!)).body, /^40\{/);
    const next = await request(base);
    assert.equal(next.status, 200);
    assert.equal((await request(base)).status, 503);
    // One leaves, and comes for the answer to its last poll.
    await request(urls[1]!, { method: 'POST', body: '1' });
    assert.equal((await request(urls[1]!)).body, '6');
    assert.equal((await request(base)).status, 200);
    assert.equal((await request(base)).status, 503);
    // A client leaves its connection behind, which is one too many: it ends at once.
    await request(urls[0]!, { method: 'POST', body: '41' });
    await eventually(async () => (await request(urls[0]!)).status === 400, 'the end of the connection without client');
    assert.equal((await request(base)).status, 503);
  } finally {
    await server.close();
  }
  assert.deepEqual(server.crashes, []);
});

test('connections that connect their default namespace by themselves, or come and go, use up no room', async () => {
  const server = await startTestServer({ hive: { max_client_slots: 1 } });
  try {
    for (const version of [3, 4, 3, 4]) {
      const socket = await new RawSocket(`${server.url}/socket.io/?EIO=${version}&transport=websocket`).opened();
      assert.match(await socket.next(), /^0\{/);
      socket.close();
      await socket.closed();
      const { body } = await request(`${server.url}/socket.io/?EIO=4&transport=polling`);
      const url = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${sidOf(body)}`;
      assert.equal((await request(url, { method: 'POST', body: '1' })).status, 200);
      assert.equal((await request(url)).body, '6');
    }
  } finally {
    await server.close();
  }
  assert.deepEqual(server.crashes, []);
});

test('what they keep of their requests is limited for all together', () => {
  const room = new Clientless(1_000_000);
  const header = 'x'.repeat(60_000);
  const handshake = { headers: { cookie: header }, query: {} } as unknown as Handshake;
  const entered: number[] = [];
  while (!room.refusal()) entered.push(room.enter(handshake));
  assert.ok(entered.length * header.length <= 64 * 1024 * 1024, `${entered.length} were let in`);
  assert.ok(entered.length > 1000, `${entered.length} were let in`);
  // A text that takes two bytes per character weighs twice.
  assert.ok(room.enter({ headers: { cookie: `${header}😀` }, query: {} } as unknown as Handshake) > 2 * header.length);
  for (const bytes of entered) room.leave(bytes);
  assert.equal(room.refusal(), undefined);
});

test('what clients say of themselves shares that limit until their hooks of on_connect are done', async () => {
  const server = await startTestServer({ socketio: { max_payload: 8_000_000 } });
  let letIn = (): void => {};
  const isDone = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  server.host.onAttach = () => isDone;
  const connect = async (bytes: number) => {
    const socket = await new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`).opened();
    await socket.next();
    socket.send(`40{"token":"${'x'.repeat(bytes)}"}`);
    return socket;
  };
  const opened = (count: number) => eventually(() => server.host.sessions.length === count, `${count} sessions`);
  const legacy = (header: Record<string, string>) => request(`${server.url}/socket.io/1/`, { headers: header });
  const large = { 'x-large': 'x'.repeat(15_000) };
  try {
    const sockets: RawSocket[] = [];
    for (let n = 1; n <= 9; n += 1) {
      sockets.push(await connect(7_000_000));
      await opened(n);
    }
    const late = await connect(7_000_000);
    assert.equal(await late.closed(), 1013);
    // So much that there is room for a client without large headers only.
    sockets.push(await connect(64 * 1024 * 1024 - 9 * 7_000_000 - 15_000));
    await opened(10);
    assert.equal((await legacy({})).status, 200);
    assert.equal(JSON.parse((await legacy(large)).body).error, 'no_slots');
    letIn();
    for (const socket of sockets) assert.match(await socket.next(), /^40\{/);
    assert.equal((await legacy(large)).status, 200);
    const next = await connect(7_000_000);
    assert.match(await next.next(), /^40\{/);
  } finally {
    letIn();
    await server.close();
  }
  assert.deepEqual(server.crashes, []);
});

test('an event with attachments for a namespace that is not connected is refused before they come', async () => {
  const server = await startTestServer();
  try {
    const socket = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
    assert.match(await socket.next(), /^0\{/);
    socket.send('451-["x",{"_placeholder":true,"num":0}]');
    assert.equal(await socket.closed(), 1007);
  } finally {
    await server.close();
  }
});
