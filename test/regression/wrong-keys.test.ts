/** Wrong keys were answered as fast as they came, 17,800 in three seconds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpResponse } from '../../src/web/http/http.ts';
import { WrongKeys } from '../../src/web/http/wrong-keys.ts';
import { DefaultNode } from '../support/default-node.ts';
import { ask } from '../support/operator.ts';

test('an address that goes on trying waits, others do not, and answers that wait are bounded', () => {
  const due: { ms: number; callback: () => void }[] = [];
  const wrongKeys = new WrongKeys((ms, callback) => due.push({ ms, callback }));
  let answered = 0;
  const responses: HttpResponse[] = [];
  const closed = (): number => responses.filter(({ isLast }) => isLast).length;
  const refuse = (address: string): void => {
    const res = { onAborted() {} } as unknown as HttpResponse;
    responses.push(res);
    wrongKeys.refuse(res, address, () => {
      answered += 1;
    });
  };
  for (let at = 0; at < 2000; at += 1) refuse('a');
  assert.deepEqual([answered, closed()], [1000, 980]);
  refuse('b');
  assert.equal(answered, 1001);
  for (const { ms, callback } of due.splice(0)) if (ms === 1000) callback();
  assert.deepEqual([answered, closed()], [2001, 980]);
  refuse('a');
  assert.deepEqual(
    due.splice(0).map(({ ms }) => ms),
    [1000],
  );
});

for (const server of ['api', 'monitor'] as const) {
  test(`wrong keys of the ${server} are all answered 401, and the right one at any time`, async () => {
    const node = await DefaultNode.start();
    try {
      const path = server === 'api' ? '/api/KEY/hive/version' : '/monitor/KEY/health';
      const wrong = Array.from({ length: 30 }, async () => {
        const { status } = await ask(node, server, 'GET', `/${server}/wrong/thing`);
        return status;
      });
      await Promise.race(wrong);
      assert.equal((await ask(node, server, 'GET', path)).status, 200);
      assert.deepEqual(new Set(await Promise.all(wrong)), new Set([401]));
    } finally {
      await node.stop();
    }
  });
}
