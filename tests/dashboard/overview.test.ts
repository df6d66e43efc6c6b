import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { parseUsd, sumUsd } from '#terms';
import {
  keyFigure,
  launchBrowser,
  NO_BROWSER,
  openPage,
  seeFirstCall,
  signIn,
  type OpenedPage,
  type PageOptions,
} from './browser.ts';
import { startCannedGateway, type CannedGateway } from './canned-gateway.ts';
import { monthOfCalls, NOW, sandboxCall } from './canned-ledger.ts';

describe('the overview', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let gateway: CannedGateway;

  before(async () => {
    [browser, gateway] = await Promise.all([launchBrowser(), startCannedGateway(monthOfCalls())]);
  });

  after(async () => {
    await browser.close();
    await gateway.close();
  });

  async function overview(search: string, options: PageOptions = {}): Promise<OpenedPage> {
    const opened = await openPage(browser, { now: NOW, ...options });
    await signIn(opened.page, gateway, `/ui/overview${search}`);
    await opened.page.getByRole('table', { name: /^Spend by/ }).waitFor();
    return opened;
  }

  test('a wrong key is told so, the right one opens the page that was asked for', async () => {
    const { page, close } = await openPage(browser, { now: NOW });
    await page.goto(`${gateway.url}/ui/overview?by=tags.feature&range=30d`);
    await page.getByLabel('Admin key').fill('sk-ap-wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This is not the admin key.').waitFor();
    await page.getByLabel('Admin key').fill(gateway.adminKey);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Spend by feature' }).waitFor();
    assert.equal(new URL(page.url()).search, '?by=tags.feature&range=30d');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${gateway.url}/ui/requests`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await close();
  });

  test('the figures of a filter are exact, and nothing is said about sandbox or doubt where there is none', async () => {
    const { page, complaints, close } = await overview('?tags=customer/acme');
    assert.equal(await keyFigure(page, 'Spend'), '$54.20');
    assert.equal(await keyFigure(page, 'Requests'), '128');
    assert.equal(await keyFigure(page, 'Cost per 1k requests'), '$423.44');
    assert.equal(await keyFigure(page, 'Without model'), '0%');
    assert.equal(await page.getByText('play money').count(), 0);
    assert.equal(await page.getByText('in doubt').count(), 0);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('what a total would hide stands beside it', async () => {
    const { page, close } = await overview('');
    const notices = page.getByRole('list', { name: 'What to know about this total' });
    assert.deepEqual(await notices.getByRole('listitem').allInnerTexts(), [
      '1 call in doubt, at most $0.128 at risk. Not part of spend. See them',
      '1 unpriced call: no price is known, so spend leaves it out. See prices',
    ]);
    const unpriced = page.getByRole('row', { name: /llama-4-70b/ });
    assert.match(await unpriced.innerText(), /1 unpriced\s+–/);
    await close();
  });

  test('a click on a row filters the page, and its chip takes the filter away again', async () => {
    const { page, close } = await overview('?by=tags.feature');
    await page.getByRole('button', { name: 'Filter by chatbot' }).click();
    await page.getByText('1 filter', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).search, '?by=tags.feature&tags=feature:chatbot');
    await page.getByRole('button', { name: 'Remove filter: request_tags contains feature:chatbot' }).click();
    await page.waitForURL(`${gateway.url}/ui/overview?by=tags.feature`);
    await page.getByRole('button', { name: 'Filter by (untagged)' }).click();
    await page.getByRole('button', { name: 'Remove filter: request_tags contains feature:(untagged)' }).waitFor();
    assert.equal(await page.getByRole('table', { name: 'Spend by feature' }).locator('tbody tr').count(), 1);
    await close();
  });

  test('the dimension is picked by keyboard from every tag key seen', async () => {
    const { page, complaints, close } = await overview('');
    await page.getByRole('button', { name: 'Break down by' }).press('Enter');
    await page.keyboard.type('fea');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Spend by feature' }).waitFor();
    await page.getByRole('list', { name: 'Legend' }).getByText('(untagged)').waitFor();
    await page.getByRole('list', { name: 'Legend' }).getByText('(other)').waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('E7: arrow keys go through the chart, whose parts sum to the total of their day', async () => {
    const { page, close } = await overview('?by=tags.feature');
    const chart = page.getByLabel(/^Spend over time by feature/);
    await chart.focus();
    for (const key of ['End', 'ArrowLeft']) await page.keyboard.press(key);
    const tooltip = page.locator('[data-tooltip]');
    await tooltip.getByText('Mon, Nov 16, 2026').waitFor();
    const amounts = Array.from((await tooltip.innerText()).matchAll(/\$([\d.]+)/g), ([, amount = '']) =>
      parseUsd(amount),
    );
    const [total, ...parts] = amounts.filter((amount) => amount !== undefined);
    assert.equal(sumUsd(parts), total);
    assert.equal(parts.length > 2, true);
    await close();
  });

  test('rows are sorted by a column, and the address says so', async () => {
    const { page, close } = await overview('?by=tags.feature&range=30d');
    await page.getByRole('button', { name: 'Requests', exact: true }).click();
    await page.waitForURL(/sort=requests/);
    const counts = await page.locator('tbody tr td:nth-child(4)').allInnerTexts();
    const numbers = counts.map((count) => Number(count.replaceAll(',', '')));
    assert.deepEqual(
      numbers,
      numbers.toSorted((left, right) => right - left),
    );
    await close();
  });

  test('paths are a tree that opens level by level, and its rows are said to overlap', async () => {
    const { page, complaints, close } = await overview('?by=path');
    await page
      .getByText('A call may carry several of these, so the rows overlap. The total counts each call once.')
      .waitFor();
    assert.equal(await page.getByRole('row', { name: /California/ }).count(), 0);
    await page.getByRole('button', { name: 'What is below US', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'What is below US/California' }).click();
    await page.getByRole('button', { name: 'Filter by US/California/San Francisco' }).waitFor();
    const costs = await Promise.all(
      ['US', 'US/California', 'US/New York'].map(async (node) => {
        const button = page.getByRole('button', { name: `Filter by ${node}`, exact: true });
        const cell = page.getByRole('row').filter({ has: button }).locator('td').nth(1);
        const exact = await cell.getByText('$').getAttribute('title');
        return parseUsd(exact?.slice(1) ?? '');
      }),
    );
    const [whole, ...parts] = costs.filter((cost) => cost !== undefined);
    assert.equal(whole, sumUsd(parts));
    await page.getByRole('button', { name: 'What is below US', exact: true }).click();
    await page.getByRole('button', { name: 'Filter by US/California', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'What is below US', exact: true }).click();
    await page.getByRole('button', { name: 'Filter by US/California', exact: true }).click();
    await page.waitForURL(`${gateway.url}/ui/overview?by=path&tags=US/California`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('period and time zone are in the address and stay when the page changes', async () => {
    const { page, close } = await overview('');
    await page.getByRole('button', { name: 'Period' }).click();
    await page.getByRole('button', { name: 'Month to date' }).click();
    await page.getByRole('button', { name: 'Time zone' }).click();
    await page
      .getByRole('option', { name: /^Europe\/Berlin/ })
      .first()
      .click();
    await page.waitForURL(`${gateway.url}/ui/overview?range=mtd&tz=Europe/Berlin`);
    await page.getByText('Up to date as of 11:00:00').waitFor();
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.waitForURL(`${gateway.url}/ui/requests?range=mtd&tz=Europe/Berlin`);
    await close();
  });

  test('a ledger that does not answer is said so, and Retry brings the figures', async () => {
    const { page, close } = await openPage(browser, { now: NOW });
    gateway.breakAnalytics('broken');
    await signIn(page, gateway, '/ui/overview');
    await page.getByRole('alert').getByText('The ledger is restarting.').waitFor();
    gateway.breakAnalytics('mended');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('table', { name: 'Spend by model' }).waitFor();
    await close();
  });

  test('no part of the page is wider than a small screen', async () => {
    const { page, close } = await overview('?by=tags.feature&tags=env:production', {
      width: 390,
      height: 844,
      dark: 'dark',
    });
    assert.equal(await overflowOf(page), 0);
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'light');
    await close();
  });

  test('an empty ledger waits for its first call and lights up when it comes', async () => {
    const empty = await startCannedGateway([]);
    const { page, complaints, close } = await openPage(browser, { now: NOW });
    const words = await seeFirstCall(page, empty, async () => empty.record(sandboxCall(Date.parse(NOW) - 1000)));
    assert.equal(words, 'First call received: $0.0000215');
    await page.getByRole('table', { name: 'Spend by model' }).waitFor();
    assert.equal(await keyFigure(page, 'Spend'), '$0.0000215');
    const notices = page.getByRole('list', { name: 'What to know about this total' });
    assert.equal(await notices.innerText(), 'sandbox: play money $0.0000215 of spend is not real.');
    assert.deepEqual(complaints, []);
    await close();
    await empty.close();
  });
});

async function overflowOf(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
}
