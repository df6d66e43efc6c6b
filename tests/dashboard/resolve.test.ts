import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { makeCall, planCalls, startWorld, until, type World } from '#world';
import { keyFigure, launchBrowser, NO_BROWSER, openPage, signIn } from './browser.ts';

const VISIBLE_MS = 10_000;

/** A call whose answer was lost, as people find it and put an end to the doubt. */
describe('a call in doubt', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let world: World;

  before(async () => {
    world = await startWorld();
    browser = await launchBrowser();
    const target = { url: world.gateway.url, key: world.gateway.adminKey };
    for (const plan of planCalls({ count: 1, seed: 3, behaviour: { fault: 'reset_before_headers' } })) {
      assert.notEqual((await makeCall(plan, target)).error, '');
    }
    await until('the call to be in doubt', VISIBLE_MS, async () => ((await inDoubt()) === 1 ? true : undefined));
  });

  after(async () => {
    await browser.close();
    await world.close();
  });

  /** Undefined while nobody answers reports yet. */
  async function inDoubt(): Promise<number | undefined> {
    const { url, adminKey } = world.gateway;
    const answer = await fetch(`${url}/v1/in-doubt`, { headers: { authorization: `Bearer ${adminKey}` } });
    const list: { readonly summary?: { readonly calls: number } } = JSON.parse(await answer.text());
    return list.summary?.calls;
  }

  test('is found from the overview, and costs what is stated in its drawer from then on', async () => {
    const { page, complaints, close } = await openPage(browser);
    await signIn(page, world.gateway, '/ui/overview');
    const notice = page.getByRole('listitem').filter({ hasText: '1 call in doubt' });
    await notice.getByRole('link', { name: 'See them' }).click();
    await page.waitForURL(/\/ui\/requests\?cost_state=in_doubt$/);
    await page.getByRole('button', { name: /^Open the request of/ }).click();
    const drawer = page.getByRole('dialog', { name: 'Request' });
    const record = drawer.getByRole('button', { name: 'Record cost' });
    assert.equal(await record.isDisabled(), true);
    await drawer.getByLabel('Cost in USD').fill('a lot');
    await drawer.getByLabel('Reason').fill('invoice 40112');
    assert.equal(await record.isDisabled(), true);
    await drawer.getByLabel('Cost in USD').fill('0.0123');
    await record.click();
    await drawer.getByText('somebody stated the cost').waitFor();
    await drawer.getByText('cost stated: was in doubt, is reported').waitFor();
    assert.equal(await record.count(), 0);
    await page.goto(`${world.gateway.url}/ui/overview`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('$0.0123').first().waitFor();
    assert.equal(await keyFigure(page, 'Spend'), '$0.0123');
    assert.equal(await page.getByText('in doubt').count(), 0);
    assert.deepEqual(complaints, []);
    await close();
  });
});
