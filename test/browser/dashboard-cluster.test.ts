/** The monitor's page against a cluster of two nodes, with HTTP and Redis pools and people who talk. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { type Browser, launchBrowser, picture } from '../support/browser.ts';
import { ChatCluster } from '../support/chat-cluster.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const people = 24;
const rooms = 3;
/** For the picture, so that its plots are full. */
const patienceMs = process.env.HIVE_PICTURES === '1' ? 75_000 : 0;

describe("the monitor's page of a cluster", { skip: missing('chromium', 'redis-server', 'python3') }, () => {
  let cluster: ChatCluster;
  let browser: Browser;
  let dashboard: DashboardPage;
  let talk: NodeJS.Timeout;
  const sockets: Socket[] = [];

  before(async () => {
    cluster = await ChatCluster.start('sm.redis');
    browser = await launchBrowser();
    for (let i = 0; i < people; i += 1) {
      const socket = io(cluster.url(i % 3 === 0 ? 1 : 0), { transports: ['websocket'], forceNew: true });
      sockets.push(socket);
      socket.on('authorized', () => socket.emit('join_chat', { chat: [`room${i % rooms}`] }));
      socket.on('connect', () => socket.emit('authorize', { nick: `nick${i}` }));
    }
    let said = 0;
    talk = setInterval(() => {
      said += 1 + Math.round(2 * Math.random());
      const i = said % people;
      sockets[i]!.emit('publish_msg', { room: `room${i % rooms}`, text: 'Is anybody here?' });
    }, 15);
    const url = `http://127.0.0.1:${cluster.ports[0].monitor}/monitor/distributed-chat-monitor-key/dashboard`;
    dashboard = await DashboardPage.open(browser, url, { viewport: { width: 1280, height: 1440 } });
  });

  after(async () => {
    clearInterval(talk);
    for (const socket of sockets) socket.disconnect();
    await browser?.close();
    await cluster?.stop();
  });

  test('shows both nodes, and the plots of both together', async () => {
    for (const node of ['node1@127.0.0.1', 'node2@127.0.0.1']) await dashboard.shows(`node ${node}`, /ready/);
    await eventually(async () => (await dashboard.plot('clients')) === people, 'everybody');
    await eventually(async () => (await dashboard.plot('deliveries')) > 0, 'deliveries');
    await dashboard.shows('latency hook publish_msg', /\d ms/);
    await dashboard.shows('pool http.backend', /ready.*of 220 at work/);
    await dashboard.shows('pool redis.database', /connected/);
    await dashboard.find('latency hook publish_msg').getByRole('button').click();
    await dashboard.expand('hive_router_sup');
    await dashboard.actor('hive_client_sup').waitFor();
    await dashboard.page.evaluate('document.activeElement.blur(); scrollTo(0, 0);');
    await new Promise((resolve) => setTimeout(resolve, patienceMs));
    await dashboard.page.mouse.move(0, 0);
    await picture(dashboard.page, 'dashboard.png');
  });

  test('shows a line per node, or the node that is chosen', async () => {
    const { page } = dashboard;
    await page.locator('#combine').getByText('Per node').click();
    await dashboard.shows('plot-clients', /node1@127.0.0.1\s*16.*node2@127.0.0.1\s*8/s);
    await dashboard.find('node node2@127.0.0.1').getByRole('button').click();
    await eventually(async () => (await dashboard.plot('clients')) === 8, 'the clients of the second node');
    assert.equal(await page.locator('.row.actor[aria-level="1"]').count(), 1);
    await dashboard.expand('hive_connectors_sup');
    await dashboard.expand('hive_connectors_pool_sup');
    await dashboard.expand('database');
    await dashboard.actor('database worker').click();
    await dashboard.shows('actor', /<node2@127\.0\.0\.1\..*connected/s);
    await dashboard.find('scope').selectOption({ index: 0 });
    dashboard.assertQuiet();
  });

  // The old fault: a node that hung held up every question about it for five seconds, one after the other, and the page called
  // half a minute old numbers live.
  test('a node that hangs is missing until it goes on; the other one stays live', async () => {
    const [, second] = cluster.nodes;
    second!.signal('SIGSTOP');
    try {
      await dashboard.shows('node node2@127.0.0.1', /missing\s*has not answered for/);
      const up = dashboard.find('node node1@127.0.0.1').locator('.number').first();
      for (let rounds = 0; rounds < 3; rounds += 1) {
        const former = await up.textContent();
        await eventually(async () => (await up.textContent()) !== former, 'the first node to go on', 30_000);
      }
      await dashboard.is('partial');
      // The back end may wait for the node that hangs.
      const { api } = cluster.ports[0];
      const event = JSON.stringify({ name: 'nothing', args: [] });
      const path = `http://127.0.0.1:${api}/api/distributed-chat-api-key/pubsub/publish/chat?confirm=node`;
      assert.equal((await fetch(path, { method: 'POST', body: event })).status, 200);
      await dashboard.shows('delivery', /Between nodes\s*\d+ not acknowledged, [\d.]+ [kM]?B/);
    } finally {
      second!.signal('SIGCONT');
    }
    await dashboard.shows('node node2@127.0.0.1', /ready/);
    await dashboard.is('live');
    await dashboard.shows('delivery', /Gaps\s*none/);
  });

  test('says which node is missing, and since when; nothing of it is live', async () => {
    const { page } = dashboard;
    await dashboard.is('live');
    await cluster.nodes[1]!.stop('SIGKILL');
    await dashboard.shows('node node2@127.0.0.1', /missing\s*has not answered for (\d+ s|1 min), last at \d+:\d\d/);
    await dashboard.shows('node node1@127.0.0.1', /degraded.*node2@127.0.0.1 is not connected/);
    await dashboard.actor('node2@127.0.0.1').waitFor({ state: 'detached' });
    await dashboard.is('partial');
    await dashboard.shows('link', /1 of 2 nodes live/);
    await dashboard.find('scope').selectOption({ label: 'node2@127.0.0.1 (missing)' });
    await dashboard.is('gone');
    await dashboard.shows('banner', /node2@127.0.0.1 has not answered for .* last at .* Other nodes are live/);
    await page.locator('#no-pools').getByText('This node does not answer.').waitFor();
    await page.locator('#no-crashes').getByText('This node does not answer.').waitFor();
  });
});
