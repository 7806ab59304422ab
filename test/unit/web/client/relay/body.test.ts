/** The last chunk of a body may be empty. One that came while the way was overloaded was never sent, and the request never ended. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyForward } from '../../../../../src/web/client/relay/body.ts';
import { costOf } from '../../../../../src/web/client/relay/chunks.ts';
import type { Chunk, RelayStream, ToOwner } from '../../../../../src/web/client/relay/relay.ts';
import type { HttpResponse } from '../../../../../src/web/http/http.ts';

test('an empty last chunk that had to wait ends the body', () => {
  let receive: (chunk: ArrayBuffer, isLast: boolean) => void = () => {};
  const res = {
    onData: (handler: typeof receive) => {
      receive = handler;
    },
    pause() {},
    resume() {},
  } as unknown as HttpResponse;
  const sent: Chunk[] = [];
  const stream = { load: 0, send: (signal: ToOwner) => void sent.push(signal as Chunk) };
  const refuse = () => assert.fail('refused');
  const held = { bytes: 0, max: 1_000_000 };
  const body = new BodyForward({
    res,
    stream: stream as unknown as RelayStream<ToOwner>,
    limitBytes: 1_000_000,
    held,
    waits: false,
    refuse,
  });
  receive(new ArrayBuffer(100_000), false);
  const underWay = sent.reduce((sum, chunk) => sum + costOf(chunk), 0);
  stream.load = 1;
  receive(new ArrayBuffer(0), true);
  assert.ok(sent.every(({ more }) => more));
  stream.load = 0;
  body.taken(underWay);
  assert.equal(sent.at(-1)!.more, false);
});
