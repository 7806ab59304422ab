/**
 * What a recoverable client can miss although it is connected. Old fault: the order to end its session went the way of its mailbox,
 * where one that is full dropped it, and one that waits left the client with a gap, further events behind it, for as long.
 */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { Member, Memberships } from '../../../../src/actors/contracts.ts';
import type { Cell } from '../../../../src/kernel/cell.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { ClientEvent } from '../../../../src/protocol/packet.ts';
import type { ClientHandle } from '../../../../src/web/client/client-handle.ts';
import { Gate } from '../../../support/actors.ts';
import { type Clients, type FakeSink, startClients } from '../../../support/clients.ts';
import { eventually } from '../../../support/eventually.ts';

let clients: Clients;
/** The clients that have joined something, as pub-sub knows them. */
let members: Member[];
let gate: Gate<unknown>;

const post = (endpoint: string) => ({ hook: 'hp.post', args: { connector: 'backend', endpoint } });
const send = { action: 'send', args: { name: 'a', args: [] }, trigger_id: '' };

async function start(isRecoverable = true): Promise<{ session: ClientHandle; sink: FakeSink; member: Member }> {
  members = [];
  gate = new Gate();
  const memberships: Memberships = {
    channelsOf: () => [],
    join: async (member) => void members.push(member),
    leave: async () => {},
  };
  clients = await startClients({
    memberships,
    clients: {
      ...(isRecoverable && { recovery: { window: 60_000, max_bytes: 1_000_000 } }),
      hooks: { go: [post('/go')], on_disconnect: [post('/gone')] },
    },
    answer: ({ request }) => (request.endpoint === '/go' ? gate.promise : { status: 200, body: '' }),
  });
  const client = await clients.connect();
  await clients.router.subscribe(client.session.sid, ['news']);
  return { ...client, member: members[0]! };
}

afterEach(() => clients.close());

const gone = () => eventually(() => clients.metric('clients.total') === 0, 'the end of the client');
const reasons = () =>
  clients.services.asked.flatMap(({ request: { endpoint, body } }) =>
    endpoint === '/gone' ? [(JSON.parse(body!) as { trigger: string }).trigger] : [],
  );
const take = ({ sid }: ClientHandle) =>
  clients.router.recovery!.take({ pid: clients.router.recovery!.pidOf(sid, '/'), offset: undefined }, '/');

test('a client that has missed something loses its connection at once, and comes back as a new one', async () => {
  const { session, sink, member } = await start();
  member.missed!('news');
  assert.equal(sink.ended, 'missed_events');
  assert.equal(take(session), undefined);
  await gone();
  assert.deepEqual(reasons(), ['missed_events']);
  assert.deepEqual([clients.metric('clients.recovery.lost'), clients.metric('clients.recovery.ended')], [1, 1]);
});

test('its hooks may take as long as they like', async () => {
  const { session, sink, member } = await start();
  session.receive(new ClientEvent('go', '[]'));
  member.missed!('news');
  member.missed!('news.eu');
  assert.equal(sink.ended, 'missed_events');
  assert.equal(take(session), undefined);
  gate.open({ status: 200, body: '' });
  await gone();
  assert.deepEqual([reasons(), clients.metric('clients.recovery.lost')], [['missed_events'], 1]);
});

test('its mailbox may be full', async () => {
  const { session, sink, member } = await start();
  session.receive(new ClientEvent('go', '[]'));
  const pid = await clients.pid();
  Object.defineProperty((pid as unknown as Cell).actor, 'mailboxLimit', { get: () => 0 });
  member.missed!('news');
  assert.equal(sink.ended, 'missed_events');
  gate.open({ status: 200, body: '' });
  await gone();
  assert.deepEqual(reasons(), ['missed_events']);
});

test('a suspended one ends as well', async () => {
  const { session, member } = await start();
  session.close('transport_closed', true);
  member.missed!('news');
  assert.equal(take(session), undefined);
  await gone();
  assert.deepEqual(reasons(), ['missed_events']);
});

test('a client that cannot come back goes on', async () => {
  const { sink, member } = await start(false);
  member.missed!('news');
  assert.equal(sink.ended, undefined);
  assert.equal(clients.metric('clients.recovery.lost'), 0);
});

test('actions that a full mailbox does not take are refused, and were for a client that now misses them', async () => {
  const { session, sink } = await start();
  session.receive(new ClientEvent('go', '[]'));
  const pid = await clients.pid();
  Object.defineProperty((pid as unknown as Cell).actor, 'mailboxLimit', { get: () => 0 });
  await assert.rejects(
    clients.router.runActions(session.sid, [send]),
    (error) => error instanceof HiveError && error.code === 'overloaded',
  );
  assert.equal(sink.ended, 'missed_events');
  gate.open({ status: 200, body: '' });
  await gone();
});
