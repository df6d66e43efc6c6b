import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parseMemberNew, type MemberRecord } from '#accounts';
import type { OidcConfig } from '#config';
import { startOidcProvider, type OidcAnswer, type OidcProvider } from '#world';
import { openAdmin, type OpenAdmin } from './open-admin.fixture.ts';

const PUBLIC_URL = 'https://gw.example';

let provider: OidcProvider;
let admin: OpenAdmin;

before(async () => {
  provider = await startOidcProvider();
});
after(() => provider.close());
beforeEach(() => provider.answer({}));

async function opened(changes: Partial<OidcConfig> = {}): Promise<OpenAdmin> {
  const { issuer, clientId, clientSecret } = provider;
  const oidc: OidcConfig = {
    issuer,
    clientId,
    clientSecret,
    publicUrl: PUBLIC_URL,
    name: 'Example',
    scopes: ['openid', 'email', 'profile'],
    allowedDomains: ['example.com'],
    requireVerifiedEmail: true,
    provision: true,
    defaultRole: 'viewer',
    roles: null,
    teams: null,
    ...changes,
  };
  return openAdmin(undefined, { oidc });
}

type Visit = { readonly status: number; readonly location: string; readonly cookies: ReadonlyMap<string, string> };

/** A browser on the way: the cookies it has, what it is sent to. */
async function visit(url: string, cookies: ReadonlyMap<string, string> = new Map()): Promise<Visit> {
  const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
  const answer = await admin.app.inject({ url, headers: { host: 'gw.example', cookie } });
  const given = answer.cookies.map(({ name, value }): [string, string] => [name, value]);
  return {
    status: answer.statusCode,
    location: answer.headers.location ?? '',
    // A cookie that is emptied is gone.
    cookies: new Map([...new Map([...cookies, ...given])].filter(([, value]) => value !== '')),
  };
}

async function toProvider(next = '/ui/overview'): Promise<Visit & { readonly back: string }> {
  const begun = await visit(`/ui/oidc?next=${encodeURIComponent(next)}`);
  const signedIn = await fetch(begun.location, { redirect: 'manual' });
  const back = new URL(signedIn.headers.get('location') ?? '');
  assert.equal(back.origin, PUBLIC_URL);
  return { ...begun, back: `${back.pathname}${back.search}` };
}

async function signIn(answer: OidcAnswer = {}): Promise<Visit> {
  provider.answer(answer);
  const { back, cookies } = await toProvider();
  return visit(back, cookies);
}

async function memberOf({ cookies }: Visit): Promise<MemberRecord | null | undefined> {
  return (await admin.accounts.findUiSession(cookies.get('apportion_session') ?? ''))?.member;
}

describe('signing in at a provider', () => {
  before(async () => {
    admin = await opened();
  });
  after(() => admin.close());

  test('the browser is sent there with PKCE, state and nonce, and comes back to a session of its own', async () => {
    const { location, cookies, back } = await toProvider('/ui/requests?from=7d');
    const sent = new URL(location).searchParams;
    assert.equal(sent.get('redirect_uri'), `${PUBLIC_URL}/ui/oidc/callback`);
    assert.equal(sent.get('code_challenge_method'), 'S256');
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok((sent.get(name)?.length ?? 0) >= 43, name);
    const arrived = await visit(back, cookies);
    assert.deepEqual([arrived.status, arrived.location], [303, '/ui/requests?from=7d']);
    assert.ok(!arrived.cookies.has('apportion_oidc'), 'what was kept for the way is gone');
    const member = await memberOf(arrived);
    assert.deepEqual(
      [member?.email, member?.name, member?.role, member?.teams, member?.createdBy],
      ['ada@example.com', 'Ada', 'viewer', [], 'oidc'],
    );
    const [{ actor, action } = { actor: '', action: '' }] = (
      await admin.accounts.audit.list({ limit: 1, cursor: null })
    ).records;
    assert.deepEqual([actor, action], ['oidc', 'member.create']);
  });

  test('the same person is the same member, with another session each time; the one of before ends', async () => {
    const [first, second] = [await signIn(), await signIn()];
    assert.equal((await memberOf(first))?.id, (await memberOf(second))?.id);
    const sessionOf = ({ cookies }: Visit): string => cookies.get('apportion_session') ?? '';
    assert.notEqual(sessionOf(first), sessionOf(second));
    provider.answer({});
    const begun = await toProvider();
    const third = await visit(begun.back, new Map([...first.cookies, ...begun.cookies]));
    assert.notEqual(sessionOf(third), sessionOf(first));
    assert.equal(await admin.accounts.findUiSession(sessionOf(first)), undefined);
  });

  test('an answer that does not fit opens nothing, whatever is wrong with it', async () => {
    const past = Math.floor(Date.now() / 1000) - 3600;
    const wrong: readonly (readonly [string, OidcAnswer])[] = [
      ['another nonce', { claims: { nonce: 'of-another-sign-in' } }],
      ['no nonce', { claims: { nonce: undefined } }],
      ['another audience', { claims: { aud: 'somebody-else' } }],
      ['another issuer', { claims: { iss: 'https://evil.example' } }],
      ['an expired token', { claims: { iat: past, exp: past + 300 } }],
      ['another key', { forged: true }],
      ['another state', { state: 'of-another-sign-in' }],
    ];
    for (const [what, answer] of wrong) {
      const { location, cookies } = await signIn(answer);
      assert.deepEqual([what, location], [what, '/ui/sign-in?problem=provider_failed']);
      assert.ok(!cookies.has('apportion_session'), what);
    }
  });

  test('an answer without the browser that asked, or a second time, opens nothing', async () => {
    const { back, cookies } = await toProvider();
    assert.equal((await visit(back)).location, '/ui/sign-in?problem=too_late');
    const made = new Map([['apportion_oidc', 'bm90LXNlYWxlZC1ieS10aGlzLXNlcnZlci1hdC1hbGw']]);
    assert.equal((await visit(back, made)).location, '/ui/sign-in?problem=too_late');
    const other = await toProvider();
    assert.equal((await visit(back, other.cookies)).location, '/ui/sign-in?problem=provider_failed');
    assert.equal((await visit(back, cookies)).location, '/ui/overview');
    assert.equal((await visit(back, cookies)).location, '/ui/sign-in?problem=provider_failed');
  });

  test('it leads back into the dashboard only', async () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/ui//evil.example',
      '/v1/me',
      '',
    ]) {
      provider.answer({});
      const { back, cookies } = await toProvider(next);
      assert.equal((await visit(back, cookies)).location, '/ui/overview', next);
    }
  });

  test('who has no right to come is told why, and nobody is made a member', async () => {
    const known = (await admin.accounts.members.list()).length;
    const refused: readonly (readonly [OidcAnswer['claims'] & object, string])[] = [
      [{ email: 'eve@example.org' }, 'unknown_domain'],
      [{ email: 'eve@sub.example.com' }, 'unknown_domain'],
      [{ email: 'eve@example.com@example.org' }, 'unknown_domain'],
      [{ email_verified: false }, 'unverified_email'],
      [{ email_verified: undefined }, 'unverified_email'],
      [{ email_verified: 'true' }, 'unverified_email'],
      [{ email: undefined }, 'no_email'],
      [{ sub: 'another-subject' }, 'other_person'],
    ];
    for (const [claims, problem] of refused) {
      const { location, cookies } = await signIn({ claims });
      assert.equal(location, `/ui/sign-in?problem=${problem}`);
      assert.ok(!cookies.has('apportion_session'));
    }
    assert.equal((await admin.accounts.members.list()).length, known);
  });

  test('somebody who was disabled or removed does not come back by it', async () => {
    const member = await memberOf(await signIn());
    assert.ok(member !== null && member !== undefined);
    const update = { name: undefined, role: undefined, teams: undefined };
    await admin.accounts.members.update(member.id, { ...update, disabled: true }, 'test');
    assert.equal((await signIn()).location, '/ui/sign-in?problem=disabled');
    await admin.accounts.members.update(member.id, { ...update, disabled: false }, 'test');
    assert.equal((await memberOf(await signIn()))?.id, member.id);
  });

  test('the page of the sign-in is told that it is there', async () => {
    const answer = await admin.app.inject({ url: '/ui/session' });
    assert.deepEqual(answer.json().oidc, { name: 'Example' });
  });
});

