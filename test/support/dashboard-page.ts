/** The monitor's page in a browser, watched: what it asks, what it complains of. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Locator, Page, Request } from 'playwright-core';
import { eventually } from './eventually.ts';

export class DashboardPage {
  readonly page: Page;
  /** Everything asked so far. */
  readonly requests: Request[] = [];
  /** Questions for data (not for the page's files) that are not answered yet, and how many of them there were at most. */
  pending = 0;
  maxPending = 0;
  /** What the browser's console said that is no remark about an answer. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    const isData = (request: Request): boolean => !request.url().includes('/dashboard');
    page.on('request', (request) => {
      this.requests.push(request);
      if (!isData(request)) return;
      this.pending += 1;
      this.maxPending = Math.max(this.maxPending, this.pending);
    });
    for (const end of ['requestfinished', 'requestfailed'] as const) {
      page.on(end as 'requestfinished', (request) => {
        if (isData(request)) this.pending -= 1;
      });
    }
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error' || message.text().startsWith('Failed to load resource')) return;
      this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<DashboardPage> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    const dashboard = new DashboardPage(page);
    await page.clock.install();
    await page.goto(url);
    await dashboard.is('live');
    return dashboard;
  }

  find(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Waits for a state of its connection. */
  async is(state: 'live' | 'partial' | 'waiting' | 'gone' | 'refused'): Promise<void> {
    await this.page.locator(`[data-testid="link"][data-state="${state}"]`).waitFor();
  }

  /** The line of an actor in the tree; of several of that name the first. */
  actor(name: string): Locator {
    return this.find('tree')
      .locator('.row.actor')
      .filter({ has: this.page.locator('.id', { hasText: new RegExp(`^${name}$`) }) })
      .first();
  }

  /** Opens a supervisor with the keyboard and waits for its children. */
  async expand(name: string): Promise<void> {
    await this.actor(name).focus();
    await this.page.keyboard.press('ArrowRight');
    await this.page
      .locator(`.row[aria-expanded="true"] .id`, { hasText: new RegExp(`^${name}$`) })
      .first()
      .waitFor();
  }

  /** The text of an element, when it fits. */
  async shows(testId: string, pattern: RegExp): Promise<string> {
    const shown = this.find(testId);
    await shown.filter({ hasText: pattern }).waitFor({ state: 'attached' });
    return (await shown.textContent()) ?? '';
  }

  /** What a plot says now, as a number. */
  async plot(name: string): Promise<number> {
    const text = (await this.find(`plot-${name}`).locator('.now').textContent()) ?? '';
    return Number.parseFloat(text.replaceAll(',', ''));
  }

  /** As when the user goes to another tab, or comes back. */
  async setHidden(hidden: boolean): Promise<void> {
    await this.page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  }

  async answered(): Promise<void> {
    await eventually(() => this.pending === 0, 'the last answer');
  }

  assertQuiet(): void {
    assert.deepEqual(this.complaints, []);
    assert.equal(this.maxPending, 1, 'one question at a time');
  }
}
