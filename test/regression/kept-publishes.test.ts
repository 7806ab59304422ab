/**
 * What nodes have kept for one that is gone, as whoever goes on with its sessions is told. Old faults, which simulations found: what was
 * on its way to that node when it asked came twice, as kept and as published; what had been forgotten counted as nothing; what a session
 * had got at its new node came again if all there had left the channel.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { WireMessage } from '../../src/actors/pubsub/wire-messages.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import { eventPacket } from '../../src/protocol/packet.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { eventually } from '../support/eventually.ts';
import { event, type PubSubNode, startPubSub } from '../support/pubsub.ts';
import { Wire } from '../support/wire.ts';

const boot = ({ kernel }: PubSubNode) => `${kernel.node}#${kernel.creation}`;

/** Nodes whose sessions outlive them, all of which are connected. */
async function nodes(t: TestContext, names: readonly string[], resumeMs = 60_000) {
  const wire = new Wire();
  const all: PubSubNode[] = [];
  const start = async (name: string): Promise<PubSubNode> => {
    const kernel = new Kernel({ node: `${name}@127.0.0.1`, log: silent });
    t.after(() => kernel.halt());
    const node = await startPubSub(kernel, undefined, silent, {}, { resumeMs, stored: () => undefined });
    wire.attach(kernel, node.table);
    for (const other of all) wire.connect(other.kernel, kernel);
    all.push(node);
    return node;
  };
  const kill = (node: PubSubNode) => {
    all.splice(all.indexOf(node), 1);
    for (const other of all) wire.disconnect(other.kernel, node.kernel);
  };
  for (const name of names) await start(name);
  return { nodes: all, start, kill };
}

test('what is on its way to the node that asks has come when it learns what was kept', async (t) => {
  const { nodes: all, kill } = await nodes(t, ['adopter', 'publisher', 'gone']);
  const [adopter, publisher, gone] = all as [PubSubNode, PubSubNode, PubSubNode];
  const ann = await adopter.client();
  await adopter.pubsub.join(ann, ['news'], 'public');
  kill(gone);
  // Its connection takes nothing for a while, but answers.
  const transport = publisher.kernel.transport!;
  const { offer } = transport;
  transport.offer = () => 'later';
  publisher.pubsub.publish(['news'], 'public', event('1'));
  let answeredAt: readonly string[] | undefined;
  const kept = adopter.pubsub.keptFor(boot(gone), ['news']).then((found) => {
    answeredAt = [...ann.received];
    return found;
  });
  // The answer to that comes behind the other one.
  const manager = adopter.kernel.remote<WireMessage>(publisher.kernel.node, 'hive_pubsub');
  await adopter.kernel.ask(manager, { type: 'taken_wanted', origin: boot(adopter) });
  transport.offer = offer;
  assert.deepEqual(
    (await kept)?.map(({ id }) => id),
    [`${boot(publisher)}/1`],
  );
  assert.deepEqual(answeredAt, ['1']);
});

test('who has forgotten what was kept for a boot does not say that it was nothing', async (t) => {
  const { nodes: all, start, kill } = await nodes(t, ['asker', 'gone'], 300);
  const [asker, gone] = all as [PubSubNode, PubSubNode];
  kill(gone);
  await start('gone');
  asker.pubsub.publish(['news'], 'public', event('1'));
  assert.equal((await asker.pubsub.keptFor(boot(gone), ['news']))?.length, 1);
  await eventually(async () => (await asker.pubsub.keptFor(boot(gone), ['news'])) === undefined, 'the end of the time');
});

test('a session was sent what was published to a channel though nobody is in that any more', () => {
  const wheel = new Kernel({ node: 'a@127.0.0.1', log: silent }).wheel;
  const store = new MemoryStore({ bounds: { windowMs: 1000, maxBytes: 100_000 }, tag: 'kD3fG7-_', wheel });
  const session = store.open('a session');
  store.join(session, 'news');
  store.publish('news', eventPacket('a', []), 'gone@127.0.0.1#1/1');
  assert.ok(store.publications(session, 'news').has('gone@127.0.0.1#1/1'));
  store.leave(session, 'news');
  assert.ok(store.publications(session, 'news').has('gone@127.0.0.1#1/1'));
  store.join(session, 'news');
  assert.ok(store.publications(session, 'news').has('gone@127.0.0.1#1/1'));
  assert.ok(!store.publications(session, 'news').has('gone@127.0.0.1#1/2'));
});
