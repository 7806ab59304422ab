import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ClientEvent } from '../../../../src/protocol/packet.ts';
import { type Clients, startClients } from '../../../support/clients.ts';
import { eventually } from '../../../support/eventually.ts';

let clients: Clients;

afterEach(() => clients.close());

const event = (name: string, args: unknown[] = [], id?: number) => new ClientEvent(name, JSON.stringify(args), id);
const hook = (name: string, endpoint: string) => ({ hook: name, args: { connector: 'backend', endpoint } });
const post = (endpoint: string) => hook('hp.post', endpoint);

test('back ends get sid, trigger, trigger id, state, node and session, and what names the event', async () => {
  const hooks = { go: [post('/x')], on_connect: [post('/c')], on_disconnect: [post('/d')] };
  clients = await startClients({ clients: { hooks } });
  const { session, sink } = await clients.connect();
  session.receive(event('go', [{ a: 'ü' }], 7));
  await clients.settled(session, sink);
  session.close('client_disconnect');
  await eventually(() => clients.services.asked.length === 3, 'on_disconnect');
  const [connect, go, disconnect] = clients.services.asked.map(({ request }) => request.body);
  const { sid } = session;
  const { connected_at } = JSON.parse(connect ?? '').session;
  assert.ok(Math.abs(Date.now() - connected_at) < 60_000);
  const rest = (number: number) => ({
    state: { nick: null },
    node: 'test@127.0.0.1',
    session: { connected_at, epoch: 0, event: number },
  });
  assert.equal(go, JSON.stringify({ sid, trigger: { name: 'go', args: [{ a: 'ü' }] }, trigger_id: '7+', ...rest(2) }));
  assert.equal(disconnect, JSON.stringify({ sid, trigger: 'client_disconnect', trigger_id: '', ...rest(3) }));
  const { handshake, ...metadata } = JSON.parse(connect ?? '');
  assert.deepEqual(metadata, { sid, trigger: null, trigger_id: '', ...rest(1) });
  assert.deepEqual(
    clients.services.asked.map(({ request }) => request.idempotencyKey),
    [`${sid}/0.1`, `${sid}/0.2`, `${sid}/end`],
  );
  assert.deepEqual(handshake.auth, { token: 't' });
});

test('an event that is dispatched has a number of its own; the hooks behind the one that dispatched it keep theirs', async () => {
  const dispatch = '{"action":"dispatch","args":{"name":"inner","args":[]}}';
  clients = await startClients({
    clients: { hooks: { go: [post('/outer'), hook('hp.put', '/behind')], inner: [post('/inner')] } },
    answer: ({ request }) => ({ status: 200, body: request.endpoint === '/outer' ? dispatch : '' }),
  });
  const { session, sink } = await clients.connect();
  session.receive(event('unknown'));
  session.receive(event('go'));
  session.receive(event('go'));
  await clients.settled(session, sink);
  await eventually(() => clients.services.asked.length === 6, 'all requests');
  const numbered = clients.services.asked.map(({ request: { endpoint, idempotencyKey, body = '' } }) => {
    const number = JSON.parse(body).session.event;
    assert.equal(idempotencyKey, `${session.sid}/0.${number}`);
    return `${endpoint} ${number}`;
  });
  const sent = ['/outer 1', '/inner 2', '/behind 1', '/outer 3', '/inner 4', '/behind 3'];
  assert.deepEqual(numbered.toSorted(), sent.toSorted());
});
