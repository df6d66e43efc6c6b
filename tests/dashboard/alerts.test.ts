import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startGateway, until, type Gateway } from '#world';
import { launchBrowser, NO_BROWSER, openPage, signIn } from './browser.ts';

/** A rule is looked at when it is made and when the minute is full, and the machine may be busy. */
const NEXT_MINUTE_MS = 90_000;

describe('alerts of a real gateway', { skip: NO_BROWSER }, () => {
  const received: unknown[] = [];
  const receiver = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push(JSON.parse(Buffer.concat(parts).toString()));
      response.end('thanks');
    });
  });
  let address: string;
  let browser: Browser;
  let gateway: Gateway;

  before(async () => {
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    gateway = await startGateway({ env: { APPORTION_ALERTS_ALLOWED_HOSTS: '127.0.0.1' } });
    // The ledger process comes after the gateway, on a busy machine long after.
    await until('the ledger process', NEXT_MINUTE_MS, async () =>
      (await fetch(`${gateway.url}/ui/session`)).ok ? true : undefined,
    );
    browser = await launchBrowser();
  });

  after(async () => {
    await browser.close();
    await gateway.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  async function makeRule(page: Page): Promise<void> {
    const form = page.getByRole('form', { name: 'Make a rule' });
    await form.getByLabel('Name of the rule').fill('Each customer, each day');
    await form.getByLabel('Limit in $').fill('0.000000001');
    await form.getByLabel('For each').fill('tags.customer');
    await form.getByLabel('Channel').selectOption({ label: 'ops hook' });
    await form.getByRole('button', { name: 'Make the rule' }).click();
    await page.getByText('Spend over: $0.000000001, in a day, for each customer').waitFor();
  }

  test('a channel is made and tested, a rule is made, and what it finds is told and listed', async () => {
    const { page, complaints, close } = await openPage(browser);
    page.setDefaultTimeout(NEXT_MINUTE_MS);
    await signIn(page, gateway, '/ui/alerts');
    await page.getByText('No rules yet').waitFor();
    const form = page.getByRole('form', { name: 'Make a channel' });
    await form.getByLabel('Name of the channel').fill('ops hook');
    await form.getByLabel('Address', { exact: true }).fill(address);
    await form.getByRole('button', { name: 'Make the channel' }).click();
    assert.match(await page.getByRole('status').locator('code').innerText(), /^whsec_/);
    await page.getByRole('button', { name: 'Test: ops hook' }).click();
    await page.getByText('It arrived (200)').waitFor();
    assert.partialDeepStrictEqual(received, [{ type: 'alert.test' }]);
    await spend(gateway);
    await makeRule(page);
    await page.getByText(/^acme: \$[\d.]+ in this day, more than/).waitFor();
    await page.getByText('firing to ops hook').waitFor();
    await page.getByText('1 attempt; answer: 200 thanks').nth(1).waitFor();
    assert.partialDeepStrictEqual(received[1], { type: 'alert.firing', data: { value: 'acme' } });
    await screenshot(page, 'alerts');
    await page.getByRole('button', { name: 'Mute for a day: Each customer, each day' }).click();
    await page.getByText(/^muted until/).waitFor();
    await page.getByRole('button', { name: 'Delete: ops hook' }).click();
    await page.getByText('sends to this channel').waitFor();
    await page.getByRole('button', { name: 'Delete: Each customer, each day' }).click();
    await page.getByText('No rules yet').waitFor();
    await page.getByText('nothing fires').waitFor();
    // The refusal to delete a channel in use, as browsers report every 409.
    assert.deepEqual(
      complaints.filter((words) => !words.includes('409')),
      [],
    );
    await close();
  });
});

async function spend(gateway: Gateway): Promise<void> {
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'sandbox-mini',
      messages: [{ role: 'user', content: 'Hello' }],
      tags: { customer: 'acme' },
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** For eyes: where `SCREENSHOTS` says. */
async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
