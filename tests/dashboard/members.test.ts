import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startGateway, type Gateway } from '#world';
import { keyFigure, launchBrowser, NO_BROWSER, openPage, signIn } from './browser.ts';

const EMAIL = 'ada@example.com';
const PASSWORD = 'correct horse battery';

describe('members of a real gateway', { skip: NO_BROWSER }, () => {
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

  async function post(path: string, body: object, key = gateway.adminKey): Promise<Record<string, unknown>> {
    const answer = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    const answered: Record<string, unknown> = JSON.parse(await answer.text());
    return answered;
  }

  async function callAs(team_id: string): Promise<void> {
    const { key } = await post('/key/generate', { team_id });
    const message = { role: 'user', content: 'Hello' };
    await post('/v1/chat/completions', { model: 'sandbox-mini', messages: [message] }, String(key));
  }

  test('who is invited chooses a password, sees their team’s money only, and is out when disabled', async () => {
    await callAs('growth');
    await callAs('search');
    const owner = await openPage(browser);
    await signIn(owner.page, gateway, '/ui/members');
    const invitation = owner.page.getByRole('form', { name: 'Invite somebody' });
    await invitation.getByLabel('E-mail').fill(EMAIL);
    await invitation.getByLabel('Role').selectOption('team_lead');
    await invitation.getByLabel('Teams').fill('growth');
    await invitation.getByRole('button', { name: 'Invite' }).click();
    const link = await owner.page.getByRole('status').locator('code').innerText();
    await owner.page.getByText('invited', { exact: true }).waitFor();
    await screenshot(owner.page, 'members');

    const invited = await openPage(browser);
    await invited.page.goto(link);
    await invited.page.getByLabel('New password').fill(PASSWORD);
    await invited.page.getByRole('button', { name: 'Set the password and sign in' }).click();
    await invited.page.getByRole('heading', { name: 'Overview' }).waitFor();
    await invited.page.locator('dl > div').first().waitFor();
    assert.equal(await keyFigure(invited.page, 'Requests'), '1');
    const pages = invited.page.locator('nav[aria-label=Pages] a');
    assert.deepEqual(await pages.allInnerTexts(), ['Overview', 'Requests', 'Sessions', 'Tags', 'Keys', 'Budgets']);
    await invited.page.goto(`${gateway.url}/ui/members`);
    await invited.page.getByRole('heading', { name: 'Overview' }).waitFor();
    await invited.page.getByRole('button', { name: 'Sign out' }).click();
    await invited.page.getByLabel('E-mail').fill(EMAIL.toUpperCase());
    await invited.page.getByLabel('Password').fill('wrong horse battery');
    await invited.page.getByRole('button', { name: 'Sign in' }).click();
    await invited.page.getByRole('alert').waitFor();
    await screenshot(invited.page, 'sign-in');
    await invited.page.getByLabel('Password').fill(PASSWORD);
    await invited.page.getByRole('button', { name: 'Sign in' }).click();
    await invited.page.getByRole('heading', { name: 'Overview' }).waitFor();

    await owner.page.getByRole('button', { name: `Disable ${EMAIL}` }).click();
    await owner.page.getByText('disabled', { exact: true }).waitFor();
    await invited.page.goto(`${gateway.url}/ui/overview`);
    await invited.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    // The refused password, as browsers report every 401.
    assert.deepEqual(
      [...owner.complaints, ...invited.complaints].filter((words) => !words.includes('401')),
      [],
    );
    await owner.close();
    await invited.close();
  });

  test('a read token is shown once, reads reports, and is revoked', async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${gateway.url}/ui/members`);
    await page.getByRole('button', { name: 'Use the admin key' }).click();
    await page.getByLabel('Admin key').fill(gateway.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const form = page.getByRole('form', { name: 'Make a read token' });
    await form.getByLabel('Name of the token').fill('nightly report');
    await form.getByLabel('Teams of the token').fill('growth');
    await form.getByRole('button', { name: 'Make a token' }).click();
    const token = await page.getByRole('status').locator('code').innerText();
    const me = (): Promise<Response> =>
      fetch(`${gateway.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await me()).status, 200);
    await page.getByRole('button', { name: 'Revoke nightly report' }).click();
    await page.getByText('revoked', { exact: true }).waitFor();
    assert.equal((await me()).status, 401);
    await close();
  });

  test('no page is wider than a small screen; what does not fit scrolls where it stands', async () => {
    await post('/key/generate', { key_alias: 'wide', max_budget: 1, allowed_ips: ['10.0.0.0/8', '2001:db8::/32'] });
    await post('/v1/members', { email: 'wide@example.com', role: 'viewer', teams: ['growth'] });
    const { page, close } = await openPage(browser, { width: 390, height: 844 });
    await page.goto(`${gateway.url}/ui/sign-in`);
    await page.getByRole('button', { name: 'Use the admin key' }).click();
    await page.getByLabel('Admin key').fill(gateway.adminKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('nav[aria-label=Pages]').waitFor();
    for (const [path, words] of WORDS_OF_PAGES) {
      await page.goto(gateway.url + path);
      await page.getByText(words).first().waitFor();
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, path);
    }
    await close();
  });
});

/** What stands on a page once its figures do. */
const WORDS_OF_PAGES = [
  ['/ui/overview', 'Cost per 1k requests'],
  ['/ui/requests', /requests? matched/],
  ['/ui/sessions', 'No sessions in this period'],
  ['/ui/tags', 'Tagged spend'],
  ['/ui/prices', 'claude-opus-4-5'],
  ['/ui/keys', 'from 10.0.0.0/8'],
  ['/ui/budgets', 'key wide'],
  ['/ui/alerts', 'Nothing was sent yet.'],
  ['/ui/members', 'wide@example.com'],
] as const;

/** For eyes: where `SCREENSHOTS` says. */
async function screenshot(page: Awaited<ReturnType<typeof openPage>>['page'], name: string): Promise<void> {
  const folder = process.env['SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}
