import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeName, Ref } from '../../../../../src/kernel/types.ts';
import { Flow } from '../../../../../src/web/client/relay/flow.ts';
import { chunkMessage, type RelayMessage, weightOf } from '../../../../../src/web/client/relay/messages.ts';
import { fc } from '../../../../support/properties.ts';

const a = 'a@127.0.0.1' as NodeName;
const b = 'b@127.0.0.1' as NodeName;

/** Two flows, and what has been sent and not received yet in either direction. */
function pair(budget: number) {
  const sent = new Map<NodeName, RelayMessage[]>([
    [a, []],
    [b, []],
  ]);
  const to = (node: NodeName) =>
    ({ node, tell: (message: RelayMessage) => sent.get(node)!.push(message) }) as unknown as Ref<RelayMessage>;
  const flows = { [a]: new Flow(to(b), a, budget), [b]: new Flow(to(a), b, budget) };
  /** `node` receives what was sent first; the text in it. */
  const receive = (node: NodeName): string | undefined => {
    const message = sent.get(node)!.shift();
    if (!message) return undefined;
    const flow = flows[node]!;
    if (!Array.isArray(message) && (message as { type: string }).type === 'credit') {
      flow.credit((message as { weight: number }).weight);
      return undefined;
    }
    flow.received(message);
    return String((message as unknown as unknown[])[3]);
  };
  const underWay = (node: NodeName) =>
    sent.get(node)!.reduce((sum, message) => sum + (Array.isArray(message) ? weightOf(message) : 0), 0);
  return { sent, flows, receive, underWay };
}

const text = (data: string | Uint8Array) =>
  chunkMessage(a, 1, 'owner', { type: 'chunk', data, isText: true, more: false }, false);

test('whatever is sent and received when, the budget holds, nothing is lost or overtaken, and nobody waits for ever', () => {
  const budget = 2 * Flow.noteWeight;
  const step = fc.tuple(
    fc.constantFrom(a, b),
    fc.oneof(fc.constant('receive' as const), fc.integer({ min: 0, max: 40_000 })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { sent, flows, receive, underWay } = pair(budget);
      const given = { [a]: [] as string[], [b]: [] as string[] };
      const got = { [a]: [] as string[], [b]: [] as string[] };
      const take = (node: NodeName) => {
        const data = receive(node);
        if (data !== undefined) got[node]!.push(data);
      };
      for (const [node, what] of steps) {
        const other = node === a ? b : a;
        if (what === 'receive') {
          take(node);
        } else {
          const data = `${given[other]!.length}`.padEnd(what, '.');
          given[other]!.push(data);
          flows[node]!.send(text(data));
        }
        // A large one may go with the little that needs no note.
        assert.ok(underWay(other) <= Math.max(budget, Flow.noteWeight + 40_064));
      }
      while (sent.get(a)!.length + sent.get(b)!.length > 0) for (const node of [a, b]) take(node);
      assert.deepEqual(got, given);
      assert.deepEqual([flows[a]!.load, flows[b]!.load], [0, 0]);
    }),
  );
});

test('bytes that wait are kept, though their memory is used for others', () => {
  const { flows, receive } = pair(1000);
  const bytes = Buffer.alloc(70_000, 'x');
  flows[a]!.send(text(bytes));
  flows[a]!.send(text(bytes));
  bytes.fill('y');
  assert.equal(flows[a]!.load, 70_064 / 1000);
  receive(b);
  flows[a]!.credit(70_064);
  assert.equal(receive(b), 'x'.repeat(70_000));
});

test('when a relay was restarted, nothing waits any more', () => {
  const { flows, sent } = pair(1000);
  for (let n = 0; n < 3; n += 1) flows[a]!.send(text('x'.repeat(70_000)));
  flows[a]!.reset();
  assert.equal(flows[a]!.load, 0);
  flows[a]!.send(text('new'));
  assert.equal(sent.get(b)!.length, 2);
  // Late credit for what was lost does not raise the budget.
  flows[a]!.credit(200_000);
  flows[a]!.send(text('x'.repeat(70_000)));
  flows[a]!.send(text('x'.repeat(70_000)));
  assert.ok(flows[a]!.load > 0);
});
