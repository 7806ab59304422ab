/** What one client is asked: who gets which answer, and when nobody does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskServices, Asks } from '../../../../src/actors/client/asks.ts';
import { TimingWheel } from '../../../../src/kernel/timers.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { Metrics } from '../../../../src/observe/metrics.ts';
import { EventPacket } from '../../../../src/protocol/packet.ts';

function scene() {
  const metrics = new Metrics();
  const asks = new Asks(new AskServices(new TimingWheel(), metrics));
  const sent: EventPacket[] = [];
  const ask = (timeoutMs = 60_000) =>
    asks.ask(new EventPacket('q', '[1]'), timeoutMs, (packet) => void sent.push(packet));
  const counts = () => ['asked', 'answered', 'unanswered'].map((name) => metrics.number(`clients.asks.${name}`));
  return { asks, sent, ask, counts };
}

test('each question has its own answer, whatever the order, and an answer counts once', async () => {
  const { asks, sent, ask, counts } = scene();
  const answers = [ask(), ask()];
  const [first, second] = sent.map(({ id }) => id!) as [number, number];
  assert.notEqual(first, second);
  assert.deepEqual(
    sent.map(({ name, argsJson, ackWithData }) => [name, argsJson, ackWithData]),
    [
      ['q', '[1]', true],
      ['q', '[1]', true],
    ],
  );
  assert.equal(asks.acknowledged(second, ['b']), true);
  assert.equal(asks.acknowledged(second, ['again']), false);
  assert.equal(asks.acknowledged(first + second + 1, []), false);
  assert.equal(asks.acknowledged(first, []), true);
  assert.deepEqual(await Promise.all(answers), [[], ['b']]);
  assert.deepEqual(counts(), [2, 2, 0]);
});

test('when its time is over, or its client is gone, a question fails, and its answer comes too late', async () => {
  const { asks, sent, ask, counts } = scene();
  await assert.rejects(ask(1), { code: 'timeout' });
  const waiting = [ask(), ask()];
  asks.fail(new HiveError('client_suspended'));
  for (const question of waiting) await assert.rejects(question, { code: 'client_suspended' });
  for (const { id } of sent) assert.equal(asks.acknowledged(id!, []), false);
  assert.deepEqual(counts(), [3, 0, 3]);
});

test('a client that does not answer is not asked without end', async () => {
  const { asks, sent, ask } = scene();
  const waiting = Array.from({ length: 100 }, () => ask());
  await assert.rejects(ask(), { code: 'overloaded' });
  assert.equal(asks.acknowledged(sent[0]!.id!, []), true);
  waiting.push(ask());
  asks.fail(new HiveError('bad_session_id'));
  const outcomes = await Promise.allSettled(waiting);
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 100);
});
