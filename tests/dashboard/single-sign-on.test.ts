import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startGateway, startOidcProvider } from '#world';
import { launchBrowser, NO_BROWSER, openPage } from './browser.ts';

test('somebody signs in at the provider of the house, and who may not is told why', { skip: NO_BROWSER }, async (t) => {
  const provider = await startOidcProvider();
  t.after(() => provider.close());
  const config = (url: string) => ({
    oidc: {
      issuer: provider.issuer,
      client_id: provider.clientId,
      client_secret_env: 'LOGIN_SECRET',
      public_url: url,
      name: 'Example',
      allowed_domains: ['example.com'],
    },
  });
  const [gateway, browser] = await Promise.all([
    startGateway({ config, env: { LOGIN_SECRET: provider.clientSecret } }),
    launchBrowser(),
  ]);
  t.after(async () => {
    await browser.close();
    await gateway.close();
  });
  const { page, complaints } = await openPage(browser);
  provider.answer({ claims: { email: 'eve@example.org' } });
  await page.goto(`${gateway.url}/ui/tags`);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByText('of a domain that may not sign in here').waitFor();
  provider.answer({});
  await page.goto(`${gateway.url}/ui/tags`);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.locator('nav[aria-label=Pages]').waitFor();
  assert.equal(new URL(page.url()).pathname, '/ui/tags');
  const cookies = await page.context().cookies();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
    [['apportion_session', true, 'Strict']],
  );
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in with Example' }).waitFor();
  assert.deepEqual(complaints, []);
  assert.ok(!gateway.output().includes(provider.clientSecret), 'the log does not have the secret');
  const [asked] = provider.tokenRequests;
  assert.ok(!gateway.output().includes(asked?.get('code') ?? 'a code'), 'nor a code');
});
