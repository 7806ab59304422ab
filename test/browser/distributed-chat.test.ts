/** The distributed chat's page in a real browser, against real nodes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser, type Page, picture } from '../support/browser.ts';
import { ChatCluster } from '../support/chat-cluster.ts';
import { missing } from '../support/programs.ts';

describe('the page of the distributed chat', { skip: missing('chromium', 'redis-server', 'python3') }, () => {
  let cluster: ChatCluster;
  let browser: Browser;
  let ann: Page;
  let bob: Page;

  before(async () => {
    cluster = await ChatCluster.start();
    browser = await launchBrowser();
    ann = await browser.newPage({ viewport: { width: 1100, height: 640 } });
    bob = await browser.newPage({ viewport: { width: 1100, height: 640 } });
  });

  after(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  async function enter(page: Page, nick: string, node: number): Promise<void> {
    await page.goto(`${cluster.pageUrl}?node=${node}`);
    await page.getByTestId('nick').fill(nick);
    await page.getByTestId('enter').click();
    await page.getByTestId('composer').waitFor();
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByTestId('text').fill(text);
    await page.getByTestId('send').click();
  }

  const shows = (page: Page, text: string) => page.getByTestId('messages').getByText(text, { exact: true }).waitFor();
  const lists = (page: Page, nick: string) => page.getByTestId('members').getByText(nick).waitFor();

  test('two tabs on different nodes see each other and talk', async () => {
    await enter(ann, 'Ann', 1);
    await enter(bob, 'Bob', 2);
    assert.match((await ann.getByTestId('node').textContent()) ?? '', /node1/);
    assert.match((await bob.getByTestId('node').textContent()) ?? '', /node2/);
    await Promise.all([lists(ann, 'Bob'), lists(bob, 'Ann')]);
    await bob.getByTestId('invite').getByText('Nobody has said anything here yet.').waitFor();
    await say(ann, 'Hello from the first node.');
    await shows(bob, 'Hello from the first node.');
    await bob.getByTestId('invite').waitFor({ state: 'hidden' });
    await say(bob, 'And hello back from the second!');
    await shows(ann, 'And hello back from the second!');
    await say(ann, 'No sticky sessions, one room.');
    await shows(bob, 'No sticky sessions, one room.');
    await picture(bob, 'distributed-chat.png');
  });

  test('text that looks like markup is shown as it is', async () => {
    await say(ann, '<img src=x onerror="document.title=`hurt`">');
    await shows(bob, '<img src=x onerror="document.title=`hurt`">');
    assert.doesNotMatch(await bob.title(), /hurt/);
  });

  test('messages of one author stand together, after a reload too', async () => {
    await say(bob, 'First.');
    await shows(ann, 'First.');
    await say(bob, 'Second.');
    await shows(ann, 'Second.');
    const grouped = ann.locator('.message.more .text');
    assert.deepEqual((await grouped.allTextContents()).slice(-1), ['Second.']);
    await ann.reload();
    await shows(ann, 'Second.');
    assert.deepEqual((await grouped.allTextContents()).slice(-1), ['Second.']);
  });

  test('who leaves the last room is told how to get into another', async () => {
    await ann.getByTestId('leave').click();
    await ann.getByTestId('invite').getByText('You are in no room.').waitFor();
    await ann.getByTestId('room').fill('lobby');
    await ann.getByTestId('join').click();
    await ann.getByTestId('composer').waitFor();
  });

  test('a tab whose node dies goes on at the other one, with its nick and rooms', async () => {
    await cluster.nodes[1]!.stop('SIGKILL');
    await bob.getByTestId('node').getByText('node1').waitFor();
    await say(ann, 'Are you still with us?');
    await shows(bob, 'Are you still with us?');
    await say(bob, 'Yes, at the other node.');
    await shows(ann, 'Yes, at the other node.');
  });
});
