/**
 * What a channel's crash or a full mailbox took with it was lost in silence: nobody who was subscribed got to know of it. And a client
 * whose full mailbox had refused a delivery was waited for, off the fan-out, for ever. A client that was running actions when its channel
 * crashed, or that left and came back when the channel had expired meanwhile, got what was published then before what it was running.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../../src/kernel/cell.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { AnyRef } from '../../src/kernel/types.ts';
import { eventually } from '../support/eventually.ts';
import { event, orders, type PubSubNode, pubSubNode } from '../support/pubsub.ts';

const kill = (kernel: Kernel, ref: AnyRef) => kernel.exit(ref, ref, 'kill');

/** From now on the actor takes no message more than wait now. */
function fill(ref: AnyRef): Disposable {
  const { actor, mailbox } = ref as unknown as Cell;
  const room = mailbox.length;
  Object.defineProperty(actor, 'mailboxLimit', { configurable: true, get: () => room });
  return { [Symbol.dispose]: () => Reflect.deleteProperty(actor, 'mailboxLimit') };
}

async function reopened({ kernel, serving }: PubSubNode, id: string, old: AnyRef): Promise<void> {
  await eventually(() => {
    const now = serving(id);
    return now !== undefined && now !== old && kernel.inspect(now)?.status === 'running';
  }, 'the next actor of the channel');
}

test('who is subscribed to a channel that crashes with publishes is told that it has missed something', async (t) => {
  const node = await pubSubNode(t);
  const { pubsub, client, kernel, channel, metrics } = node;
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.eu', 'news.us'], 'public');
  await pubsub.join(ben, ['news.us'], 'public');
  const old = channel('news.eu');
  pubsub.publish(['news'], 'public', event('lost there'));
  kill(kernel, old);
  // To an actor that is no more.
  pubsub.publish(['news.eu'], 'public', event('lost too'));
  await reopened(node, 'news.eu', old);
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ben.received.length === 2 && ann.received.length === 3, 'what is not lost');
  assert.deepEqual([ann.gaps, ben.gaps], [['news.eu'], []]);
  assert.equal(metrics.counter('pubsub.missed').value, 1);
});

test('a channel that crashes over what it publishes has not delivered it', async (t) => {
  const node = await pubSubNode(t);
  const ann = await node.client();
  await node.pubsub.join(ann, ['news.poison'], 'public');
  const old = node.channel('news.poison');
  node.pubsub.publish(['news'], 'public', event('x'));
  await reopened(node, 'news.poison', old);
  assert.deepEqual(ann.gaps, ['news.poison']);
});

test('a channel that crashes with nothing to publish leaves no gap', async (t) => {
  const node = await pubSubNode(t);
  const ann = await node.client();
  await node.pubsub.join(ann, ['news.eu'], 'public');
  node.pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ann.received.length === 1, 'the event');
  const old = node.channel('news.eu');
  kill(node.kernel, old);
  await reopened(node, 'news.eu', old);
  node.pubsub.publish(['news'], 'public', event('2'));
  await eventually(() => ann.received.length === 2, 'the event');
  assert.deepEqual(ann.gaps, []);
});

test('what a full mailbox of a channel refuses is one gap, however much it is', async (t) => {
  const { pubsub, client, channel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', event('1'));
  const full = fill(channel('news.eu'));
  for (let n = 0; n < 3; n += 1) pubsub.publish(['news'], 'public', event('lost'));
  full[Symbol.dispose]();
  pubsub.publish(['news'], 'public', event('2'));
  await eventually(() => ann.received.length === 2, 'what is not lost');
  assert.deepEqual([ann.received, ann.gaps], [['1', '2'], ['news.eu']]);
});

test('a client whose mailbox is full misses what it is sent there, and is not waited for', async (t) => {
  const { pubsub, client } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  const full = fill(ann.ref);
  pubsub.publish(['news'], 'public', orders(['say', 'lost']));
  await eventually(() => ann.gaps.length === 1, 'the gap');
  full[Symbol.dispose]();
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ann.received.length === 1, 'the event');
  assert.equal(ann.deliveries, 0, 'through the fan-out');
});

test('a client that the crashed actor waited for may be overtaken, and is told so', async (t) => {
  const node = await pubSubNode(t);
  const { pubsub, client, kernel, channel } = node;
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['work', '1']));
  await eventually(() => ann.working, 'the work');
  await pubsub.join(ben, ['news.eu'], 'public');
  const old = channel('news.eu');
  kill(kernel, old);
  await reopened(node, 'news.eu', old);
  assert.deepEqual([ann.gaps, ben.gaps], [['news.eu'], []]);
});

test('a client that had left when its channel crashed, and comes back, may be overtaken and is told so', async (t) => {
  const node = await pubSubNode(t);
  const { pubsub, client, kernel, channel } = node;
  const ann = await client();
  const comeAndGo = async () => {
    await pubsub.join(ann, ['news.eu'], 'public');
    await pubsub.leave(ann, ['news'], 'public');
  };
  await pubsub.join(await client(), ['news.eu'], 'public');
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['work', '1']));
  await eventually(() => ann.working, 'the work');
  await pubsub.leave(ann, ['news'], 'public');
  const old = channel('news.eu');
  kill(kernel, old);
  await reopened(node, 'news.eu', old);
  await comeAndGo();
  assert.deepEqual(ann.gaps, ['news.eu']);
  await comeAndGo();
  assert.deepEqual(ann.gaps, ['news.eu']);
});

test('a channel does not expire while a client that has left runs its actions', async (t) => {
  const { pubsub, client, serving } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['brief.eu'], 'public');
  pubsub.publish(['brief'], 'public', orders(['work', '1']));
  await eventually(() => ann.working, 'the work');
  await pubsub.leave(ann, ['brief'], 'public');
  // One that is empty later, and has expired.
  await pubsub.join(ben, ['brief.us'], 'public');
  await pubsub.leave(ben, ['brief'], 'public');
  await eventually(() => serving('brief.us') === undefined, 'the end of the other channel');
  await pubsub.join(ann, ['brief.eu'], 'public');
  pubsub.publish(['brief'], 'public', event('2'));
  ann.release();
  await eventually(() => ann.received.length === 2, 'both');
  assert.deepEqual(ann.received, ['1', '2']);
  await pubsub.leave(ann, ['brief'], 'public');
  await eventually(() => serving('brief.eu') === undefined, 'the end of the channel');
});
