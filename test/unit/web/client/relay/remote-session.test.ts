/** The session of a client that has returned elsewhere: what the client's node does with what the owner says, and does not say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timer, TimingWheel } from '../../../../../src/kernel/timers.ts';
import type { NodeName } from '../../../../../src/kernel/types.ts';
import { Metrics } from '../../../../../src/observe/metrics.ts';
import { ClientEvent } from '../../../../../src/protocol/packet.ts';
import type { Chunk, RelayEnd, Relays, ToEntry, ToOwner } from '../../../../../src/web/client/relay/relay.ts';
import { RemoteSession } from '../../../../../src/web/client/relay/remote-session.ts';

const owner = 'owner@127.0.0.1' as NodeName;
const sid = 's'.repeat(30);
const pid = `${sid}.${'m'.repeat(22)}`;
const chunk = (data: string): Chunk => ({ type: 'chunk', data, isText: true, more: false });
const event = new ClientEvent('say', '["hello"]', 7);

function rig({ offset, load = 0 }: { offset?: unknown; load?: number } = {}) {
  /** What was opened, and said; the last with a mark. */
  const said: unknown[] = [];
  /** What became of the client's place. */
  const place: unknown[] = [];
  let end!: RelayEnd<ToEntry>;
  let isConnected = true;
  let expire = () => {};
  let timers = 0;
  const stream = {
    load,
    send: (signal: ToOwner, last = false) => void said.push(last ? [signal, 'last'] : signal),
  };
  const relays = {
    ownerOf: () => (isConnected ? owner : undefined),
    load: () => load,
    open: (_node: NodeName, head: unknown, it: RelayEnd<ToEntry>) => {
      said.push(head);
      end = it;
      return stream;
    },
  } as Partial<Relays> as Relays;
  const wheel = {
    schedule: (_ms: number, callback: () => void) => {
      timers += 1;
      expire = callback;
      const cancel = () => {
        timers -= 1;
      };
      return { cancel } as Partial<Timer> as Timer;
    },
  } as Partial<TimingWheel> as TimingWheel;
  const overruns = new Metrics().counter('overruns');
  const session = new RemoteSession(
    {
      relays,
      wheel,
      claim: { pid, offset },
      namespace: '/',
      place: {
        recovered: (...ids) => place.push(['recovered', ...ids]),
        deliver: (packet) => place.push(packet),
        end: (reason) => place.push(['end', reason]),
      },
      maxUnderWay: 1000,
      overruns,
    },
    'polling',
  );
  return {
    session,
    said,
    place,
    stream,
    overruns,
    hear: (signal: ToEntry) => end.receive(signal),
    lose: (connected: boolean) => {
      isConnected = connected;
      end.lost();
    },
    expire: () => expire(),
    timers: () => timers,
  };
}

function recovered(options = {}) {
  const it = rig(options);
  it.session.ask(owner);
  it.hear({ type: 'recovered', window: 1000 });
  it.said.length = 0;
  it.place.length = 0;
  return it;
}

test('it asks for the session with what the client says, and a position that is none with an empty one', () => {
  for (const [offset, told] of [
    [undefined, {}],
    ['kD3fG7-_2s', { offset: 'kD3fG7-_2s' }],
    [17, { offset: '' }],
    ['x'.repeat(65), { offset: '' }],
  ] as const) {
    const { session, said } = rig({ offset });
    session.ask(owner);
    assert.deepEqual(said, [{ kind: 'return', pid, namespace: '/', transport: 'polling', ...told }]);
  }
});

test('what comes goes to the client in order, and what the client sends goes to the owner', async () => {
  const it = rig();
  it.session.ask(owner);
  it.hear({ type: 'recovered', window: 1000 });
  assert.equal(await it.session.outcome, 'recovered');
  assert.equal(it.timers(), 0);
  it.hear(chunk('42["news",1]'));
  it.hear(chunk('43'));
  it.session.receive(event);
  it.session.transport('websocket');
  assert.deepEqual(it.place, [['recovered', sid, pid], '42["news",1]', '43']);
  assert.deepEqual(it.said.slice(1), [chunk('27["say","hello"]'), { type: 'moved', transport: 'websocket' }]);
});

