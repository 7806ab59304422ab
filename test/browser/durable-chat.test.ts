/**
 * `make demo REDIS=1` as a user plays with it: kill the node under one's own page, go on typing, and again when it is back. Nobody leaves,
 * nothing is missing or doubled.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser, type Page } from '../support/browser.ts';
import { ChatDemo } from '../support/chat-demo.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const skip = missing('chromium', 'redis-server', 'python3', 'make');

describe('the chat with durable sessions', { skip }, () => {
  let demo: ChatDemo;
  let browser: Browser;
  let ann: Page;
  let bob: Page;
  /** Of each, in their order. */
  const said = { Ann: [] as string[], Bob: [] as string[] };

  before(async () => {
    demo = await ChatDemo.prepare();
    await demo.start('make demo REDIS=1');
    browser = await launchBrowser();
    [ann, bob] = await Promise.all([browser.newPage(), browser.newPage()]);
  });

  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

  const shows = (page: Page, id: string, text: string) =>
    page.getByTestId(id).getByText(text, { exact: true }).waitFor();

  async function enter(page: Page, nick: string, node: number): Promise<void> {
    await page.goto(`${demo.page}?node=${node}`);
    await page.getByTestId('nick').fill(nick);
    await page.getByTestId('enter').click();
    await page.getByTestId('composer').waitFor();
  }

  async function say(nick: 'Ann' | 'Bob', ...texts: string[]): Promise<void> {
    const page = nick === 'Ann' ? ann : bob;
    for (const text of texts) {
      await page.getByTestId('text').fill(text);
      await page.getByTestId('send').click();
      said[nick].push(text);
    }
  }

  /** What a page shows of somebody. */
  const heard = (page: Page, nick: string) =>
    page
      .getByTestId('message')
      .filter({ has: page.locator('.nick', { hasText: nick }) })
      .locator('.text')
      .allTextContents();

  /** Both have heard all that both have said, once and in order, and nobody has come or gone. */
  async function complete(): Promise<void> {
    for (const page of [ann, bob]) {
      for (const nick of ['Ann', 'Bob'] as const) {
        await shows(page, 'messages', said[nick].at(-1)!);
        assert.deepEqual(await heard(page, nick), said[nick]);
      }
      assert.equal(await page.getByTestId('waiting').locator('li').count(), 0);
    }
    assert.deepEqual(await ann.locator('.note').allTextContents(), ['Bob joined']);
    assert.deepEqual(await bob.locator('.note').allTextContents(), []);
    assert.equal(await bob.getByTestId('me').textContent(), 'you are Bob');
    const members = () => ann.getByTestId('members').locator('li').allTextContents();
    await eventually(async () => (await members()).join() === 'Ann (you),Bob', 'both to be there');
  }

  test('whose node is killed goes on typing: the others hear it once, and nobody has left', async () => {
    await enter(ann, 'Ann', 1);
    await enter(bob, 'Bob', 2);
    await shows(ann, 'messages', 'Bob joined');
    await say('Ann', 'Hello, Bob.');
    await shows(bob, 'messages', 'Hello, Bob.');
    await say('Bob', 'I have a saw.');
    await shows(ann, 'messages', 'I have a saw.');
    await bob.getByRole('button', { name: 'kill node2' }).click();
    await shows(bob, 'status', 'reconnecting');
    await say('Bob', 'I sit on the branch,', 'and saw,');
    await shows(bob, 'waiting', 'and saw,');
    await say('Ann', 'Do you', 'hear me?');
    await shows(ann, 'messages', 'hear me?');
    await shows(bob, 'returned', 'back, nothing missed');
    await shows(bob, 'node', 'node1');
    await say('Bob', 'and sit.');
    await complete();
  });

  test('again, when the node is back: now it is the other one, under both', async () => {
    await demo.printed('node2 is back');
    await eventually(async () => {
      const { hive } = await demo.monitor<{ hive: { cluster: { size: number } } }>(0, 'hive.cluster.size');
      return hive.cluster.size === 2;
    }, 'a cluster of two');
    await ann.getByRole('button', { name: 'kill node1' }).click();
    for (const page of [ann, bob]) await shows(page, 'status', 'reconnecting');
    await say('Ann', 'And now', 'both of us.');
    await say('Bob', 'Still here.');
    for (const page of [ann, bob]) {
      await shows(page, 'returned', 'back, nothing missed');
      await shows(page, 'node', 'node2');
    }
    await say('Ann', 'So am I.');
    await complete();
  });

  test('Ctrl-C stops all of it', async () => {
    // A node that stops waits for its clients.
    await browser.close();
    await demo.stop();
    await assert.rejects(fetch(demo.page));
    await assert.rejects(fetch(`http://127.0.0.1:${demo.redisPort}`));
    assert.doesNotMatch(demo.output, /Error|Traceback/);
  });
});
