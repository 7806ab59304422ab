/** The ping example's page in a real browser, against a real node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser, type Page, picture } from '../support/browser.ts';
import { Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';

describe('the page of the ping example', { skip: missing('chromium', 'python3', 'make') }, () => {
  let example: Example;
  let browser: Browser;
  let amber: Page;
  let clover: Page;

  before(async () => {
    example = await Example.prepare('ping');
    await example.start('make ping', 'Ctrl-C stops everything');
    browser = await launchBrowser();
    amber = await open('Amber Bee');
    clover = await open('<b>Clover</b>');
  });

  after(async () => {
    await browser?.close();
    await example?.stop();
  });

  async function open(name: string): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1100, height: 640 } });
    await page.goto(`${example.page}?name=${encodeURIComponent(name)}`);
    await page.getByTestId('status').getByText('connected', { exact: true }).waitFor();
    return page;
  }

  const sees = (page: Page, name: string) => page.getByTestId('latest').getByText(name).first().waitFor();
  const figure = (page: Page, id: string) => page.getByTestId(id).textContent();

  test('a ping reaches every window, and its own sender with the time it took', async () => {
    await clover.getByTestId('ping').click();
    await sees(clover, '<b>Clover</b>');
    await amber.getByTestId('ping').click();
    await Promise.all([sees(amber, 'Amber Bee'), sees(clover, 'Amber Bee')]);
    assert.equal(await figure(amber, 'sent'), '1');
    assert.match((await figure(amber, 'trip')) ?? '', /^\d+(\.\d)?$/);
    assert.match((await amber.getByTestId('latest').textContent()) ?? '', /you, [\d.]+ ms/);
    assert.doesNotMatch((await clover.getByTestId('latest').locator('li').first().textContent()) ?? '', /you/);
  });

  test('the space bar pings, too', async () => {
    const before = Number(await figure(clover, 'seen'));
    await amber.locator('body').press(' ');
    await clover
      .getByTestId('seen')
      .getByText(String(before + 1), { exact: true })
      .waitFor();
  });

  test('names are shown as they are', async () => {
    await clover.getByTestId('ping').click();
    await sees(amber, '<b>Clover</b>');
    assert.equal(await amber.locator('#latest b, #comb b').count(), 0);
  });

  test('many pings light the comb', async () => {
    for (let count = 0; count < 4; count += 1) {
      await amber.getByTestId('ping').click();
      await clover.getByTestId('ping').click();
    }
    await amber.waitForFunction('document.getAnimations().length > 0');
    await picture(amber, 'ping.png');
  });
});
