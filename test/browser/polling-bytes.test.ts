/** Bytes for the clients 1.x and 2.x in a real browser, which read and write them as such over polling. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventPacket } from '../../src/protocol/packet.ts';
import { type Browser, launchBrowser, type Page } from '../support/browser.ts';
import { type FakeSession, startTestServer, type TestServer } from '../support/client-server.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const require = createRequire(import.meta.url);
const clients = { '2.5': 'socket.io-client-2', '1.7': 'socket.io-client-1' };

/** The script that pages of a client load. */
function scriptOf(name: string): Buffer {
  return readFileSync(join(require.resolve(`${name}/package.json`), '../dist/socket.io.js'));
}

/** Every byte, more than once: what is not UTF-8 among them. */
const bytes = Buffer.from(Array.from({ length: 600 }, (_, n) => n % 256));
const binary = { _binary: bytes.toString('base64') };
const text = 'grüße 日本 😀';

/** In the page: what its socket has received, bytes in base64. */
const listen = `(url) => {
  const told = (value) => value instanceof ArrayBuffer
    ? { _binary: btoa(String.fromCharCode(...new Uint8Array(value))) }
    : value;
  window.received = [];
  window.socket = io(url, { transports: ['polling'] });
  for (const name of ['news', 'echo']) {
    window.socket.on(name, (...args) => window.received.push([name, args.map(told)]));
  }
}`;

describe('a page that polls', { skip: missing('chromium') }, () => {
  let server: TestServer;
  let pages: Server;
  let browser: Browser;

  before(async () => {
    pages = createServer((req, res) => {
      const name = clients[req.url!.slice('/client-'.length) as keyof typeof clients];
      if (name) res.setHeader('Content-Type', 'text/javascript').end(scriptOf(name));
      else res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>A page</title>');
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    server = await startTestServer({ hive: { allowed_origins: ['*'] } });
    browser = await launchBrowser();
  });

  after(async () => {
    await browser?.close();
    await server?.close();
    pages?.close();
    assert.deepEqual(server?.crashes, []);
  });

  /** A page with a connected client, and the content types of the answers that it gets. */
  async function open(client: string): Promise<{ page: Page; session: FakeSession; types: Set<string> }> {
    const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    const page = await browser.newPage();
    const types = new Set<string>();
    page.on('response', (response) => {
      if (response.request().method() === 'GET') types.add(response.headers()['content-type'] ?? '');
    });
    await page.goto(origin);
    await page.addScriptTag({ url: `/client-${client}` });
    types.clear();
    const count = server.host.sessions.length;
    await page.evaluate(`(${listen})(${JSON.stringify(server.url)})`);
    const session = await eventually(() => server.host.sessions[count], 'the session');
    return { page, session, types };
  }

  /** The first events that the page has received. */
  async function received(page: Page, count: number): Promise<unknown> {
    await page.waitForFunction(`window.received.length >= ${count}`);
    return page.evaluate('window.received');
  }

  for (const client of Object.keys(clients)) {
    test(`client ${client} gets bytes as bytes, with text before and behind them`, async () => {
      const { page, session, types } = await open(client);
      session.sink.send(eventPacket('news', [text]));
      session.sink.send(eventPacket('news', [binary, text, [1]]));
      session.sink.send(eventPacket('news', [text]));
      assert.deepEqual(await received(page, 3), [
        ['news', [text]],
        ['news', [binary, text, [1]]],
        ['news', [text]],
      ]);
      assert.ok(types.has('application/octet-stream'), [...types].join());
      await page.close();
    });

    test(`client ${client} sends bytes, and gets what is published`, async () => {
      const { page, session } = await open(client);
      // Text of 1.x clients over polling is recognized by some characters only (engine-v3.ts).
      await page.evaluate(`window.socket.emit('echo', new Uint8Array(${JSON.stringify([...bytes])}).buffer, 'text')`);
      assert.deepEqual(await received(page, 1), [['echo', [binary, 'text']]]);
      assert.deepEqual(session.received[0]?.type === 'event' && session.received[0].args, [binary, 'text']);
      session.sink.join('room');
      server.topics.publish('room', eventPacket('news', [binary]));
      assert.deepEqual(await received(page, 2), [
        ['echo', [binary, 'text']],
        ['news', [binary]],
      ]);
      await page.close();
      await eventually(() => session.closed.length > 0, 'the end of the session');
    });
  }
});
