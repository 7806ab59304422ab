/** The monitor's page of a node whose clients lose their connections, while no back end hears who has left. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { DefaultNode } from '../support/default-node.ts';
import { ask } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { ReturningClient } from '../support/returning-client.ts';
import { SocketClient } from '../support/socket-clients.ts';

describe("delivery on the monitor's page", { skip: missing('chromium') }, () => {
  let node: DefaultNode;
  let proxy: CutProxy;
  let client: ReturningClient;
  let browser: Browser;
  let dashboard: DashboardPage;

  before(async () => {
    const [nobody] = await freePorts(1);
    node = await DefaultNode.start((config) => {
      const args = { base_url: `http://127.0.0.1:${nobody}`, max_connection_timeout: 500 };
      config.connectors = { pools: { web: { connector: 'connector.http', size: 1, overflow: 0, args } } };
      Object.assign(config.clients!, { recovery: { window: 90_000 } });
      const hook = { hook: 'hp.post', args: { connector: 'web', endpoint: '/gone' } };
      Object.assign(config.clients!.hooks!, { on_disconnect: [hook] });
    });
    proxy = await CutProxy.start(Number(new URL(node.url).port));
    client = new ReturningClient(proxy.url);
    await client.connected();
    browser = await launchBrowser();
    dashboard = await DashboardPage.open(browser, node.address('monitor', '/monitor/KEY/dashboard'));
  });

  after(async () => {
    client?.stop();
    await browser?.close();
    await node?.stop();
    await proxy?.stop();
  });

  test('who is suspended, and what becomes of them', async () => {
    await dashboard.shows('delivery', /Suspended\s*0 of 1 clients.*Returned\s*0 .*Departures\s*none waiting/s);
    await dashboard.find('sid').fill(client.sids[0]!);
    await dashboard.page.keyboard.press('Enter');
    await dashboard.shows('client', /When lost\s*may return/);

    proxy.cut();
    await dashboard.shows('delivery', /Suspended\s*1 of 1 clients/);
    await dashboard.shows('client', /Suspended\s*for \d+ (s|min), transport_\w+; ends in \d+ (s|min)/);
    const news = { action: 'send', args: { name: 'news', args: [] } };
    await ask(node, 'api', 'POST', `/api/KEY/clients/action/${client.sids[0]}`, [news, news]);
    await dashboard.shows('delivery', /Kept for returns\s*2 events, \d+ B, oldest \d+ (s|min)/);

    proxy.mend();
    await client.connected(2);
    await dashboard.shows(
      'delivery',
      /Suspended\s*0 of 1 clients.*Returned\s*1 · .*away p50 .* · 2 events replayed each/s,
    );
  });

  test('departures that no back end has answered have a row of their own', async () => {
    await (await SocketClient.connect('4.8 websocket', node.url)).disconnect();
    await dashboard.shows('delivery', /Departures\s*1 waiting for a back end, oldest \d+ (s|min)/);
    dashboard.assertQuiet();
  });

  test('on a phone the rows are below one another', async () => {
    await dashboard.page.setViewportSize({ width: 360, height: 740 });
    assert.equal(await dashboard.page.evaluate('document.documentElement.scrollWidth'), 360);
    await dashboard.page.setViewportSize({ width: 1280, height: 900 });
  });
});
