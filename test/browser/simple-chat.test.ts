/** The simple chat's page in a real browser, against a real node and its back end. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser, type Page, picture } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';

describe('the page of the simple chat', { skip: missing('chromium', 'python3', 'make') }, () => {
  let example: Example;
  let browser: Browser;
  let ann: Page;
  let ben: Page;

  before(async () => {
    example = await Example.prepare('simple-chat');
    await example.start('make simple-chat', 'Ctrl-C stops everything');
    browser = await launchBrowser();
    ann = await browser.newPage({ viewport: { width: 1000, height: 640 } });
    ben = await browser.newPage({ viewport: { width: 1000, height: 640 } });
    for (const page of [ann, ben]) await page.goto(example.page);
  });

  after(async () => {
    await browser?.close();
    await example?.stop();
  });

  async function authorize(page: Page, nick: string): Promise<void> {
    await page.getByTestId('nick').fill(nick);
    await page.getByTestId('authorize').click();
  }

  async function enter(page: Page, room: string): Promise<void> {
    await page.getByTestId('room').fill(room);
    await page.getByTestId('join').click();
    await page.getByTestId('room-title').getByText(room).waitFor();
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByTestId('text').fill(text);
    await page.getByTestId('send').click();
  }

  const shows = (page: Page, text: string) =>
    page.getByTestId('messages').getByText(text, { exact: true }).last().waitFor();
  const members = (page: Page) => page.getByTestId('members').locator('li').allTextContents();

  test('a nick that somebody has is refused, another one accepted', async () => {
    await authorize(ann, 'Ann');
    await enter(ann, 'lobby');
    await authorize(ben, 'ANN');
    await ben.getByText('Somebody is called ANN already.').waitFor();
    await authorize(ben, 'Ben');
    await enter(ben, 'lobby');
    await shows(ann, 'Ben joined');
    assert.deepEqual(await members(ann), ['Ann (you)', 'Ben']);
    assert.deepEqual(await members(ben), ['Ann', 'Ben (you)']);
  });

  test('an empty room invites to speak; messages of one author stand together', async () => {
    await ann.getByTestId('invite').getByText('Nothing has been said since you came in.').waitFor();
    for (const text of ['One.', 'Two.']) {
      await say(ann, text);
      await shows(ben, text);
    }
    await say(ben, 'Three.');
    await shows(ben, 'Three.');
    await ben.getByTestId('invite').waitFor({ state: 'hidden' });
    const heads = await ben.getByTestId('message').locator('.head').all();
    const sizes = await Promise.all(heads.map(async (head) => ((await head.boundingBox())?.width ?? 0) > 1));
    assert.deepEqual(sizes, [true, false, true]);
    assert.deepEqual(await ben.getByTestId('message').locator('.nick').allTextContents(), ['Ann', 'Ann', 'Ben']);
  });

  test('both talk, and text that looks like markup is shown as it is', async () => {
    await say(ann, 'Good morning! Is anybody awake?');
    await shows(ben, 'Good morning! Is anybody awake?');
    await say(ben, 'Since six. The <b>bees</b> are, too.');
    await shows(ann, 'Since six. The <b>bees</b> are, too.');
    await say(ann, 'Then I will put the kettle on.');
    await shows(ben, 'Then I will put the kettle on.');
    await picture(ben, 'simple-chat.png');
  });

  test('who leaves the room hears it no more, and may enter another', async () => {
    await ben.getByTestId('leave').click();
    await shows(ann, 'Ben left');
    await enter(ben, 'garden');
    await say(ann, 'Not for the garden.');
    await shows(ann, 'Not for the garden.');
    await say(ben, 'Quiet out here.');
    await shows(ben, 'Quiet out here.');
    assert.deepEqual(await ben.getByTestId('message').locator('.text').allTextContents(), ['Quiet out here.']);
    assert.deepEqual(await members(ben), ['Ben (you)']);
  });

  test('a room with an impossible name is refused', async () => {
    await ben.getByTestId('leave').click();
    await ben.getByTestId('room').fill('not a room');
    await ben.getByTestId('join').click();
    await ben.getByTestId('room-error').getByText("A room's name has").waitFor();
    await enter(ben, 'lobby');
    await shows(ann, 'Ben joined');
  });

  test('who closes the page has left', async () => {
    const farewells = ann.getByTestId('messages').getByText('Ben left', { exact: true });
    const before = await farewells.count();
    await ben.close();
    await eventually(async () => (await farewells.count()) > before, 'Ben to leave');
    assert.deepEqual(await members(ann), ['Ann (you)']);
  });
});
