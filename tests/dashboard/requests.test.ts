import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { formatUsd, parseUsd, sumUsd } from '#terms';
import { launchBrowser, NO_BROWSER, openPage, signIn, type OpenedPage, type PageOptions } from './browser.ts';
import { startCannedGateway, type CannedGateway } from './canned-gateway.ts';
import { monthOfCalls, NOW, sandboxCall } from './canned-ledger.ts';

describe('the request list', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let gateway: CannedGateway;

  before(async () => {
    [browser, gateway] = await Promise.all([launchBrowser(), startCannedGateway(monthOfCalls())]);
  });

  after(async () => {
    await browser.close();
    await gateway.close();
  });

  async function requests(search: string, options: PageOptions = {}): Promise<OpenedPage> {
    const opened = await openPage(browser, { now: NOW, ...options });
    await signIn(opened.page, gateway, `/ui/requests${search}`);
    await opened.page.locator('table', { hasText: 'Requests, newest first' }).waitFor();
    return opened;
  }

  test('a filter by tag shows its words, its calls, and what they cost together', async () => {
    const { page, complaints, close } = await requests('');
    await page.getByLabel('Add a filter by tag').fill('customer/acme');
    await page.keyboard.press('Enter');
    const filters = page.getByRole('region', { name: 'Filters' });
    await filters.getByText('1 filter', { exact: true }).waitFor();
    assert.match(await filters.getByRole('listitem').innerText(), /^request_tags\s+contains\s+customer\/acme$/);
    await page.getByText('128 requests matched, $54.20 attributed').waitFor();
    assert.equal(new URL(page.url()).search, '?tags=customer/acme');
    const rows = page.locator('tbody tr');
    assert.equal(await rows.count(), 50);
    assert.match(
      await rows.first().innerText(),
      /^09:59:00\s+gpt-4o-mini\s+customer\/acme\s+feature\/summary\s+beta\s.*exact\s+\$0\.42$/s,
    );
    await page.getByRole('button', { name: 'Older', exact: true }).click();
    await page.getByText('51–100 of 128').waitFor();
    await page.getByText('128 requests matched, $54.20 attributed').waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('several tags typed at once are several filters, each of which can go', async () => {
    const { page, close } = await requests('?range=30d');
    await page.getByLabel('Add a filter by tag').fill('env:production, beta');
    await page.keyboard.press('Enter');
    await page.getByText('2 filters', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).search, '?range=30d&tags=env:production,beta');
    await page.getByRole('button', { name: 'Remove filter: request_tags contains env:production' }).click();
    await page.waitForURL(`${gateway.url}/ui/requests?range=30d&tags=beta`);
    await page.getByRole('button', { name: 'Filter by customer/acme' }).first().click();
    await page.waitForURL(`${gateway.url}/ui/requests?range=30d&tags=beta,customer/acme`);
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.waitForURL(`${gateway.url}/ui/requests?range=30d`);
    await close();
  });

  test('a drawer shows every charge line, which sum to the cost, and has an address of its own', async () => {
    const { page, complaints, close } = await requests('');
    const row = page.getByRole('row', { name: /feature:/ }).first();
    await row.getByRole('button', { name: /^Open the request of/ }).press('Enter');
    const drawer = page.getByRole('dialog', { name: 'Request' });
    const cells = drawer.locator('table tbody tr td:last-child');
    await cells.first().waitFor();
    const lines = (await cells.allInnerTexts()).map((amount) => parseUsd(amount.slice(1)));
    const total = await drawer.locator('tfoot td:last-child').innerText();
    assert.equal(`$${formatUsd(sumUsd(lines.filter((amount) => amount !== undefined)))}`, total);
    assert.equal(lines.length, 2);
    await drawer.getByText('declared by the caller').first().waitFor();
    await drawer.getByText('"prompt_tokens"').waitFor();
    const address = page.url();
    assert.match(address, /\?call=call_019e[0-9a-f]+\.1\.attempt\.0$/);
    await page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'detached' });
    await page.goto(address);
    await page.getByRole('dialog', { name: 'Request' }).getByText(total).first().waitFor();
    await page.getByRole('button', { name: 'Older request' }).click();
    await page.waitForURL((url) => url.href !== address);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a call without a price has no cost, and one in doubt says what is at risk', async () => {
    const { page, close } = await requests('?model=llama-4-70b');
    await page.getByText('1 request matched, $0.00 attributed').waitFor();
    assert.match(await page.locator('tbody tr').innerText(), /unpriced\s+–$/);
    await page.goto(`${gateway.url}/ui/requests?status=interrupted`);
    await page.getByText('1 in doubt, at most $0.128').waitFor();
    await page.getByRole('button', { name: /^Open the request of/ }).click();
    await page.getByRole('dialog').getByText('At most $0.128 is at risk.').waitFor();
    await close();
  });

  test('a new call appears by itself, marked as play money', async () => {
    const { page, close } = await requests('?range=today');
    gateway.record(sandboxCall(Date.parse(NOW) - 1));
    const newest = page.locator('tbody tr').first();
    await newest.getByText('sandbox-mini').waitFor();
    await newest.getByText('sandbox', { exact: true }).waitFor();
    await newest.getByText('$0.0000215').waitFor();
    await page.locator('footer').getByText('sandbox: play money').waitFor();
    await close();
  });

  test('a call of which there is no trace is said so', async () => {
    const { page, close } = await requests('?call=call_nowhere');
    await page.getByRole('dialog').getByText('This request could not be read').waitFor();
    await close();
  });

  test('a call whose detail is no longer kept stands in the list with its cost, and does not open', async () => {
    const { page, complaints, close } = await openPage(browser, { now: NOW });
    await page.route('**/v1/events?*', async (route) => {
      const response = await route.fetch();
      const list: { data: object[] } = await response.json();
      const data = list.data.map((event, at) => (at === 1 ? { ...event, id: null, entry_id: null } : event));
      const detail_kept = { from: '2026-11-16T00:00:00.000Z', days: 1 };
      await route.fulfill({ response, json: { ...list, data, detail_kept } });
    });
    await signIn(page, gateway, '/ui/requests');
    await page.getByText('Details are kept for 1 day').waitFor();
    const [kept, old] = [page.locator('tbody tr').first(), page.locator('tbody tr').nth(1)];
    assert.ok(await old.getByRole('button', { name: /^Open the request of/ }).isDisabled());
    assert.match(await old.innerText(), /\$\d/);
    await old.click();
    assert.equal(new URL(page.url()).searchParams.get('call'), null);
    await kept.click();
    await page.getByRole('dialog', { name: 'Request' }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a tap on a row opens it on a small screen, and nothing is wider than the screen', async () => {
    const { page, close } = await requests('?tags=customer/acme', { width: 390, height: 844 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0);
    await page.locator('tbody tr').nth(1).click();
    await page.getByRole('dialog', { name: 'Request' }).getByText('$1.08').first().waitFor();
    await close();
  });

  test('E15: a page asks the server at most ten times, however many rows it shows', async () => {
    const { page, close } = await requests('');
    const asked: string[] = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/v1/')) asked.push(request.url());
    });
    for (const [path, table] of [
      ['/ui/requests', /^Requests, newest first/],
      ['/ui/overview', /^Spend by/],
    ] as const) {
      asked.length = 0;
      await page.goto(gateway.url + path);
      await page.locator('table', { hasText: table }).waitFor();
      await page.waitForLoadState('networkidle');
      assert.ok(asked.length > 0 && asked.length <= 10, asked.join('\n'));
    }
    await close();
  });
});
