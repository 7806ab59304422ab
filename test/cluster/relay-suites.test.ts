/** What the suites of Engine.IO ask of a session, at a node that does not own it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventPacket } from '../../src/protocol/packet.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';
import { startRelayPair } from '../support/relay-pair.ts';

test('a relayed poll gets a no-op when its client posts the close packet', async (t) => {
  const { owner, entry } = await startRelayPair(t);
  const base = '/socket.io/?EIO=4&transport=polling';
  const { sid } = JSON.parse((await request(owner.url + base)).body.slice(1)) as { sid: string };
  const path = `${base}&sid=${sid}`;
  const seen = () => owner.server.metrics.counter('clients.transports.http.requests').value;
  const before = seen();
  const poll = request(entry.url + path);
  await eventually(() => seen() > before, 'the poll at its owner');
  assert.equal((await request(owner.url + path, { method: 'POST', body: '1' })).body, 'ok');
  assert.equal((await poll).body, '6');
  assert.equal((await request(entry.url + path)).status, 400);
});

test('another WebSocket for a session is opened and closed at whichever node it arrives', async (t) => {
  const { owner, entry } = await startRelayPair(t);
  const base = '/socket.io/?EIO=4&transport=websocket';
  const first = new RawSocket(owner.url + base);
  const { sid } = JSON.parse((await first.next()).slice(1)) as { sid: string };
  const other = new RawSocket(`${entry.url}${base}&sid=${sid}`);
  assert.equal(await other.closed(), 1008);
  assert.deepEqual(other.messages, []);
  first.send('40');
  assert.match(await first.next(), /^40/);
  first.close();
});

test('a relayed poll of Engine.IO 3 is answered in bytes', async (t) => {
  const { owner, entry } = await startRelayPair(t);
  const base = '/socket.io/?EIO=3&transport=polling';
  const { body } = await request(owner.url + base);
  const sid = /"sid":"([^"]+)"/.exec(body)![1]!;
  const session = await owner.server.host.session();
  if (!body.endsWith('2:40')) await request(`${entry.url}${base}&sid=${sid}`);
  const data = Buffer.alloc(30_000, 0xe9);
  session.sink.send(eventPacket('x', [{ _binary: data.toString('base64') }]));
  const response = await fetch(`${entry.url}${base}&sid=${sid}`);
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  const polled = Buffer.from(await response.arrayBuffer());
  const text = '451-["x",{"_placeholder":true,"num":0}]';
  const head = [0, ...[...String(text.length)].map(Number), 255];
  const binaryHead = Buffer.from([1, 3, 0, 0, 0, 1, 255, 4]);
  assert.deepEqual(polled, Buffer.concat([Buffer.from(head), Buffer.from(text), binaryHead, data]));
});
