import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kernel } from '../../../../src/kernel/kernel.ts';
import type { AnyRef } from '../../../../src/kernel/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { event, orders, pubSubNode } from '../../../support/pubsub.ts';

const kill = (kernel: Kernel, ref: AnyRef) => kernel.exit(ref, ref, 'kill');

test('a channel that crashes comes back with its subscribers', async (t) => {
  const { pubsub, client, kernel, channel, metrics } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.poison'], 'public');
  const crashed = channel('news.poison');
  pubsub.publish(['news'], 'public', event('x'));
  await eventually(() => kernel.inspect(crashed) === undefined, 'the crash');
  await pubsub.join(ben, ['news.poison'], 'public');
  assert.equal(pubsub.status('news'), 2);
  pubsub.publish(['news.poison'], 'public', orders(['say', '1']));
  await eventually(() => ann.received.length === 1 && ben.received.length === 1, 'orders at both');
  assert.equal(metrics.counter('pubsub.channels.news.errors').value, 1);
  await kernel.stop(ann.ref);
  await eventually(() => pubsub.status('news') === 1, 'the new channel watches its subscribers');
});

test('a channel that ends between its start and its first subscriber is started again', async (t) => {
  // The fault: who joined was told `pubsub_error`, it ended at once.
  const { pubsub, client, kernel } = await pubSubNode(t);
  const ann = await client();
  const spawn = kernel.spawn.bind(kernel);
  let killed = 0;
  kernel.spawn = async (actor, options) => {
    const ref = await spawn(actor, options);
    if (ref && options?.label === 'news.eu' && killed < 2) {
      killed += 1;
      kill(kernel, ref as AnyRef);
    }
    return ref;
  };
  await pubsub.join(ann, ['news.eu'], 'public');
  assert.equal(killed, 2);
  assert.equal(pubsub.status('news.eu'), 1);
});

test('a channel that crashes puts clients back in the fan-out that it had taken off', async (t) => {
  const { pubsub, client, kernel, channel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['work', 'w']));
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ann.working && !ann.isOn('news.eu'), 'work');
  kill(kernel, channel('news.eu'));
  await eventually(() => ann.isOn('news.eu'), 'the client back in the fan-out');
  ann.release();
  pubsub.publish(['news'], 'public', event('2'));
  await eventually(() => ann.received.length === 3, 'all events');
});

test('leaving waits for a channel that is being started again', async (t) => {
  const { pubsub, client, kernel, channel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  kill(kernel, channel('news.eu'));
  await pubsub.leave(ann, ['news'], 'public');
  assert.equal(pubsub.status('news.eu'), 0);
  assert.equal(ann.isOn('news.eu'), false);
});

test('a manager that restarts leaves channels and subscribers alone', async (t) => {
  const { pubsub, client, kernel, manager, channel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  const [old, before] = [manager(), channel('news.eu')];
  kill(kernel, old);
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => manager() && manager() !== old, 'the next manager');
  assert.equal(channel('news.eu'), before);
  await pubsub.join(ann, ['news.us'], 'public');
  kill(kernel, before);
  await eventually(() => kernel.inspect(channel('news.eu')), 'the channel again: it is watched by the new manager');
  pubsub.publish(['news'], 'public', event('2'));
  await eventually(() => ann.received.length === 3, 'all events');
});

test("a channels' supervisor that restarts gets all channels back that have subscribers", async (t) => {
  const { pubsub, client, kernel, channel } = await pubSubNode(t);
  const clients = [await client(), await client()] as const;
  for (const [i, each] of clients.entries()) {
    await pubsub.join(each, ['news.eu', `news.${i}`, 'news.empty'], 'public');
    await pubsub.leave(each, ['news.empty'], 'public');
  }
  kill(kernel, kernel.whereis('hive_pubsub_channel_sup')!);
  const [ann, ben] = clients;
  await pubsub.join(ann, ['news.new'], 'public');
  await eventually(() => channel('news.eu') && channel('news.0') && channel('news.1'), 'the channels');
  pubsub.publish(['news'], 'public', event('x'));
  await eventually(() => ann.received.length === 3 && ben.received.length === 2, 'events through the new channels');
});

test('both restarting at the same time lose no subscription either', async (t) => {
  const { pubsub, client, kernel, manager, channel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu', 'news.empty'], 'public');
  await pubsub.leave(ann, ['news.empty'], 'public');
  kill(kernel, kernel.whereis('hive_pubsub_channel_sup')!);
  kill(kernel, manager());
  await eventually(() => manager() && channel('news.eu'), 'the channel');
  pubsub.publish(['news'], 'public', event('x'));
  await eventually(() => ann.received.length === 1, 'the event');
  assert.throws(() => pubsub.status('news.empty'), { code: 'unknown_channel_id' });
});

test('joining fails clearly while no manager runs, and leaves nothing behind', async (t) => {
  const { pubsub, client, kernel, manager } = await pubSubNode(t);
  const ann = await client();
  const old = manager();
  kill(kernel, old);
  await assert.rejects(pubsub.join(ann, ['news.eu'], 'public'), { code: 'not_running' });
  assert.throws(() => pubsub.status('news.eu'), { code: 'unknown_channel_id' });
  await eventually(() => manager() && manager() !== old, 'the next manager');
  await pubsub.join(ann, ['news.eu'], 'public');
});