describe('what the provider says somebody may do', () => {
  const MAPPED: Partial<OidcConfig> = {
    roles: { claim: 'realm_access.roles', values: { 'ap-admins': 'admin', 'ap-leads': 'team_lead' } },
    teams: { claim: 'groups', values: { 'Growth (EU)': 'growth' } },
    defaultRole: null,
  };
  before(async () => {
    admin = await opened(MAPPED);
  });
  after(() => admin.close());

  const lead = { realm_access: { roles: ['ap-leads', 'unknown'] }, groups: ['Growth (EU)', 'Others'] };

  test('a team lead leads the teams of the claim, and sees their money only', async () => {
    const arrived = await signIn({ claims: lead });
    const member = await memberOf(arrived);
    assert.deepEqual([member?.role, member?.teams], ['team_lead', ['growth']]);
    const cookie = `apportion_session=${arrived.cookies.get('apportion_session')}`;
    const me = await admin.app.inject({ url: '/v1/me', headers: { cookie } });
    assert.deepEqual([me.json().role, me.json().teams], ['team_lead', ['growth']]);
  });

  test('the strongest of several roles holds, and the next sign-in takes it away again', async () => {
    const both = { ...lead, realm_access: { roles: ['ap-leads', 'ap-admins'] } };
    assert.equal((await memberOf(await signIn({ claims: both })))?.role, 'admin');
    assert.equal((await memberOf(await signIn({ claims: lead })))?.role, 'team_lead');
    const [{ actor, action } = { actor: '', action: '' }] = (
      await admin.accounts.audit.list({ limit: 1, cursor: null })
    ).records;
    assert.deepEqual([actor, action], ['oidc', 'member.update']);
  });

  test('who has none of the roles is refused, a member too', async () => {
    assert.equal((await signIn({ claims: {} })).location, '/ui/sign-in?problem=no_role');
    const names = { realm_access: { roles: ['__proto__', 'constructor', 'toString'] } };
    assert.equal((await signIn({ claims: names })).location, '/ui/sign-in?problem=no_role');
  });
});

describe('without provisioning', () => {
  before(async () => {
    admin = await opened({ provision: false });
  });
  after(() => admin.close());

  test('who was invited comes in as what they were invited as, and nobody else does', async () => {
    assert.equal((await signIn()).location, '/ui/sign-in?problem=not_invited');
    await admin.accounts.members.create(parseMemberNew({ email: 'ADA@example.com', role: 'finance' }), 'test');
    const member = await memberOf(await signIn());
    assert.deepEqual([member?.role, member?.email], ['finance', 'ADA@example.com']);
  });
});

test('without a provider there is nothing to sign in at, and one that is down is told so', async () => {
  admin = await openAdmin();
  assert.equal((await visit('/ui/oidc')).status, 404);
  assert.equal((await visit('/ui/oidc/callback?code=x')).status, 404);
  await admin.close();
  admin = await opened({ issuer: 'http://127.0.0.1:1' });
  assert.equal((await visit('/ui/oidc')).location, '/ui/sign-in?problem=provider_failed');
  await admin.close();
});
