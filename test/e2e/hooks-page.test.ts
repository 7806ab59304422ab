/** docs/hooks.md: its tables have what there is, and its example does on a running node what it says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { io } from 'socket.io-client';
import { builtIn } from '../../src/plugins/built-in.ts';
import { channelIds } from '../../src/protocol/backend/channel-expression.ts';
import { BackEnd } from '../support/back-end.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually, next } from '../support/eventually.ts';

const page = readFileSync(new URL('../../docs/hooks.md', import.meta.url), 'utf8');

/** The first cells of the table under a heading. */
function tableUnder(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = section.split('\n').filter((line) => /^\| [`"{[]/.test(line));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the page has every hook and action, and no others', () => {
  const names = (heading: string) => tableUnder(heading).map(([name]) => name!.replaceAll('`', ''));
  assert.deepEqual(names('Hooks').sort(), Object.keys(builtIn.hooks).sort());
  assert.deepEqual(names('Actions').sort(), Object.keys(builtIn.actions).sort());
});

test('the expressions of the page name the channels that it says', () => {
  const rows = tableUnder('Channels');
  assert.equal(rows.length, 3);
  for (const [expressions, names] of rows.slice(1)) {
    const ids = Array.from(names!.matchAll(/`([^`]+)`/g), ([, id]) => id);
    assert.deepEqual(channelIds(JSON.parse(expressions!.replaceAll('`', ''))), ids);
  }
});

test('the example of the page works', async (t) => {
  const blocks = Array.from(page.matchAll(/```json\n(.*?)```/gs), ([, text]) => JSON.parse(text!) as unknown);
  const [clients, metadata, orders] = blocks as [Record<string, unknown>, Record<string, unknown>, unknown];
  const backEnd = await BackEnd.start();
  t.after(() => backEnd.stop());
  backEnd.answers.set('/buy', { body: orders });
  const node = await DefaultNode.start((config) => {
    config.clients = clients;
    const args = { base_url: backEnd.url, max_connection_timeout: 2000 };
    config.connectors!.pools = { shop: { connector: 'connector.http', size: 1, overflow: 0, args } };
  });
  t.after(() => node.stop());
  const client = io(node.url, { transports: ['websocket'], forceNew: true, reconnection: false });
  t.after(() => client.disconnect());
  await next(client, 'connect');

  const heard: unknown[] = [];
  client.on('cart', (cart: unknown) => heard.push(cart));
  const buy = () => new Promise((called) => client.emit('buy', { item: 42 }, (answer: unknown) => called(answer)));
  heard.push(await buy());
  assert.deepEqual(heard, [{ items: 1 }, 'bought']);
  const { headers, body } = backEnd.asked[0]!;
  const asked = JSON.parse(body) as { session: { connected_at: number; event: number } };
  const { connected_at } = asked.session;
  assert.ok(Math.abs(Date.now() - connected_at) < 60_000);
  const session = { ...(metadata.session as object), connected_at };
  assert.deepEqual(asked, { ...metadata, sid: client.id, session });
  assert.equal(headers['idempotency-key'], `${client.id}/0.1`);

  client.emit('buy', { item: 43 });
  const again = await eventually(() => backEnd.asked[1], 'the next request');
  assert.deepEqual(JSON.parse(again.body).state, { cart: 1 });
});
