/** A hook that comes back after its client has been killed: it finds every door closed, and can be seen meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CrashNode } from '../support/crash-node.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket } from '../support/raw-client.ts';

interface Abandoned {
  readonly abandoned: readonly { readonly path: string; readonly lastMessage: string; readonly ageMs: number }[];
}

test('a hook that returns after the kill of its client changes nothing', async (t) => {
  const node = await CrashNode.start(t, ['4.8 websocket', '0.9 xhr-polling']);
  const { afterlife, returns, stored } = node.witness;
  const abandoned = async () => ((await (await node.monitor('abandoned')).json()) as Abandoned).abandoned;

  const victim = new RawSocket(`${node.node.addresses.client}/socket.io/?EIO=4&transport=websocket`);
  await victim.next();
  victim.send('40');
  await victim.next();
  victim.send('42["sid","victim"]');
  await eventually(() => victim.messages.some((text) => text.startsWith('42["sid"')), 'the session');
  const sid = [...stored.keys()].at(-1)!;
  victim.send('42["hang"]');
  await eventually(() => returns.length === 1, 'the hook to hang');
  assert.deepEqual(await abandoned(), []);

  node.kill(await node.client(sid));
  assert.equal(await victim.closed(), 1011);
  const received = [...victim.messages];

  const [seen, ...more] = await abandoned();
  assert.deepEqual(more, []);
  assert.match(seen!.path, /^hive_root_sup\/hive_sup\/hive_router_sup\/hive_client_sup\/\d+\/client$/);
  assert.equal(seen!.lastMessage, 'event');
  await eventually(async () => (await abandoned())[0]!.ageMs > seen!.ageMs, 'it to age');

  returns[0]!();
  await eventually(async () => (await abandoned()).length === 0, 'its return');
  assert.deepEqual(afterlife, [
    'send: done',
    'state: stopped',
    'subscribe: done',
    'orders: done',
    'dispatch: done',
    'rent: connector_error',
  ]);
  assert.deepEqual(victim.messages, received);
  assert.deepEqual(stored.get(sid), { name: 'victim' });
  for (const { socket } of node.talkers) {
    assert.ok(
      !socket.received.some(({ name, args }) => name === 'said' && args[0] === 'ghost'),
      'no publish of a ghost',
    );
  }
  const channels = await node.children(node.actor('hive_pubsub_channel_sup'));
  assert.deepEqual(
    channels.map(({ id }) => id),
    ['room.all'],
  );
  // The pool has all its workers still, and nobody noticed anything.
  await node.go();
  await node.assertNothingLost();
});
