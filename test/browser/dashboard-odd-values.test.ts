/**
 * What others choose (states, reasons, names) on the monitor's page.
 *
 * The old fault: a text of 200,000 characters in a client's state made the page 1.5 million pixels wide, and characters that turn
 * the direction of text did so on the page, too.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Route } from 'playwright-core';
import { Cell } from '../../src/kernel/cell.ts';
import { type Browser, launchBrowser } from '../support/browser.ts';
import { CrashNode } from '../support/crash-node.ts';
import { DashboardPage } from '../support/dashboard-page.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

const length = 200_000;
const turning = 'invoice\u202efdp.exe';
const turned = 'invoice\\u202efdp.exe';
/** One long word, which turns what follows it. */
const odd = (name: string, characters = length) => `${name}${turning}${'W'.repeat(characters)}`;

type Json = Record<string, unknown>;

/** The values at these paths of a value become odd. `*` stands for each name, and for a new one that is odd. */
function spoil(value: unknown, path: string[]): void {
  if (typeof value !== 'object' || value === null) return;
  const object = value as Json;
  const [name = '', ...rest] = path;
  if (name === '*' && rest.length === 0) {
    const [first] = Object.values(object);
    object[odd('name')] = structuredClone(first);
  } else if (name === '*') {
    for (const child of Object.values(object)) spoil(child, rest);
  } else if (rest.length > 0) {
    spoil(object[name], rest);
  } else if (name in object) {
    object[name] = odd(name);
  }
}

