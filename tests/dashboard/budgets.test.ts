import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startGateway, type Gateway } from '#world';
import { launchBrowser, NO_BROWSER, openPage, signIn } from './browser.ts';

type Json = Readonly<Record<string, unknown>>;

describe('budgets of a real gateway', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  let gateway: Gateway;

  before(async () => {
    gateway = await startGateway();
    browser = await launchBrowser();
  });

  after(async () => {
    await browser.close();
    await gateway.close();
  });

  async function post(path: string, body: object, key = gateway.adminKey): Promise<Json> {
    const answer = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    const answered: Json = JSON.parse(await answer.text());
    return answered;
  }

  async function callOf(customer: string, key?: string): Promise<void> {
    const messages = [{ role: 'user', content: 'Hello' }];
    await post('/v1/chat/completions', { model: 'sandbox-mini', messages, tags: { customer } }, key);
  }

  test('a budget for each customer is made, filled, looked into, raised, changed and deleted', async () => {
    const { page, complaints, close } = await openPage(browser);
    await signIn(page, gateway, '/ui/budgets');
    await page.getByText('None yet: nothing holds spending back').waitFor();
    await page.getByText('None: calls come as fast as they like').waitFor();
    await screenshot(page, 'budgets-empty');
    await page.getByRole('button', { name: 'New budget' }).click();
    const form = page.getByRole('form', { name: 'New budget' });
    await form.getByLabel('Condition 1', { exact: true }).selectOption('tags');
    await form.getByLabel('Tag of condition 1').fill('customer');
    await form.getByLabel('Values of condition 1').selectOption('each');
    await form.getByLabel('Limit in US dollars').fill('-1');
    await form.getByLabel('Name').fill('Every customer');
    await screenshot(page, 'budgets-form');
    await form.getByLabel('Limit in US dollars').fill('0.001');
    await form.getByRole('button', { name: 'Make the budget' }).click();
    await page.getByText('each customer: $0.001 a month, then refused').waitFor();
    await page.getByText('Nothing spent in this window yet.').waitFor();

    const { key } = await post('/key/generate', {
      key_alias: 'ci',
      max_budget: 25,
      budget_duration: '1d',
      rpm_limit: 60,
    });
    await post('/team/new', { team_id: 'growth', max_budget: 3, max_parallel_requests: 2 });
    await post('/key/generate', { key_alias: 'web', team_id: 'growth', user_id: 'ann', models: ['sandbox-mini'] });
    await post('/team/new', { team_id: 'idle' });
    await post('/key/generate', {
      key_alias: 'held',
      allowed_routes: ['/v1/chat/completions'],
      allowed_ips: ['10.0.0.0/8'],
      expires: '2099-01-02T12:00:00Z',
    });
    await post('/key/block', { key: 'held' });
    const caller = await post('/key/generate', { key_alias: 'caller' });
    await callOf('initech', String(caller['key']));
    await post('/v1/budgets', {
      scope: { 'key.id': 'caller' },
      name: 'From 2098',
      limit_usd: '1',
      window: 'day',
      effective_from: '2098-01-01T12:00:00Z',
    });
    await post('/v1/budgets', { name: 'Everything', limit_usd: '0.00005', window: 'day', mode: 'observe' });
    for (const customer of ['acme', 'acme', 'globex']) await callOf(customer, String(key));
    await page.reload();
    await page.getByRole('button', { name: 'Instances of Every customer' }).click();
    const row = page.getByRole('listitem').filter({ hasText: 'acme' }).last();
    await row.waitFor();
    await page.getByRole('meter', { name: 'Every customer: acme' }).waitFor();
    const meter = page.getByRole('meter', { name: 'Everything' });
    assert.equal(await meter.getAttribute('value'), '100');
    await page.getByText('of a key').first().waitFor();
    await page.getByText('key caller: $1.00 a day, then refused').waitFor();
    await page.getByText('In force from Jan 1, 2098, 12:00.').waitFor();
    await page.getByText('60 requests a minute').waitFor();
    await screenshot(page, 'budgets');
    await page.getByRole('link', { name: 'Keys', exact: true }).click();
    await page.getByRole('heading', { name: 'Keys and teams' }).waitFor();
    const keyRow = page.getByRole('row', { name: /^ci / });
    await keyRow.getByRole('meter', { name: 'Budget of ci' }).waitFor();
    assert.match(await keyRow.innerText(), /60 requests a minute[^]*of \$25\.00 a day/);
    const growth = page.getByRole('region', { name: 'growth' });
    await growth.getByRole('meter', { name: 'Budget of growth' }).waitFor();
    await growth.getByText('2 at once').waitFor();
    const held = page.getByRole('row').filter({ hasText: 'held' });
    const words = ['blocked', 'on /chat/completions', 'from 10.0.0.0/8', 'Jan 2, 2099', 'never'];
    for (const text of words) await held.getByText(text, { exact: true }).waitFor();
    await page.getByText('It has no keys yet.').waitFor();
    const called = page.getByRole('row').filter({ hasText: 'caller' });
    await called.getByText(/^\$0\.0000/).waitFor();
    await screenshot(page, 'keys');
    await page.getByRole('link', { name: 'Budgets', exact: true }).click();
    await page.getByRole('button', { name: 'Instances of Every customer' }).click();
    await page.getByLabel('Find an instance of Every customer').fill('globex');
    await page.getByRole('meter', { name: 'Every customer: globex' }).waitFor();
    await page.getByRole('meter', { name: 'Every customer: acme' }).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Raise Every customer' }).click();
    const raise = page.getByRole('form', { name: 'Raise Every customer' });
    await raise.getByLabel('Raise by US dollars').fill('5');
    await raise.getByLabel('Reason').fill('launch day');
    await raise.getByRole('button', { name: 'Raise' }).click();
    await page.getByText('raised by $5.00').waitFor();
    await page.getByRole('button', { name: 'End the raise of Every customer' }).click();
    await page.getByText('raised by $5.00').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Change Every customer' }).click();
    const change = page.getByRole('form', { name: 'Change Every customer' });
    assert.equal(await change.getByLabel('Tag of condition 1').inputValue(), 'customer');
    await change.getByLabel('Limit in US dollars').fill('7');
    await change.getByRole('button', { name: 'Save' }).click();
    await page.getByText('each customer: $7.00 a month, then refused').waitFor();
    await page.getByRole('button', { name: 'Delete Every customer' }).click();
    await page.getByRole('button', { name: 'Really delete Every customer' }).click();
    await page.getByText('each customer: $7.00 a month').waitFor({ state: 'detached' });
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a limit is made and deleted; what is wrong with one is said where it is made', async () => {
    const { page, close } = await openPage(browser, { dark: 'dark' });
    await signIn(page, gateway, '/ui/budgets');
    await page.getByRole('button', { name: 'New limit' }).click();
    const form = page.getByRole('form', { name: 'New limit' });
    await form.getByLabel('At most').fill('1.5');
    await form.getByRole('button', { name: 'Make the limit' }).click();
    await form.getByRole('alert').filter({ hasText: 'a whole number of requests' }).waitFor();
    await form.getByLabel('At most').fill('1200');
    await form.getByLabel('Name').fill('Each key');
    await form.getByRole('button', { name: 'Make the limit' }).click();
    await page.getByText('1,200 requests a minute').waitFor();
    await screenshot(page, 'budgets-dark');
    await page.getByRole('button', { name: 'Delete Each key' }).click();
    await page.getByText('1,200 requests a minute').waitFor({ state: 'detached' });
    await close();
  });

  test('a team lead sees the budgets of their team only, and makes one for it', async () => {
    await post('/v1/budgets', {
      name: 'Growth in all',
      scope: { 'key.team': 'growth' },
      limit_usd: '5',
      window: 'total',
    });
    await post('/v1/budgets', {
      name: 'Search in all',
      scope: { 'key.team': 'search' },
      limit_usd: '5',
      window: 'total',
    });
    const { link } = await post('/v1/members', { email: 'lead@example.com', role: 'team_lead', teams: ['growth'] });
    const path = typeof link === 'object' && link !== null && 'path' in link ? String(link.path) : '';
    const { page, close } = await openPage(browser, { width: 400, height: 800 });
    await page.goto(gateway.url + path);
    await page.getByLabel('New password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Set the password and sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.goto(`${gateway.url}/ui/budgets`);
    await page.getByText('Growth in all').waitFor();
    assert.equal(await page.getByText('Search in all').count(), 0);
    await page.getByRole('button', { name: 'New budget' }).click();
    const form = page.getByRole('form', { name: 'New budget' });
    await form.getByLabel('Limit in US dollars').fill('1');
    await form.getByRole('button', { name: 'Make the budget' }).click();
    await form.getByRole('alert').filter({ hasText: 'their own team' }).waitFor();
    await form.getByLabel('Condition 1', { exact: true }).selectOption('key.team');
    await form.getByLabel('Value of condition 1').fill('growth');
    await form.getByRole('button', { name: 'Make the budget' }).click();
    await page.getByText('team growth: $1.00 a month').waitFor();
    await screenshot(page, 'budgets-narrow');
    await close();
  });
});

/** For eyes: where `SCREENSHOTS` says. */
async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
