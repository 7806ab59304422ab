/** Suspended sessions have slots, which they give to others if nothing else is free. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { HiveError } from '../../../../src/observe/errors.ts';
import { ClientEvent } from '../../../../src/protocol/packet.ts';
import type { ClientHandle } from '../../../../src/web/client/client-handle.ts';
import { Gate } from '../../../support/actors.ts';
import { type Clients, type ClientsOptions, FakeSink, startClients } from '../../../support/clients.ts';
import { eventually } from '../../../support/eventually.ts';

let clients: Clients;

const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });

async function start(slots: number, answer?: ClientsOptions['answer']): Promise<void> {
  clients = await startClients({
    clients: {
      recovery: { window: 60_000, max_bytes: 1_000_000 },
      hooks: { on_disconnect: [post('/gone')], go: [post('/go')] },
    },
    hive: { max_client_slots: slots },
    ...(answer && { answer }),
  });
}

afterEach(() => clients.close());

const departed = () =>
  clients.services.asked.flatMap(({ request: { endpoint, body } }) =>
    endpoint === '/gone' ? [(JSON.parse(body!) as { sid: string }).sid] : [],
  );

function take({ sid }: ClientHandle) {
  return clients.router.recovery!.take({ pid: clients.router.recovery!.pidOf(sid, '/'), offset: undefined }, '/');
}

const noSlots = (error: unknown) => error instanceof HiveError && error.code === 'no_slots';

test('whoever was suspended first makes room', async () => {
  await start(3);
  const [one, two, three] = [await clients.connect(), await clients.connect(), await clients.connect()];
  two.session.close('transport_closed', true);
  one.session.close('transport_closed', true);
  assert.equal(clients.router.refusal(), undefined);
  await clients.connect();
  await eventually(() => departed().length === 1, 'the first departure');
  await clients.connect();
  await eventually(() => departed().length === 2, 'the second departure');
  assert.deepEqual(departed(), [two.session.sid, one.session.sid]);
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  await assert.rejects(clients.open(), noSlots);
  assert.equal(three.sink.ended, undefined);
});

test('one that came back is not the longest suspended any more', async () => {
  await start(2);
  const [one, two] = [await clients.connect(), await clients.connect()];
  one.session.close('transport_closed', true);
  two.session.close('transport_closed', true);
  const back = take(one.session)!;
  back.client.resume(new FakeSink(), 'websocket');
  back.client.close('transport_closed', true);
  await clients.connect();
  await eventually(() => departed().length === 1, 'a departure');
  assert.deepEqual(departed(), [two.session.sid]);
});

test('a return needs no slot of its own, however full the node is', async () => {
  await start(1);
  const { session } = await clients.connect();
  assert.equal(clients.router.refusal()?.code, 'no_slots');
  // The handshake does not know yet who comes.
  assert.equal(clients.router.refusal(true), undefined);
  // Half open: the node believes that it is there.
  assert(take(session));
  await assert.doesNotReject(async () => take(session)!.client.resume(new FakeSink(), 'websocket'));
  await assert.rejects(clients.open(), noSlots);
});

test('a session that departs takes no slot, while its hooks keep it or its back end is slow', async () => {
  const gates = { '/go': new Gate<unknown>(), '/gone': new Gate<unknown>() };
  await start(1, ({ request }) => gates[request.endpoint as '/go'].promise);
  const one = await clients.connect();
  one.session.receive(new ClientEvent('go', '[]'));
  one.session.close('transport_closed', true);
  // It is given up for this one, but its hook waits.
  const two = await clients.connect();
  two.session.close('transport_closed', true);
  const three = await clients.connect();
  three.session.close('client_disconnect', true);
  await eventually(() => departed().length === 2, 'those without a hook');
  assert.equal(clients.router.refusal(), undefined);
  const four = await clients.connect();
  await assert.rejects(clients.open(), noSlots);
  gates['/go'].open({ status: 200, body: '' });
  gates['/gone'].open({ status: 200, body: '' });
  await eventually(() => clients.metric('clients.total') === 1, 'the last departure');
  assert.equal(four.sink.ended, undefined);
  await assert.rejects(clients.open(), noSlots);
});