describe("what others choose, on the monitor's page", { skip: missing('chromium') }, () => {
  let node: CrashNode;
  let browser: Browser;
  let dashboard: DashboardPage;

  before(async () => {
    node = await CrashNode.launch(['4.8 websocket']);
    browser = await launchBrowser();
    dashboard = await DashboardPage.open(
      browser,
      `${node.node.addresses.monitor}/monitor/${node.monitorKey}/dashboard`,
    );
  });

  after(async () => {
    await browser?.close();
    await node?.stop();
  });

  /** Nothing sticks out of the page or of a panel, and nothing turns the direction. */
  async function assertFits(): Promise<void> {
    const { page } = dashboard;
    for (const width of [1280, 768, 360]) {
      await page.setViewportSize({ width, height: 900 });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      const wide = await page.evaluate<string[]>(`
        [...document.querySelectorAll('main *')]
          .filter((one) => one.scrollWidth > 3 * innerWidth && getComputedStyle(one).overflowX !== 'hidden')
          .map((one) => one.className || one.id)
      `);
      assert.deepEqual(wide, [], `at ${width} pixels`);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    const texts = await page.evaluate<string>(`
      [document.documentElement.textContent, ...[...document.querySelectorAll('[title], [aria-label]')].flatMap(
        (one) => [one.title, one.getAttribute('aria-label') ?? ''])].join(' ')
    `);
    assert.doesNotMatch(texts, /\u202e/);
    assert.ok(texts.length < 500_000, `${texts.length} characters`);
  }

  test("a client's state is cut and wrapped, its length told, and more of it shown on demand", async () => {
    const [talker] = node.talkers;
    talker!.socket.emit('sid', { big: 'x'.repeat(length), [turning]: turning });
    await talker!.socket.until(
      () => talker!.socket.received.filter(({ name }) => name === 'sid').length === 2,
      'the state',
    );
    await dashboard.find('sid').fill(talker!.sid);
    await dashboard.find('find').click();
    const shown = await dashboard.shows('client', /200,000 characters/);
    assert.ok(shown.includes(`"${turned}": "${turned}"`), shown.slice(0, 2000));
    assert.ok(shown.length < 2000, `${shown.length} characters`);
    await assertFits();
    const state = dashboard.find('client').locator('pre');
    await dashboard.find('client').getByRole('button', { name: 'Show more' }).click();
    await eventually(async () => ((await state.textContent()) ?? '').length > length, 'all of the state');
    assert.equal(await dashboard.page.evaluate('document.documentElement.scrollWidth'), 1280);
    await dashboard.answered();
    await dashboard.page.clock.runFor(2500);
    await dashboard.answered();
    assert.ok(((await state.textContent()) ?? '').length > length, 'it stays open');
    await dashboard.find('client').getByRole('button', { name: 'Show less' }).click();
    await eventually(async () => ((await state.textContent()) ?? '').length < 2000, 'less of the state');
  });

  test('the reason of a crash is cut, and all of it shown on demand', async () => {
    const router = node.actor('hive_router');
    assert.ok(router instanceof Cell);
    const faulty: { receive: unknown } = router.actor;
    faulty.receive = () => {
      throw new Error(odd('reason'));
    };
    router.tell({ type: 'anything' } as never);
    await node.successor('hive_router', router);
    await dashboard.shows('crashes', /reasoninvoice\\u202e/);
    await assertFits();
    const report = dashboard.find('crashes').locator('details').first();
    await report.locator('summary').click();
    await assertFits();
    await report.getByRole('button', { name: /^Show all 200,0\d\d characters$/ }).click();
    await eventually(async () => ((await report.textContent()) ?? '').length > length, 'all of the reason');
    assert.equal(await dashboard.page.evaluate('document.documentElement.scrollWidth'), 1280);
    await report.getByRole('button', { name: 'Show less' }).click();
    await dashboard.expand('hive_router_sup');
    await dashboard.actor('hive_router').click();
    await dashboard.shows('actor', /Last exit.*Show all 200,\d{3} characters/);
    await assertFits();
  });

  test('names of nodes, events, pools, channels and actors do no harm in any view', async () => {
    const { page } = dashboard;
    const places: Record<string, string[]> = {
      nodes: ['nodes.*.clients.hooks.*', 'nodes.*.connectors.crash.*'],
      health: ['health.*.status'],
      supervision: [
        'id',
        'status',
        'strategy',
        'lastExit.reason',
        'children.*.id',
        'children.*.status',
        'children.*.lastExit.reason',
      ],
      crashes: ['crashes.*.label', 'crashes.*.path', 'crashes.*.lastMessage', 'crashes.*.pid', 'crashes.*.stack'],
      actors: ['name', 'path', 'status', 'lastMessage', 'state.*'],
      clients: ['sid', 'node', 'phase', 'namespace', 'pid', 'transport', 'subscriptions.0'],
    };
    const odder = async (route: Route): Promise<void> => {
      const response = await route.fetch();
      const section = new URL(route.request().url()).pathname.split('/')[3] ?? '';
      const json = (await response.json()) as Json;
      for (const path of places[section] ?? []) spoil(json, path.split('.'));
      if (section === 'nodes') {
        // The name of a node is no longer than this.
        (json.nodes as Json)[odd('node', 255)] = structuredClone((json.nodes as Json)['hive@127.0.0.1']);
        (json.missing as string[]).push(odd('missing', 255));
      }
      if (section === 'health') {
        const health = (json.health as Record<string, { reasons: string[] }>)['hive@127.0.0.1'];
        health!.reasons = [odd('why')];
      }
      // The page may have given the question up, or the test be over.
      await route
        .fulfill({ response, json })
        .catch((error: Error) => assert.match(error.message, /already handled|closed/));
    };
    await page.route(/monitor\/[^/]+\/(nodes|health|supervision|crashes|actors|clients)/, odder);
    for (const [testId, name] of [
      ['nodes', 'missing'],
      ['nodes', 'why'],
      ['nodes', 'node'],
      ['latency', 'name'],
      ['pools', 'name'],
      ['tree', 'id'],
      ['actor', 'path'],
      ['client', 'subscriptions|0'],
    ] as const) {
      await dashboard.shows(testId, new RegExp(`(${name})invoice\\\\u202e`));
    }
    await assertFits();
    await page.locator('#combine').getByText('Per node').click();
    await dashboard.shows('plot-clients', /nodeinvoice/);
    await assertFits();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    dashboard.assertQuiet();
  });
});