test('the owner hears how much has been dealt with', () => {
  const { hear, said } = recovered();
  for (let i = 0; i < 2; i += 1) hear(chunk('x'.repeat(200)));
  assert.deepEqual(said, [{ type: 'taken', cost: 464 }]);
});

test('a client that is not recovered becomes a new one', async () => {
  const refused = rig();
  refused.session.ask(owner);
  refused.hear({ type: 'refused' });
  assert.equal(await refused.session.outcome, 'refused');
  assert.deepEqual([refused.place, refused.timers()], [[], 0]);

  const silent = rig();
  silent.session.ask(owner);
  silent.expire();
  assert.equal(await silent.session.outcome, 'unreachable');
  // It may have given the session back meanwhile.
  assert.deepEqual(silent.said.at(-1), [{ type: 'gone', reason: 'transport_closed' }, 'last']);

  const nowhere = rig();
  await nowhere.session.find(Promise.resolve(undefined));
  assert.equal(await nowhere.session.outcome, 'unreachable');
});

test('a link that is lost ends the connection, so that the client returns once more', async () => {
  const asked = rig();
  asked.session.ask(owner);
  asked.lose(false);
  assert.equal(await asked.session.outcome, 'closed');
  assert.deepEqual(asked.place, [['end', 'transport_closed']]);

  const { lose, place } = recovered();
  lose(false);
  assert.deepEqual(place, [['end', 'transport_closed']]);

  // The owner is there, but serves no clients: to return once more is no use.
  const hopeless = rig();
  hopeless.session.ask(owner);
  hopeless.lose(true);
  assert.equal(await hopeless.session.outcome, 'unreachable');
  assert.deepEqual(hopeless.place, []);
});

test('the end of the session is that of the client’s place', () => {
  const { session, hear, place, said } = recovered();
  hear({ type: 'ended', reason: 'stopped' });
  assert.deepEqual(place, [['end', 'stopped']]);
  session.receive(event);
  session.transport('websocket');
  session.close('transport_closed');
  assert.deepEqual(said, []);
});

test('the owner hears why the connection has ended, but not as an end of the session if this node is the reason', () => {
  for (const [reason, told] of [
    ['client_disconnect', 'client_disconnect'],
    ['too_slow', 'too_slow'],
    ['shutdown', 'transport_closed'],
    ['overloaded', 'transport_closed'],
  ] as const) {
    const { session, said } = recovered();
    session.close(reason);
    session.close(reason);
    assert.deepEqual(said, [[{ type: 'gone', reason: told }, 'last']]);
  }
});

test('a connection that ends while the owner is looked for or asked leaves nothing behind', async () => {
  const looking = rig();
  const found = looking.session.find(Promise.resolve(owner));
  looking.session.close('transport_closed');
  await found;
  assert.deepEqual(looking.said, []);
  assert.equal(await looking.session.outcome, 'closed');

  const asked = rig();
  asked.session.ask(owner);
  asked.session.close('transport_closed');
  assert.deepEqual(asked.said.at(-1), [{ type: 'gone', reason: 'transport_closed' }, 'last']);
  assert.equal(asked.timers(), 0);
});

test('a client that sends more than the way carries loses its connection, not its session', async () => {
  const { session, said, place, overruns } = recovered();
  for (let i = 0; i < 30; i += 1) session.receive(event);
  assert.deepEqual(said.at(-1), [{ type: 'gone', reason: 'transport_closed' }, 'last']);
  assert.deepEqual(place, [['end', 'overloaded']]);
  assert.equal(overruns.value, 1);

  const credited = recovered();
  for (let i = 0; i < 30; i += 1) {
    credited.session.receive(event);
    credited.hear({ type: 'taken', cost: 49 });
  }
  assert.deepEqual(credited.place, []);

  const crowded = recovered();
  crowded.stream.load = 2;
  crowded.session.receive(event);
  assert.deepEqual(crowded.place, [['end', 'overloaded']]);

  const refused = rig({ load: 1 });
  refused.session.ask(owner);
  assert.deepEqual(refused.place, [['end', 'overloaded']]);
  assert.equal(await refused.session.outcome, 'closed');
});
