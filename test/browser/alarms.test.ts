/** The strip of alarms on the monitor's page: there while an alarm is set, with the node's name where there are several. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { DefaultNode } from '../support/default-node.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const name = 'alarm hive@127.0.0.1 clients';

describe("alarms on the monitor's page", { skip: missing('chromium') }, () => {
  let node: DefaultNode;
  let browser: Browser;
  let dashboard: DashboardPage;

  before(async () => {
    node = await DefaultNode.start((config) => {
      config.hive!.max_client_slots = 4;
      const off = { mailbox: 0, event_loop_delay: 0, queue: 0, memory: 0, open_files: 0 };
      config.monitor!.alarms = { ...off, interval: 100, clients: 0.5 };
    });
    browser = await launchBrowser();
    dashboard = await DashboardPage.open(browser, node.address('monitor', '/monitor/KEY/dashboard'));
  });

  after(async () => {
    await browser?.close();
    await node?.stop();
  });

  const asked = () => dashboard.requests.filter((request) => /\/alarms\?/.test(request.url())).length;

  test('nothing is shown, and nothing asked, while none is set', async () => {
    await dashboard.answered();
    assert.equal(await dashboard.find('alarms').isVisible(), false);
    assert.equal(asked(), 0);
  });

  test('one that is set is shown with its value, its threshold and since when, until it is cleared', async () => {
    const clients = [await SocketClient.connect('4.8 websocket', node.url)];
    clients.push(await SocketClient.connect('4.8 websocket', node.url));
    await dashboard.find('alarms').waitFor();
    await dashboard.shows(name, /clients\s*50 %\s*threshold 50 %\s*for \d+ s/);
    assert.equal(await dashboard.find(name).locator('.where').isVisible(), false, 'there is only one node');
    await dashboard.page.setViewportSize({ width: 360, height: 740 });
    const width = await dashboard.page.evaluate('document.documentElement.scrollWidth');
    assert.equal(width, 360, 'the page is not wider than a phone');
    await clients[0]!.disconnect();
    await dashboard.find(name).waitFor({ state: 'detached' });
    await dashboard.find('alarms').waitFor({ state: 'hidden' });
    assert.ok(asked() > 0);
    dashboard.assertQuiet();
    await clients[1]!.disconnect();
  });

  test('with several nodes each line has the name of its node; texts of others are cut', async () => {
    const long = 'x'.repeat(1000);
    const alarm = { alarm: 'mailbox', unit: 'messages', value: 12_000, of: long, threshold: 10_000, agoMs: 61_000 };
    const trees = { 'a@b': { hive: { alarms: { mailbox: { set: 1, threshold: 10_000 } } } }, 'c@d': {} };
    const answer = (path: string, json: object) =>
      dashboard.page.route(path, (route) => route.fulfill({ json: { missing: [], ...json } }));
    await answer('**/nodes?*', { nodes: trees });
    await answer('**/health?*', { health: {} });
    await answer('**/alarms?*', { alarms: [alarm] });
    await dashboard.shows('alarm a@b mailbox', /a@b\s*mailbox\s*12,000 messages\s*threshold 10,000 messages · x+…/);
    const text = (await dashboard.find('alarm a@b mailbox').textContent()) ?? '';
    assert.ok(text.length < 500, text);
    await dashboard.page.unrouteAll({ behavior: 'ignoreErrors' });
  });
});
