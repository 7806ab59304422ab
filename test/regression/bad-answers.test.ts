/**
 * A back end that answered with something else than actions, a page of HTML for example, had its best clients disconnected:
 * each such answer counted as an error of the client.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startClients } from '../support/clients.ts';

const post = { hook: 'hp.post', args: { connector: 'backend', endpoint: '/' } };
const event = { type: 'event', name: 'ask', argsJson: '[]', args: [], id: undefined } as never;

/** How a client ends that asks the back end five times where two errors are allowed, and what it is told. */
async function ask(answer: { status: number; body: string }): Promise<{ ended: unknown; codes: string[] }> {
  const clients = await startClients({
    clients: { hooks: { ask: [post] } },
    hive: { mode: 'development', max_client_errors: 2 },
    answer: () => answer,
  });
  try {
    const { session, sink } = await clients.connect();
    for (let at = 0; at < 5; at += 1) session.receive(event);
    await clients.settled(session, sink);
    return { ended: sink.ended, codes: sink.errors.map(({ error }) => error) };
  } finally {
    clients.close();
  }
}

test('answers that are no actions are no errors of the client', async () => {
  const html = await ask({ status: 200, body: '<html></html>' });
  assert.deepEqual(html, { ended: undefined, codes: Array(5).fill('invalid_json') });
  const other = await ask({ status: 200, body: '{"hello": "world"}' });
  assert.deepEqual(other, { ended: undefined, codes: Array(5).fill('bad_internal_event') });
});

test('what the back end refuses is an error of the client', async () => {
  const { ended, codes } = await ask({ status: 403, body: '' });
  assert.equal(ended, 'too_many_errors');
  assert.deepEqual(codes, ['http_error', 'http_error', 'http_error', 'too_many_errors']);
});
