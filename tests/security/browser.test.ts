import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startGateway, startUpstream, type Gateway, type Upstream } from '#world';
import { launchBrowser, NO_BROWSER, openPage } from '../dashboard/browser.ts';

const EVIL = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script>';
const PASSWORD = 'several words that do not belong';

let upstream: Upstream;
let gateway: Gateway;

before(async () => {
  const evilModel = { snapshot: 'gpt-4o-mini', input: 1n, cached: 1n, output: 1n, reasons: false };
  upstream = await startUpstream({ models: { [EVIL]: evilModel } });
  gateway = await startGateway({ upstream });
});
after(async () => {
  await gateway.close();
  await upstream.close();
});

type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

async function send(path: string, body: object | null, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(gateway.url + path, {
    method: body === null ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  const read: unknown = isJson ? JSON.parse(text) : {};
  const fields = typeof read === 'object' && read !== null ? Object.fromEntries(Object.entries(read)) : {};
  return { status: answer.status, body: fields, headers: answer.headers };
}

const asAdmin = (): Record<string, string> => ({ authorization: `Bearer ${gateway.adminKey}` });

function cookieOf({ headers }: Answer): string {
  return headers.get('set-cookie') ?? '';
}

const tokenOf = (cookie: string): string => /apportion_session=([^;]*)/.exec(cookie)?.[1] ?? '';

describe('sessions', () => {
  const byKey = () => send('/ui/session', { key: gateway.adminKey });

  test('the cookie is out of reach of scripts and other sites, and secure where the page is', async () => {
    const plain = cookieOf(await byKey());
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=43200'])
      assert.ok(plain.includes(attribute), plain);
    const behindTls = await send('/ui/session', { key: gateway.adminKey }, { 'x-forwarded-proto': 'https' });
    assert.ok(cookieOf(behindTls).includes('Secure'));
  });

  test('a session that somebody planted is not taken over, and every sign-in ends the one before', async () => {
    const planted = await send('/ui/session', { key: gateway.adminKey }, { cookie: 'apportion_session=planted' });
    assert.notEqual(tokenOf(cookieOf(planted)), 'planted');
    const first = tokenOf(cookieOf(planted));
    const again = await send('/ui/session', { key: gateway.adminKey }, { cookie: `apportion_session=${first}` });
    assert.notEqual(tokenOf(cookieOf(again)), first);
    assert.equal((await send('/v1/me', null, { cookie: `apportion_session=${first}` })).status, 401);
    assert.equal((await send('/v1/me', null, { cookie: 'apportion_session=planted' })).status, 401);
  });

  test('a cookie changes nothing from another origin, and nothing without one', async () => {
    const cookie = `apportion_session=${tokenOf(cookieOf(await byKey()))}`;
    const { host } = new URL(gateway.url);
    for (const origin of ['https://evil.example', 'null', `http://evil.${host}`, `http://${host}.evil.example`, '']) {
      const { status } = await send('/key/generate', {}, { cookie, ...(origin === '' ? {} : { origin }) });
      assert.equal(status, 403, origin);
    }
    assert.equal((await send('/key/generate', {}, { cookie, origin: gateway.url })).status, 200);
    // A form of another site sends no JSON; what it can send is not read.
    const form = await fetch(`${gateway.url}/key/generate`, {
      method: 'POST',
      headers: { cookie, origin: gateway.url, 'content-type': 'text/plain' },
      body: '{}',
    });
    assert.equal(form.status, 400);
  });

  test('who guesses passwords is stopped, and the right one is then no use either', async () => {
    const made = await send('/v1/members', { email: 'ada@example.com', role: 'viewer' }, asAdmin());
    const { token } = Object.fromEntries(Object.entries(made.body['link'] ?? {}));
    assert.equal((await send('/ui/invitation', { token, password: PASSWORD })).status, 200);
    assert.equal((await send('/ui/invitation', { token, password: PASSWORD })).status, 401, 'a link works once');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const forged = { 'x-forwarded-for': `203.0.113.${attempt}` };
      assert.equal(
        (await send('/ui/session', { email: 'ada@example.com', password: 'a wrong one' }, forged)).status,
        401,
      );
    }
    assert.equal((await send('/ui/session', { email: 'ada@example.com', password: PASSWORD })).status, 401);
    const unknown = await send('/ui/session', { email: 'nobody@example.com', password: 'a wrong one' });
    const known = await send('/ui/session', { email: 'ada@example.com', password: 'a wrong one' });
    assert.deepEqual(unknown.body, known.body);
  });
});

test('answers of the administration are never cached, and the page may load only its own files and be framed by nobody', async () => {
  for (const path of ['/v1/me', '/key/list', '/v1/audit', '/v1/analytics/costs', '/ui/session', '/nothing']) {
    const { headers } = await send(path, null, asAdmin());
    assert.equal(headers.get('cache-control'), 'no-store', path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
  }
  const { headers } = await send('/ui/overview', null);
  const policy = headers.get('content-security-policy') ?? '';
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ])
    assert.ok(policy.includes(rule), policy);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe|\*/);
  assert.deepEqual(
    ['x-frame-options', 'x-content-type-options', 'referrer-policy'].map((name) => headers.get(name)),
    ['DENY', 'nosniff', 'same-origin'],
  );
  assert.equal(headers.get('access-control-allow-origin'), null);
});

