import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { DashboardTarget } from './canned-gateway.ts';

const CHROMIUM = '/usr/bin/chromium';

/** Why no browser test can run here, or `false` when they can. */
export const NO_BROWSER: string | false = existsSync(CHROMIUM) ? false : `there is no ${CHROMIUM}`;

const WAIT_MS = 15_000;

export function launchBrowser(): Promise<Browser> {
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

export type OpenedPage = {
  readonly page: Page;
  /** What the page complained about: console errors, exceptions, content the policy refused. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

export type PageOptions = {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: 'dark';
  /** The moment the browser's clock stands still at; its timers go on. */
  readonly now?: string;
};

export async function openPage(browser: Browser, options: PageOptions = {}): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.dark ?? 'light',
    timezoneId: 'Europe/Berlin',
    locale: 'en-US',
  });
  context.setDefaultTimeout(WAIT_MS);
  if (options.now !== undefined) await context.clock.setFixedTime(options.now);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', (response) => {
    // The console says only that there was one.
    if (response.status() >= 500) complaints.push(`${response.status()} ${response.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}

/** Signs in as a person does, and lands on the page asked for. Works against any gateway. */
export async function signIn(page: Page, target: DashboardTarget, path: string): Promise<void> {
  await page.goto(target.url + path);
  await page.getByLabel('Admin key').fill(target.adminKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  // By selector: a drawer that opens with the page hides the rest from the accessibility tree.
  await page.locator('nav[aria-label=Pages]').waitFor();
}

/**
 * An empty ledger's page, from its snippet to the first call and on to the figures. Works against any gateway whose
 * ledger is empty. @param makeCall makes the first call
 * @returns the words that announced it
 */
export async function seeFirstCall(
  page: Page,
  target: DashboardTarget,
  makeCall: () => Promise<void>,
): Promise<string> {
  await signIn(page, target, '/');
  await page.getByRole('heading', { name: 'Make the first call' }).waitFor();
  await page.getByText(`${target.url}/v1/chat/completions`).waitFor();
  await page.getByText('Waiting for the first call…').waitFor();
  await makeCall();
  const words = await page.getByText(/^First call received:/).innerText();
  await page.getByRole('button', { name: 'Open the overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return words;
}

/** A figure of the overview by its name. */
export async function keyFigure(page: Page, name: string): Promise<string> {
  const figure = page.locator('dl > div').filter({ has: page.locator('dt', { hasText: name }) });
  return figure.locator('dd > span').first().innerText();
}
