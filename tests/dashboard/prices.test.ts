import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { makeCall, planCalls, startWorld, type World } from '#world';
import { launchBrowser, NO_BROWSER, openPage, signIn } from './browser.ts';

const MODEL = 'house-model';
const BILLED = { snapshot: MODEL, input: 2_000_000n, cached: 2_000_000n, output: 8_000_000n, reasons: false };
const INPUT = { amount: '2', per: 1_000_000 };
const PRICE = {
  id: 'house-price',
  provider: 'openai',
  model: MODEL,
  effective_from: '2020-01-01',
  source: 'https://example.com/prices',
  checked: '2026-01-01',
  rates: { input: INPUT, cache_read: INPUT, output_text: { amount: '8', per: 1_000_000 } },
};
const MARKUP = { id: 'house-markup', model: MODEL, markup: '0.5', effective_from: '2020-01-01' };

describe('the page of prices', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let world: World;

  before(async () => {
    // One after the other: a world that does not start must not leave a browser running.
    world = await startWorld({ models: { [MODEL]: BILLED } });
    browser = await launchBrowser();
    for (const plan of planCalls({ count: 3, seed: 7 })) {
      const target = { url: world.gateway.url, key: world.gateway.adminKey };
      const outcome = await makeCall({ ...plan, model: `openai/${MODEL}` }, target);
      assert.equal(outcome.error, '');
    }
  });

  after(async () => {
    await browser.close();
    await world.close();
  });

  async function say(path: string, body: object): Promise<void> {
    const { url, adminKey } = world.gateway;
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, await answer.text());
  }

  const reprice = async (page: Page): Promise<void> => page.getByRole('button', { name: 'Reprice…' }).click();

  test('calls without a price are priced from it, and the ledger shows what was recorded', async () => {
    const { page, complaints, close } = await openPage(browser);
    await signIn(page, world.gateway, '/ui/prices');
    await page.getByRole('heading', { name: 'Called without a price' }).waitFor();
    await reprice(page);
    await page.getByText('There is still no price for it').waitFor();
    await say('/v1/prices', PRICE);
    await say('/v1/markups', MARKUP);
    await page.getByRole('button', { name: 'Close' }).click();
    await reprice(page);
    await page.getByText(/^3 calls would be priced: \$0 becomes \$0\.\d+/).waitFor();
    const record = page.getByRole('button', { name: 'Record corrections' });
    assert.equal(await record.isDisabled(), true);
    await page.getByLabel('Reason').fill('the house price was missing');
    await record.click();
    await page.getByText(/^house-model: 3 corrections recorded, \$0 becomes/).waitFor();
    await page.getByRole('button', { name: 'Reprice…' }).waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'Model' }).fill(MODEL);
    const row = page.getByRole('row', { name: /house-model/ });
    assert.match(await row.innerText(), /\$2\.00 \/ 1M\s+\$8\.00 \/ 1M\s+\$2\.00 \/ 1M/);
    assert.equal(await row.getByRole('link').getAttribute('href'), PRICE.source);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a repriced call shows its correction, and the amounts a markup sets apart', async () => {
    const { page, complaints, close } = await openPage(browser);
    await signIn(page, world.gateway, `/ui/overview?model=${MODEL}`);
    await page.getByText(/at list prices, \$\S+ cost, \$\S+ billed\.$/).waitFor();
    await page.goto(`${world.gateway.url}/ui/requests?cost_state=exact`);
    await page
      .getByRole('button', { name: /^Open the request of/ })
      .first()
      .click();
    const drawer = page.getByRole('dialog', { name: 'Request' });
    await drawer.getByText('repriced: was unpriced, is exact').waitFor();
    await drawer.getByText('what is charged on').waitFor();
    await drawer.getByText(MARKUP.id).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a name nobody knows has no price, and nothing is wider than a small screen', async () => {
    const { page, close } = await openPage(browser, { width: 390, height: 844 });
    await signIn(page, world.gateway, '/ui/prices');
    await page.getByRole('table', { name: 'Prices in force' }).waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), 0);
    await page.getByRole('textbox', { name: 'Model' }).fill('no-such-model');
    await page.getByText('No price is known for no-such-model.').waitFor();
    await close();
  });

  test('on a small screen the link to the present page is in view, be it the last of them', async () => {
    const { page, close } = await openPage(browser, { width: 390, height: 844 });
    await signIn(page, world.gateway, '/ui/members');
    await page.getByRole('heading', { name: 'Members', exact: true }).waitFor();
    const edge = "document.querySelector('nav a[aria-current=page]')?.getBoundingClientRect().right";
    await page.waitForFunction(`${edge} <= 390`, null, { timeout: 60_000 });
    await close();
  });
});
