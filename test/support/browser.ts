/** A real browser: Debian's Chromium, headless, with a profile of its own. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './programs.ts';

export type { Browser, Page } from 'playwright-core';

/** It makes no connections of its own: machines that run tests may have no network. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

export function launchBrowser(): Promise<Browser> {
  const executablePath = findProgram('chromium');
  if (!executablePath) throw new Error('chromium is not installed');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet] });
}

/** Renews a picture of the documentation, when `HIVE_PICTURES=1` asks for it; pictures differ between machines. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env.HIVE_PICTURES !== '1') return;
  const path = fileURLToPath(new URL(`../../docs/images/${name}`, import.meta.url));
  mkdirSync(dirname(path), { recursive: true });
  await page.screenshot({ path });
}
