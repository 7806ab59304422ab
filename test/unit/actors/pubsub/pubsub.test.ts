import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cell } from '../../../../src/kernel/cell.ts';
import { countOf } from '../../../../src/observe/histogram.ts';
import { eventually } from '../../../support/eventually.ts';
import { event, orders, pubSubNode } from '../../../support/pubsub.ts';

const failsWith = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('what is published to an id or one of its prefixes reaches every subscriber once per channel', async (t) => {
  const { pubsub, client } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.eu.1', 'news.us'], 'public');
  await pubsub.join(ben, ['news.eu'], 'public');
  for (const prefix of ['news', 'news.eu', 'news.eu.1', 'new', 'news.e', 'news.asia']) {
    pubsub.publish([prefix], 'private', event(prefix));
  }
  await eventually(() => ben.received.length === 2 && ann.received.length === 4, 'all events');
  assert.deepEqual(ann.received.sort(), ['news', 'news', 'news.eu', 'news.eu.1']);
  assert.deepEqual(ben.received, ['news', 'news.eu']);
});

test('publishes are timed once for each channel that has subscribers', async (t) => {
  const { pubsub, client, metrics } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu', 'news.us', 'news.asia'], 'public');
  await pubsub.leave(ann, ['news.asia'], 'public');
  pubsub.publish(['news'], 'private', event('a'));
  pubsub.publish(['news.eu'], 'private', orders(['say', 'b']));
  pubsub.publish(['news.asia', 'news.africa'], 'private', event('c'));
  const channels = 'pubsub.channels.news.publish';
  await eventually(() => metrics.counter(channels).value === 5, 'the publishes');
  assert.equal(countOf(metrics.histogram('pubsub.latency').value()), 3);
});

test('joining twice is joining once, and leaving a prefix leaves everything under it', async (t) => {
  const { pubsub, client, fanout } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu', 'news.eu', 'news.us'], 'public');
  await pubsub.join(ann, ['news.eu'], 'public');
  assert.equal(pubsub.status('news'), 2);
  await pubsub.leave(ann, ['news.asia', 'brief', 'news.eu'], 'public');
  assert.equal(pubsub.status('news'), 1);
  await pubsub.leave(ann, ['news'], 'public');
  assert.equal(pubsub.status('news'), 0);
  assert.equal(fanout.members.get('news.us')!.size, 0);
});

test('all ids are checked before any is joined', async (t) => {
  const { pubsub, client, metrics } = await pubSubNode(t);
  const ann = await client();
  await assert.rejects(pubsub.join(ann, ['news.eu', 'staff.a'], 'public'), failsWith('access_denied'));
  await assert.rejects(pubsub.join(ann, ['news.eu', 'nowhere'], 'private'), failsWith('bad_channel_id'));
  await assert.rejects(pubsub.leave(ann, ['staff'], 'public'), failsWith('access_denied'));
  assert.throws(() => pubsub.publish(['staff'], 'public', event('x')), failsWith('access_denied'));
  assert.throws(() => pubsub.status('news.eu'), failsWith('unknown_channel_id'));
  assert.throws(() => pubsub.status('news..eu'), failsWith('bad_channel_id'));
  assert.equal(metrics.counter('pubsub.errors').value, 6);
  assert.equal(metrics.counter('pubsub.requests').value, 6);
});

test('a client that ends is unsubscribed from everything', async (t) => {
  const { pubsub, client, kernel } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu', 'news.us'], 'public');
  await kernel.stop(ann.ref);
  await eventually(() => pubsub.status('news') === 0, 'no subscribers');
});

test('a client that has ended already does not stay subscribed', async (t) => {
  const { pubsub, client, kernel } = await pubSubNode(t);
  const ann = await client();
  await kernel.stop(ann.ref);
  await pubsub.join(ann, ['news.eu'], 'public');
  await eventually(() => pubsub.status('news') === 0, 'no subscribers');
});

test('an empty channel is kept for its time-out, or for ever', async (t) => {
  const { pubsub, client, metrics } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['brief.a', 'news.a'], 'public');
  await pubsub.leave(ann, ['brief', 'news'], 'public');
  assert.equal(pubsub.status('brief.a'), 0);
  await eventually(() => {
    try {
      return pubsub.status('brief.a') > 0;
    } catch (error) {
      return failsWith('unknown_channel_id')(error);
    }
  }, 'the end of the empty channel');
  assert.equal(pubsub.status('news.a'), 0);
  assert.equal(JSON.stringify(metrics.tree('pubsub.total_channels')), '{"pubsub":{"total_channels":1}}');
  await pubsub.join(ann, ['brief.a'], 'public');
  assert.equal(pubsub.status('brief.a'), 1);
});

