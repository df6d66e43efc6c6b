import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, type Gateway } from '#world';
import { keyFigure, launchBrowser, NO_BROWSER, openPage, seeFirstCall } from './browser.ts';

const CALL = {
  model: 'sandbox-mini',
  messages: [{ role: 'user', content: 'Hello' }],
  tags: { feature: 'chatbot' },
  request_tags: ['customer/acme'],
};

test(
  'the dashboard of a real gateway shows its first call with the cost the answer named',
  { skip: NO_BROWSER },
  async (t) => {
    const [gateway, browser] = await Promise.all([startGateway(), launchBrowser()]);
    t.after(async () => {
      await browser.close();
      await gateway.close();
    });
    const { page, complaints } = await openPage(browser);
    let cost: string | null = null;
    const words = await seeFirstCall(page, gateway, async () => {
      cost = await call(gateway);
    });
    assert.equal(words, `First call received: $${cost}`);
    assert.equal(await keyFigure(page, 'Spend'), `$${cost}`);
    await page.goto(`${gateway.url}/ui/requests?tags=customer/acme`);
    await page.getByText(`1 request matched, $${cost} attributed`).waitFor();
    await page.getByRole('button', { name: /^Open the request of/ }).click();
    await page.getByRole('dialog').getByText('declared by the caller').waitFor();
    assert.equal(await page.getByRole('dialog').locator('tfoot td').last().innerText(), `$${cost}`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(complaints, []);
  },
);

/** @returns the cost as the answer's header gives it */
async function call(gateway: Gateway): Promise<string | null> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(CALL),
  });
  assert.equal(response.status, 200, await response.text());
  return response.headers.get('x-apportion-cost');
}