test('tags, models, names and addresses that are HTML are shown as what they are', { skip: NO_BROWSER }, async (t) => {
  const made = await send('/key/generate', { key_alias: EVIL, team_id: EVIL.slice(0, 60) }, asAdmin());
  assert.equal(made.status, 200, JSON.stringify(made.body));
  await send('/v1/members', { email: 'eve@example.com', name: EVIL, role: 'viewer' }, asAdmin());
  const call = {
    model: EVIL,
    max_completion_tokens: 5,
    messages: [{ role: 'user', content: 'hi' }],
    session_id: EVIL,
    request_tags: [`feature:${EVIL}`, EVIL],
    entity_type: 'customer',
    entity_id: EVIL,
  };
  const key = { authorization: `Bearer ${String(made.body['key'])}` };
  for (const model of [EVIL, 'gpt-4o-mini']) {
    const answer = await send('/v1/chat/completions', { ...call, model }, key);
    assert.ok([200, 404].includes(answer.status), `${model}: ${JSON.stringify(answer.body)}`);
  }
  const browser = await launchBrowser();
  t.after(() => browser.close());
  const { page, complaints } = await openPage(browser);
  page.on('dialog', () => assert.fail('a dialog opened'));
  const session = tokenOf(cookieOf(await send('/ui/session', { key: gateway.adminKey })));
  await page.context().addCookies([{ name: 'apportion_session', value: session, url: gateway.url }]);
  const evil = encodeURIComponent(EVIL);
  const pages = [
    '/ui/overview',
    '/ui/requests',
    '/ui/sessions',
    '/ui/tags',
    '/ui/tags/feature',
    '/ui/members',
    '/ui/prices',
    `/ui/sessions/${evil}`,
    `/ui/overview?group=tags.feature&tags=${evil}`,
    `/ui/${evil}`,
  ];
  for (const path of pages) {
    await page.goto(gateway.url + path);
    await page.waitForLoadState('networkidle');
    assert.notEqual(await page.title(), 'owned', path);
    assert.equal(await page.locator('img[src="x"]').count(), 0, path);
  }
  await page.goto(`${gateway.url}/ui/sign-in?problem=${evil}&next=javascript:document.title='owned'`);
  assert.equal(await page.locator('img[src="x"]').count(), 0);
  const refused = complaints.filter((complaint) => /Content Security Policy/i.test(complaint));
  assert.deepEqual(refused, [], 'nothing even tried');
});
