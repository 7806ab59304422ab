/** Nonsense from strangers, in every way there is to send it: the server lives and its other clients do not notice. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startTestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { fc } from '../support/properties.ts';
import { RawSocket, rawUpgrade, request, textFrame } from '../support/raw-client.ts';

const start = fc.constantFrom(
  '',
  '0',
  '1',
  '2probe',
  '3',
  '4',
  '40',
  '41',
  '42',
  '430',
  '44',
  '45-',
  '451-["x",{"_placeholder":true,"num":0}]\x1eb',
  '5',
  '6',
  '5:::',
  '3:::',
  '1::',
  '0::',
);
const nonsense = fc
  .tuple(start, fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant('\ufffd5\ufffd'), fc.constant('\x1e')))
  .map(([head, tail]) => head + tail);

/** What is left of a session, or leaks per connection, counts; a page of compiled code does not. */
const noiseBytes = 3_000_000;

test('random packets, bodies and bytes harm nobody, and leave nothing behind', async () => {
  const server = await startTestServer({
    hive: { allowed_origins: ['*', null] },
    socketio: { ping_interval: 200, ping_timeout: 200, connect_timeout: 200, init_timeout: 1000 },
  });
  const engine = `${server.url}/socket.io/?EIO=4&transport=`;
  const bystander = new RawSocket(`${engine}websocket`);
  await bystander.next();
  bystander.send('40');
  await bystander.next();
  bystander.answerPings();

  const overSocket = async (text: string) => {
    const tcp = await rawUpgrade(server.port, '/socket.io/?EIO=4&transport=websocket');
    tcp.on('error', () => {});
    tcp.write(textFrame('40'));
    tcp.end(textFrame(Buffer.from(text).subarray(0, 100).toString()));
    await new Promise((resolve) => tcp.resume().once('close', resolve));
  };
  const overPolling = async (text: string) => {
    const sid = JSON.parse((await request(`${engine}polling`)).body.slice(1)).sid;
    const answer = await request(`${engine}polling&sid=${sid}`, { method: 'POST', body: text });
    assert.match(String(answer.status), /^(200|400)$/);
  };
  const overOldPolling = async (text: string) => {
    const url = `${server.url}/socket.io/?EIO=3&transport=polling`;
    const { sid } = JSON.parse(/\{.*?\}/.exec((await request(url)).body)![0]);
    const body = text.length % 2 === 0 ? text : `${text.length}:${text}`;
    const headers = { 'content-type': text.length % 3 === 0 ? 'application/octet-stream' : 'text/plain' };
    const answer = await request(`${url}&b64=1&sid=${sid}`, { method: 'POST', body, headers });
    assert.match(String(answer.status), /^(200|400)$/);
  };
  const overLegacy = async (text: string) => {
    const url = `${server.url}/socket.io/1/xhr-polling/${(await request(`${server.url}/socket.io/1/`)).body.split(':')[0]}`;
    await request(url);
    const answer = await request(url, { method: 'POST', body: text });
    assert.match(String(answer.status), /^(200|400)$/);
    await request(`${url}?disconnect`);
  };
  const asUrl = async (text: string) => {
    const { status } = await request(`${server.url}/socket.io/${encodeURI(wellFormed(text))}?${wellFormed(text)}`);
    assert.match(String(status), /^(200|4..)$/);
  };
  const asBytes = async (bytes: Uint8Array) => {
    const tcp = connect(server.port, '127.0.0.1');
    tcp.on('error', () => {});
    tcp.end(bytes);
    await new Promise((resolve) => tcp.resume().once('close', resolve));
  };

  const attack = () =>
    fc.assert(
      fc.asyncProperty(nonsense, fc.uint8Array({ minLength: 1, maxLength: 200 }), async (text, bytes) => {
        await Promise.all([
          overSocket(text),
          overPolling(text),
          overOldPolling(text),
          overLegacy(text),
          asUrl(text),
          asBytes(bytes),
        ]);
      }),
      { numRuns: 150 },
    );
  /** When all sessions of strangers have ended. */
  const heapBytes = async () => {
    const [, ...strangers] = server.host.sessions;
    await eventually(() => strangers.every(({ closed }) => closed.length > 0), 'the end of all strangers');
    server.host.sessions.length = 1;
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };

  await attack();
  const before = await heapBytes();
  await attack();
  const grown = (await heapBytes()) - before;
  assert.ok(grown < noiseBytes, `the heap has grown by ${grown} bytes`);

  bystander.messages.length = 0;
  bystander.send('42["echo","alive"]');
  await eventually(() => bystander.messages.includes('42["echo","alive"]'), 'the echo');
  assert.equal(bystander.code, undefined);
  bystander.close();
  await server.close();
  assert.deepEqual(server.crashes, []);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Without half surrogate pairs, which no URL can hold. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
