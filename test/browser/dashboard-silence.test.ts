/**
 * What the monitor's page does while its node says nothing, and when it asks again.
 *
 * The old faults: with an answer that did not come the page went on to call itself live for ten seconds; and when it was shown
 * again, or the network was back, it waited those ten seconds before it asked anew.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Route } from 'playwright-core';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { CrashNode } from '../support/crash-node.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const questions = '**/nodes?*';

describe("silence, on the monitor's page", { skip: missing('chromium') }, () => {
  let node: CrashNode;
  let browser: Browser;
  let dashboard: DashboardPage;
  /** Whether questions are held, and those that are. */
  let isSilent = false;
  const held: Route[] = [];

  before(async () => {
    node = await CrashNode.launch(['4.8 websocket']);
    browser = await launchBrowser();
    dashboard = await DashboardPage.open(
      browser,
      `${node.node.addresses.monitor}/monitor/${node.monitorKey}/dashboard`,
    );
    // From here on time passes only when the test says so: what the page asks, it asks because something has happened.
    await dashboard.page.clock.pauseAt(Date.now() + 60_000);
    await dashboard.page.route(questions, (route) => (isSilent ? void held.push(route) : route.continue()));
  });

  after(async () => {
    await dashboard?.page.unrouteAll({ behavior: 'ignoreErrors' });
    await browser?.close();
    await node?.stop();
  });

  const pass = (ms: number) => dashboard.page.clock.runFor(ms);
  const happen = (event: string) => dashboard.page.evaluate(`window.dispatchEvent(new Event('${event}'))`);

  /** All is well, and nothing is asked. */
  async function beLive(): Promise<void> {
    isSilent = false;
    held.length = 0;
    await happen('online');
    await eventually(async () => {
      await pass(500);
      return dashboard.pending === 0 && (await dashboard.find('link').getAttribute('data-state')) === 'live';
    }, 'the page to be live');
  }

  /** The next question gets no answer. */
  async function beSilent(): Promise<void> {
    isSilent = true;
    await pass(2500);
    await eventually(() => held.length === 1, 'a question');
  }

  beforeEach(beLive);

  const ways: [string, () => Promise<unknown>][] = [
    ['the network is back', () => happen('online')],
    ['the window gets the focus', () => happen('focus')],
    ['the page is shown again', () => dashboard.setHidden(true).then(() => dashboard.setHidden(false))],
    ['the user says so', () => dashboard.page.evaluate(`document.getElementById('retry').click()`)],
  ];
  for (const [reason, act] of ways) {
    test(`the page asks at once when ${reason}, although a question is waiting`, async () => {
      await beSilent();
      await pass(1000);
      isSilent = false;
      const asked = dashboard.requests.length;
      await act();
      await pass(1);
      await eventually(() => dashboard.requests.length > asked, 'another question');
      await dashboard.is('live');
      assert.deepEqual(dashboard.complaints, []);
    });
  }

  test('a question that was only just asked is not given up', async () => {
    // It is asked by an event, so that no time passes until it is held.
    await dashboard.setHidden(true);
    await pass(2500);
    isSilent = true;
    await dashboard.setHidden(false);
    const question = await eventually(() => held[0], 'a question');
    isSilent = false;
    for (const _twice of [1, 2]) {
      await happen('focus');
      await pass(50);
    }
    await question.continue();
    assert.ok(await question.request().response(), 'it was answered');
    await dashboard.is('live');
    assert.deepEqual(dashboard.complaints, []);
  });

  test('who does not answer is not live, and it is said since when', async () => {
    await beSilent();
    await pass(4000);
    await dashboard.is('waiting');
    assert.match(await dashboard.shows('link', /last answer/), /waiting\s+last answer \d+ s ago/);
    assert.match((await dashboard.page.locator('main').getAttribute('class')) ?? '', /stale/);
    await pass(6000);
    await dashboard.is('gone');
    await dashboard.shows('link', /no answer\s+for 1\d s/);
    await dashboard.shows('banner', /does not answer.*Last seen at.*keeps trying/);
    await pass(60_000);
    await dashboard.shows('link', /no answer\s+for 1 min/);
    isSilent = false;
    await happen('online');
    await dashboard.is('live');
  });

  test('a page that is shown again is live when it has an answer, not before', async () => {
    await dashboard.setHidden(true);
    await pass(30_000);
    isSilent = true;
    await dashboard.setHidden(false);
    await dashboard.is('waiting');
    await eventually(() => held.length === 1, 'a question');
    await held[0]!.continue();
    await dashboard.is('live');
  });
});
