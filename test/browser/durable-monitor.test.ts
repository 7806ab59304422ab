/** Durable sessions on the monitor's page: all is well, a node dies, Redis is away and back. */
import { after, before, describe, test } from 'node:test';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { missing } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { RelayNode } from '../support/relay-cluster.ts';
import { ReturnCluster } from '../support/return-cluster.ts';

describe("durable sessions on the monitor's page", { skip: missing('chromium', 'redis-server') }, () => {
  let redis: RedisServer;
  let scene: ReturnCluster;
  let browser: Browser;
  let dashboard: DashboardPage;

  before(async () => {
    redis = await RedisServer.start();
    scene = await ReturnCluster.start({}, undefined, redis.port);
    browser = await launchBrowser();
    const [, other] = scene.nodes as [RelayNode, RelayNode];
    dashboard = await DashboardPage.open(browser, `${other.monitor}/dashboard`);
  });
  after(async () => {
    await browser?.close();
    await scene?.stop();
    await redis?.stop();
  });

  const find = async (sid: string) => {
    await dashboard.find('sid').fill(sid);
    await dashboard.find('find').click();
  };

  test('says how they are, what becomes of those of a node that dies, and that Redis is away', async (t) => {
    const [owner, other] = scene.nodes as [RelayNode, RelayNode];
    const one = await scene.client(t, owner.port);
    await one.publish(1);
    await dashboard.shows('durable', /Durable\s*on all 3 nodes\s*Lease\s*all renewed, the shortest lasts \d s/s);
    await dashboard.shows(
      'durable',
      /Sessions\s*1 stored(?! ·).*Claimed\s*none in \d+ searches.*Stored within\s*p50 \S+ ms/s,
    );
    await find(one.sid);
    await dashboard.shows('client', /Stored\s*yes · lease \S{16}/);

    one.proxy.cut();
    const [name] = (await owner.metric('clients.durable.lease.owner')) as unknown as string[];
    const lease = `hive:relay tests:lease:${name}`;
    await owner.process.stop('SIGKILL');
    // It lasts as long as the test wants.
    await redis.query((client) => client.set(lease, '1'));
    // The old fault: the page stood still until somebody had claimed the session that it showed.
    await dashboard.shows('client', /The node of that client is gone\. Its session goes on at another one/);
    await dashboard.shows('node relay0@127.0.0.1', /missing.*others claim its sessions when its lease has ended/s);
    await redis.query((client) => client.del(lease));
    await dashboard.shows('durable', /Claimed\s*1 of nodes that are gone · 1 went on · 0 departed/);
    await dashboard.shows(
      'durable',
      /Durable\s*on all 2 nodes that answer.*Sessions\s*1 stored · 1 of them adopted from other nodes/s,
    );
    await dashboard.shows(
      'client',
      /Suspended\s*for .* (?:transport_closed|node_lost).*claimed once · adopted from relay0@127\.0\.0\.1/s,
    );
    one.proxy.mend(other.port);
    await one.back();
    await dashboard.shows('client', /Phase\s*waiting.*adopted from relay0@127\.0\.0\.1/s);

    await redis.stop();
    await dashboard.shows(
      'durable',
      /Durable\s*on 0 of 2 nodes that answer; NOT on relay1@127\.0\.0\.1 for \d+ s, relay2/,
    );
    await dashboard.shows('node relay1@127.0.0.1', /degraded.*sessions are not durable: /s);
    await dashboard.find('node relay1@127.0.0.1').getByRole('button').click();
    await dashboard.shows('durable', /Durable\s*NO, for \d+ s/);
    await redis.start();
    await dashboard.shows('durable', /Durable\s*yes\s*Lease\s*renewed, lasts \d s · \S{16} · 1 lost/);
    dashboard.assertQuiet();
  });
});
