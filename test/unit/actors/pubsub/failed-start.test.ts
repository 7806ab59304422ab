import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { event, pubSubNode } from '../../../support/pubsub.ts';

test('who joins a channel that cannot be started is told so with pubsub_error', async (t) => {
  const { pubsub, client, serving } = await pubSubNode(t);
  const [ann, ben] = [await client(), await client()];
  await pubsub.join(ann, ['news.poison'], 'public');
  // The channel crashes, and so does everyone that is to follow it.
  ann.join = () => {
    throw new Error('poison');
  };
  pubsub.publish(['news.poison'], 'public', event('dose'));
  await eventually(() => !serving('news.poison'), 'the crash');
  await assert.rejects(pubsub.join(ben, ['news.poison'], 'public'), { code: 'pubsub_error' });
});
