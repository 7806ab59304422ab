/** The monitor's page in a real browser: what goes on in one node. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { CrashNode, Talker } from '../support/crash-node.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const markup = '<img src=x onerror="document.title=`hurt`">';

describe("the monitor's page", { skip: missing('chromium') }, () => {
  let node: CrashNode;
  let browser: Browser;
  let dashboard: DashboardPage;
  let url: string;

  before(async () => {
    node = await CrashNode.launch(['4.8 websocket', '0.9 xhr-polling']);
    browser = await launchBrowser();
    url = `${node.node.addresses.monitor}/monitor/${node.monitorKey}/dashboard`;
    dashboard = await DashboardPage.open(browser, url);
  });

  after(async () => {
    await browser?.close();
    await node?.stop();
  });

  test('shows the node, its clients and what they do, and the plots move', async () => {
    await dashboard.shows('node hive@127.0.0.1', /ready.*2/);
    assert.equal(await dashboard.plot('clients'), 2);
    for (const plot of ['events', 'publishes', 'deliveries', 'delay', 'memory', 'use']) {
      await eventually(async () => (await dashboard.plot(plot)) > 0, `plot ${plot} to move`);
    }
    const third = await Talker.start('4.8 websocket', markup, node.node.addresses.client);
    node.talkers.push(third);
    await eventually(async () => (await dashboard.plot('clients')) === 3, 'the third client');
  });

  test('shows how long hooks and pools take, and plots the one that was chosen', async () => {
    await dashboard.shows('latency hook step', /step.*\d ms/);
    await dashboard.find('latency hook step').getByRole('button').click();
    await dashboard.shows('plot-latency', /step hook.*p50.*\d ms.*p99.*\d ms/);
    await dashboard.shows('pools', /workers.*of 2 at work/);
  });

  test('the tree opens node by node with the keyboard, and asks for no more than it shows', async () => {
    await dashboard.actor('hive_router_sup').waitFor();
    assert.equal(await dashboard.actor('hive_client_sup').count(), 0);
    await dashboard.expand('hive_router_sup');
    await dashboard.actor('hive_client_sup').waitFor();
    await dashboard.shows('tree', /hive_client_sup\s*one_for_one of 3 in 64 partitions/);
    await dashboard.expand('hive_client_sup');
    const clients = dashboard.page.locator('.row.actor[aria-level="5"]');
    await clients.nth(2).waitFor();
    assert.equal(await clients.count(), 3);
    await clients.first().click();
    await dashboard.shows('actor', /Partition\s*\d+/);
    await dashboard.shows('actor', /waiting.*sid/s);
    const asked = dashboard.requests
      .map((request) => new URL(request.url()))
      .filter(({ pathname }) => pathname.endsWith('/supervision'));
    assert.ok(
      asked.some(({ searchParams }) => searchParams.get('path') === 'hive_sup/hive_router_sup/hive_client_sup'),
    );
    for (const { searchParams } of asked) assert.match(searchParams.get('depth') ?? '', /^[01]$/);
    await dashboard.actor('hive_client_sup').focus();
    await dashboard.page.keyboard.press('ArrowLeft');
    await clients.first().waitFor({ state: 'detached' });
  });

  test('an actor that is chosen is looked into', async () => {
    await dashboard.actor('hive_router').click();
    await dashboard.shows('actor', /running.*hive_root_sup\/hive_sup\/hive_router_sup\/hive_router/);
  });

  test('a crash is seen: its line flashes, and the report tells what it was', async () => {
    await dashboard.shows('crashes', /^$/);
    const former = node.actor('hive_router');
    await node.crash(former);
    await node.successor('hive_router', former);
    await dashboard.page.locator('.row.flash .id', { hasText: /^hive_router$/ }).waitFor();
    const report = dashboard.find('crashes').locator('details').first();
    await report.locator('summary').click();
    await dashboard.shows(
      'crashes',
      /hive_router.*a crash by a test.*hive_root_sup\/hive_sup\/hive_router_sup\/hive_router.*at /s,
    );
    assert.equal(await dashboard.actor('hive_router').locator('.restarts').textContent(), '1');
  });

  test('a handler that hangs after the end of its client is shown until it returns', async () => {
    const victim = node.talkers[0]!;
    const actor = await node.client(victim.sid);
    victim.socket.emit('hang');
    await eventually(() => node.witness.returns.length === 1, 'the hook to hang');
    node.kill(actor);
    await dashboard.shows('abandoned', /client.*event/);
    node.witness.returns[0]!();
    await dashboard.shows('abandoned', /^$/);
  });

  test('a client is found by its session id, with state and subscriptions, whatever they look like', async () => {
    const third = node.talkers[2]!;
    await dashboard.find('sid').fill('nobody');
    await dashboard.find('find').click();
    await dashboard.shows('client', /No client of the cluster has this session id/);
    await dashboard.find('sid').fill('..');
    await dashboard.find('find').click();
    await dashboard.shows('client', /No client of the cluster has this session id/);
    await dashboard.find('sid').fill(third.sid);
    await dashboard.page.keyboard.press('Enter');
    const shown = await dashboard.shows('client', /room\.all/);
    assert.ok(shown.includes(JSON.stringify(markup)), shown);
    assert.match(shown, /waiting.*websocket/s);
    assert.doesNotMatch(await dashboard.page.title(), /hurt/);
  });

  test('a channel is found by its id or a prefix, with who is in it, and how much is published', async () => {
    await dashboard.find('channel-id').fill('nowhere');
    await dashboard.find('find-channel').click();
    await dashboard.shows('channel', /The cluster has no such channel now/);
    await dashboard.find('channel-id').fill('a..b');
    await dashboard.page.keyboard.press('Enter');
    await dashboard.shows('channel', /a\.\.b/);
    // Old fault: what the address of an id like this leads to was taken for a client.
    await dashboard.find('channel-id').fill('..');
    await dashboard.page.keyboard.press('Enter');
    await dashboard.shows('channel', /no such channel/);
    await dashboard.find('channel-id').fill('room');
    await dashboard.page.keyboard.press('Enter');
    await dashboard.shows('channel', /room\.all.*3/s);
    const row = dashboard.find('channel').locator('tbody tr');
    const rate = async () => Number((await row.locator('td').last().textContent())?.replace(',', ''));
    await eventually(async () => (await rate()) > 0, 'publishes per second');
    const { sid } = node.talkers[2]!;
    await dashboard.find('channel').getByText(sid).click();
    await dashboard.shows('client', new RegExp(`Session\\s*${sid}`));
  });

  test('is light or dark as the system has it, or as the user has chosen, which is kept', async () => {
    const { page } = dashboard;
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    assert.notEqual(light, dark);
    await page.locator('#theme').getByText('Light').click();
    assert.equal(await ground(), light);
    await page.reload();
    await dashboard.is('live');
    assert.equal(await ground(), light);
    await page.locator('#theme').getByText('Auto').click();
    assert.equal(await ground(), dark);
  });

  test('fits a phone, with all columns of its tables', async () => {
    const { page } = dashboard;
    await page.setViewportSize({ width: 360, height: 740 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    for (const table of ['nodes', 'latency']) {
      const cells = dashboard.find(table).locator('tbody tr').first().locator('th, td');
      for (const cell of await cells.all()) {
        const box = (await cell.boundingBox())!;
        assert.ok(box.x >= 0 && box.x + box.width <= 360, `${table}: ${await cell.textContent()}`);
      }
    }
    assert.equal(await dashboard.find('nodes').locator('td.number').first().getAttribute('data-name'), 'Up');
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  test('plots have an axis of time', async () => {
    const axis = dashboard.find('plot-clients').locator('.axis span');
    assert.deepEqual(await axis.allTextContents(), ['now', '−30 s', '−1 min']);
    await dashboard.page.clock.runFor(130_000);
    // Questions that had no answer in so short a time make the page pause for up to 15 s.
    await eventually(async () => (await axis.last().textContent()) === '−2 min', 'the axis to grow', 30_000);
    assert.deepEqual(await axis.allTextContents(), ['now', '−1 min', '−2 min']);
  });

  test('the tree shows whole rows, wherever it is scrolled to', async () => {
    const { page } = dashboard;
    const { client } = node.node.addresses;
    const crowd = await Promise.all(Array.from({ length: 20 }, () => SocketClient.connect('4.8 websocket', client)));
    for (const name of ['hive_router_sup', 'hive_client_sup']) await dashboard.expand(name);
    const rows = dashboard.find('tree').locator('.row');
    await eventually(async () => (await rows.count()) > 24, 'more rows than fit');
    const cut = () =>
      page.evaluate<number>(`
      const box = document.querySelector('.actors').getBoundingClientRect();
      const top = box.top + document.querySelector('.columns').offsetHeight;
      [...document.querySelectorAll('#tree .row')].filter((row) => {
        const { top: from, bottom: to } = row.getBoundingClientRect();
        return [top, box.bottom].some((edge) => from < edge - 1 && to > edge + 1);
      }).length;
    `);
    for (const to of [0, 31, 1000]) {
      await page.evaluate(`document.querySelector('.actors').scrollTop = ${to}`);
      await eventually(async () => (await cut()) === 0, `whole rows at ${to}`);
    }
    for (const socket of crowd) await socket.disconnect();
  });

  test('asks for nothing while it is hidden, and goes on when it is shown', async () => {
    await dashboard.setHidden(true);
    await dashboard.answered();
    const asked = dashboard.requests.length;
    await dashboard.page.clock.runFor(60_000);
    assert.equal(dashboard.requests.length, asked);
    await dashboard.setHidden(false);
    await eventually(() => dashboard.requests.length > asked, 'it to go on');
    await dashboard.is('live');
  });

  test('asks nobody else, one question at a time, and runs no script that stands in the page', async () => {
    const { origin } = new URL(url);
    for (const request of dashboard.requests) {
      assert.ok(request.url().startsWith(`${origin}/monitor/${node.monitorKey}/`), request.url());
      assert.equal(request.headers().referer ?? '', '');
    }
    dashboard.assertQuiet();
    const ran = await dashboard.page.evaluate<string>(`
      const script = document.createElement('script');
      script.textContent = 'document.title = "hurt"';
      document.head.append(script);
      document.title;
    `);
    assert.doesNotMatch(ran, /hurt/);
  });

  test('says so when the key is wrong, or the node does not answer', async () => {
    const { page } = dashboard;
    const key = `/monitor/${node.monitorKey}/`;
    // As if the node had been started anew with another key.
    await page.route('**/nodes?*', (route) =>
      route.continue({ url: route.request().url().replace(key, '/monitor/wrong/') }),
    );
    await dashboard.is('refused');
    await dashboard.shows('banner', /key in the address of this page is wrong/);
    await dashboard.answered();
    const asked = dashboard.requests.length;
    await page.clock.runFor(60_000);
    assert.equal(dashboard.requests.length, asked);
    await page.unroute('**/nodes?*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await dashboard.is('live');
    node.node.stop('the page is to notice');
    await node.node.ended;
    await dashboard.is('gone');
    await dashboard.shows('banner', /does not answer.*Last seen at.*keeps trying/);
  });
});