test('actions that only send go through the fan-out; others are performed by each client', async (t) => {
  const { pubsub, client, fanout } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'private', orders(['send', '1'], ['send', '2']));
  await eventually(() => ann.received.length === 2, 'packets');
  assert.equal(ann.deliveries, 0);
  pubsub.publish(['news'], 'private', orders(['send', '3'], ['say', '4']));
  await eventually(() => ann.received.length === 4, 'orders');
  assert.equal(ann.deliveries, 1);
  assert.equal(fanout.published, 2);
  assert.deepEqual(ann.received, ['1', '2', '3', '4']);
});

test('nothing overtakes actions that a client still performs, and nobody else waits for it', async (t) => {
  const { pubsub, client } = await pubSubNode(t);
  const [slow, quick] = [await client(), await client()];
  await pubsub.join(slow, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['work', 'w']));
  await eventually(() => slow.working, 'work');
  await pubsub.join(quick, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', event('1'));
  pubsub.publish(['news'], 'public', orders(['say', '2']));
  pubsub.publish(['news'], 'public', event('3'));
  await eventually(() => quick.received.length === 3, 'all events at the quick one');
  assert.deepEqual(slow.received, []);
  slow.release();
  await eventually(() => slow.received.length === 4 && slow.isOn('news.eu'), 'all events at the slow one');
  assert.deepEqual(slow.received, ['w', '1', '2', '3']);
  assert.deepEqual(quick.received, ['1', '2', '3']);
});

test('order holds for a client that leaves and comes back while it performs actions', async (t) => {
  const { pubsub, client } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['work', 'w']));
  await eventually(() => ann.working, 'work');
  await pubsub.leave(ann, ['news'], 'public');
  pubsub.publish(['news'], 'public', event('missed'));
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ann.cell.mailbox.length === 1, 'the event in the mailbox');
  ann.release();
  await eventually(() => ann.isOn('news.eu'), 'the client back in the fan-out');
  assert.deepEqual(ann.received, ['w', '1']);
});

test('a client that crashes while it performs actions is forgotten', async (t) => {
  const { pubsub, client, kernel, channel } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', orders(['crash', '']));
  await eventually(() => !ann.alive && pubsub.status('news') === 0, 'the crash');
  await pubsub.join(ben, ['news.eu'], 'public');
  pubsub.publish(['news'], 'public', event('1'));
  await eventually(() => ben.received.length === 1, 'the event');
  assert.deepEqual(kernel.inspect(channel('news.eu'))!.state, { channel: 'news.eu', subscribers: 1, behind: 0 });
});

test('answers that clients owe find room in the mailbox of the channel, however many', async (t) => {
  const { pubsub, client, channel } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.eu'], 'public');
  await pubsub.join(ben, ['news.eu'], 'public');
  const { actor } = channel('news.eu') as Cell<never>;
  const limit = actor.mailboxLimit;
  for (let i = 0; i < 5; i += 1) pubsub.publish(['news'], 'public', orders(['work', 'w']));
  await eventually(() => actor.mailboxLimit === limit + 10, 'ten deliveries');
  ben.cell.die('killed');
  await eventually(() => {
    ann.release();
    return ann.received.length === 5;
  }, 'the answers');
  await eventually(() => actor.mailboxLimit === limit, 'none owed');
});

// A node that was connected while the manager's mailbox was full was never told the channels of this one.
test('the manager hears of everything, however much waits', async (t) => {
  const { manager } = await pubSubNode(t);
  for (let i = 0; i <= 100_000; i += 1) assert.ok(manager().tell({ type: 'closed', id: 'news.eu' }));
});

test('counters and gauges of the channels follow', async (t) => {
  const { pubsub, client, metrics } = await pubSubNode(t);
  const ann = await client();
  await pubsub.join(ann, ['news.eu', 'news.us'], 'public');
  await pubsub.leave(ann, ['news.us'], 'public');
  pubsub.publish(['news'], 'public', orders(['say', '1'], ['say', '2']));
  pubsub.publish(['news.eu'], 'public', event('3'));
  await eventually(() => ann.received.length === 3, 'all events');
  const tree = JSON.parse(JSON.stringify(metrics.tree('pubsub')));
  assert.deepEqual(tree.pubsub.channels.news, {
    requests: 6,
    errors: 0,
    status: 0,
    subscribe: 2,
    unsubscribe: 1,
    publish: 3,
    published_events: 5,
    total_channels: 2,
    subscribed_clients: 1,
  });
  assert.deepEqual(
    [
      tree.pubsub.deliveries,
      tree.pubsub.publish,
      tree.pubsub.published_events,
      tree.pubsub.join,
      tree.pubsub.leave,
      tree.pubsub.requests,
    ],
    [3, 2, 3, 1, 1, 4],
  );
});
