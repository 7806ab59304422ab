/** What is kept for another node, and sent again; with the other end of the stream: publish-receipts.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../support/properties.ts';
import { PublishStream, publicationBytes } from '../../../support/publish-stream.ts';

test('what was under way when the connection was lost is sent again, once and in order', () => {
  const stream = new PublishStream();
  stream.connect();
  for (const number of [1, 2, 5]) stream.publish(number, 'news');
  stream.deliver(2);
  stream.acknowledge();
  stream.cut();
  stream.publish(6, 'news');
  stream.connect();
  stream.publish(9, 'news');
  stream.settle();
  assert.deepEqual(stream.passed, [1, 2, 5, 6, 9]);
  assert.deepEqual(stream.told, ['resent']);
  assert.deepEqual([stream.log.length, stream.log.bytes], [0, 0]);
});

test('what had arrived, but was not acknowledged, is not passed on twice', () => {
  const stream = new PublishStream();
  stream.connect();
  for (const number of [1, 2, 3]) stream.publish(number, 'news');
  stream.deliver();
  stream.cut();
  stream.connect();
  stream.settle();
  assert.deepEqual(stream.passed, [1, 2, 3]);
});

test('what there is no room for waits until there is', () => {
  const stream = new PublishStream();
  stream.connect();
  stream.room = 2;
  for (let number = 1; number <= 5; number += 1) assert.equal(stream.publish(number, 'news'), true);
  assert.equal(stream.messages.length, 2);
  stream.settle();
  assert.deepEqual(stream.passed, [1, 2, 3, 4, 5]);
  assert.deepEqual(stream.told, []);
});

test('beyond the bound there is one gap, which names its channels in its place in the order', () => {
  const stream = new PublishStream(4 * publicationBytes);
  stream.connect();
  stream.room = 0;
  const kept = [1, 2, 3, 4, 5, 6].map((number) => stream.publish(number, `news.${number}`));
  assert.deepEqual(kept, [true, true, true, true, false, false]);
  // One is acknowledged: that is not enough to begin anew.
  stream.room = 1;
  stream.pump();
  stream.deliver();
  stream.acknowledge();
  assert.equal(stream.publish(7, 'news.7'), false);
  stream.room = Number.POSITIVE_INFINITY;
  stream.settle();
  assert.equal(stream.publish(8, 'news.8'), true);
  stream.settle();
  assert.deepEqual(stream.passed, [1, 2, 3, 4, { gap: ['news.5', 'news.6', 'news.7'], upTo: 7 }, 8]);
  assert.deepEqual(stream.told, ['overflowed', 'gap', 'lost 1', 'lost 1', 'lost 1', 'ended 3']);
});

test('a gap is told when there is room for it, though nothing more is published', () => {
  const stream = new PublishStream(publicationBytes);
  stream.publish(1, 'a');
  stream.publish(2, 'b');
  stream.connect();
  stream.settle();
  assert.deepEqual(stream.passed, [1, { gap: ['b'], upTo: 2 }]);
});

test('when a node is given up, all that was kept becomes a gap, and so does what comes', () => {
  const stream = new PublishStream();
  stream.connect();
  stream.publish(1, 'a');
  stream.deliver();
  stream.acknowledge();
  stream.publish(2, 'b');
  stream.cut();
  stream.publish(3, 'c');
  assert.equal(stream.log.giveUp(), 2);
  assert.equal(stream.publish(4, 'd'), false);
  assert.deepEqual([stream.log.bytes, stream.log.givenUp], [0, true]);
  stream.connect();
  assert.equal(stream.publish(5, 'e'), true);
  stream.settle();
  assert.deepEqual(stream.passed, [1, { gap: ['b', 'c', 'd'], upTo: 4 }, 5]);
  assert.deepEqual(stream.told, ['lost 2', 'gap', 'lost 1', 'ended 3']);
});

test('a node that is given up with nothing kept for it has missed nothing', () => {
  const stream = new PublishStream();
  stream.connect();
  stream.publish(1, 'a');
  stream.settle();
  stream.cut();
  assert.equal(stream.log.giveUp(), 0);
  stream.connect();
  stream.settle();
  assert.deepEqual([stream.passed, stream.told], [[1], []]);
});

test('a gap of very many channels concerns all', () => {
  const stream = new PublishStream(publicationBytes);
  for (let number = 1; number <= 200; number += 1) stream.publish(number, `news.${number}`);
  stream.connect();
  stream.settle();
  assert.deepEqual(stream.passed, [1, { gap: [], upTo: 200 }]);
});

test('what can never be sent is a gap', () => {
  const stream = new PublishStream();
  stream.connect();
  stream.unsendable.add(2);
  assert.deepEqual(
    [1, 2, 3].map((number) => stream.publish(number, `news.${number}`)),
    [true, false, true],
  );
  stream.settle();
  assert.deepEqual(stream.passed, [1, { gap: ['news.2'], upTo: 2 }, 3]);
});

test('what one connection after the other breaks over is given up', () => {
  const stream = new PublishStream();
  for (let number = 1; number <= 3; number += 1) stream.publish(number, `news.${number}`);
  for (let connections = 0; connections < 6; connections += 1) {
    stream.connect();
    if (stream.messages[0]!.type === 'publish') stream.cut();
  }
  stream.settle();
  assert.deepEqual(stream.passed, [{ gap: ['news.1'], upTo: 1 }, 2, 3]);
});

test('a receiver that has forgotten what it had is told that it may have missed anything', () => {
  const stream = new PublishStream();
  stream.connect();
  for (const number of [1, 2]) stream.publish(number, 'news');
  stream.settle();
  const { origin } = stream.receipts;
  stream.receipts = new (stream.receipts.constructor as new (origin: string) => typeof stream.receipts)(origin);
  stream.publish(3, 'news');
  stream.settle();
  assert.deepEqual(stream.passed, [1, 2, { gap: [], upTo: 2 }, 3]);
});

test('long backlogs are sent piece by piece', () => {
  const stream = new PublishStream();
  for (let number = 1; number <= 10_000; number += 1) stream.publish(number, 'news');
  stream.log.connect();
  assert.equal(stream.log.pump(), true);
  assert.ok(stream.messages.length < 10_000);
  stream.settle();
  assert.equal(stream.passed.length, 10_000);
});

type Step = readonly [
  kind: 'publish' | 'deliver' | 'acknowledge' | 'cut' | 'deafen' | 'room' | 'ask' | 'giveUp' | 'pump',
  n: number,
];

const kinds = [
  'publish',
  'publish',
  'publish',
  'deliver',
  'acknowledge',
  'cut',
  'deafen',
  'room',
  'ask',
  'pump',
  'giveUp',
] as const;

function run(stream: PublishStream, steps: readonly Step[], published: Map<number, string>): void {
  let number = 0;
  stream.connect();
  for (const [kind, n] of steps) {
    if (kind === 'publish') {
      number += 1 + (n % 3);
      const channel = `news.${n}`;
      published.set(number, channel);
      stream.publish(number, channel);
    } else if (kind === 'deliver') stream.deliver(n);
    else if (kind === 'acknowledge') stream.acknowledge();
    else if (kind === 'deafen') stream.deaf = n;
    else if (kind === 'room') stream.room = n;
    else if (kind === 'ask') stream.log.connected && stream.ask();
    else if (kind === 'pump') stream.pump();
    else if (kind === 'giveUp') {
      stream.cut();
      stream.log.giveUp();
    } else if (stream.log.connected) stream.cut();
    else stream.connect();
  }
  stream.deaf = 0;
  stream.room = Number.POSITIVE_INFINITY;
  if (!stream.log.connected) stream.connect();
  stream.settle();
}

const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat({ max: 8 })), { maxLength: 120 });

test('whatever happens to the connection, each publication is passed on once and in order, or is in a gap that names its channel', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(300, 1000, 1e9), (steps, maxBytes) => {
      const stream = new PublishStream(maxBytes);
      const published = new Map<number, string>();
      run(stream, steps, published);
      let last = 0;
      const missing = new Map(published);
      for (const item of stream.passed) {
        const upTo = typeof item === 'number' ? item : item.upTo;
        assert.ok(upTo > last, 'in order');
        if (typeof item === 'number') missing.delete(item);
        else {
          for (const [number, channel] of missing) {
            if (number <= upTo && (item.gap.length === 0 || item.gap.includes(channel))) missing.delete(number);
          }
        }
        last = upTo;
      }
      assert.deepEqual([...missing], []);
      assert.deepEqual([stream.log.length, stream.log.bytes], [0, 0]);
    }),
    { numRuns: 500 },
  );
});

test('as long as there is room, nothing is lost', () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const stream = new PublishStream();
      const published = new Map<number, string>();
      // A connection that breaks again and again before anything is acknowledged is another matter.
      const kept = steps.filter(([kind]) => kind !== 'giveUp' && kind !== 'cut');
      run(stream, kept, published);
      assert.deepEqual(stream.passed, [...published.keys()]);
    }),
    { numRuns: 200 },
  );
});
