import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, describeConfig, loadConfig } from './index.ts';

const LEAST = {
  issuer: 'https://login.example.com',
  client_id: 'apportion',
  public_url: 'https://gw.example.com/',
  allowed_domains: ['Example.com'],
};

function load(oidc: unknown, env: Record<string, string> = {}) {
  return loadConfig({ env: { APPORTION_CONFIG: 'a.json', ...env }, readFile: () => JSON.stringify({ oidc }) });
}

function problemsOf(oidc: unknown): readonly string[] {
  try {
    load(oidc);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map(({ setting, what, fix }) => `${setting}: ${what}. ${fix}`);
  }
  return [];
}

test('the least that is stated makes a provider that lets in viewers of one domain with a verified address', () => {
  assert.deepEqual(load(LEAST).oidc, {
    issuer: 'https://login.example.com',
    clientId: 'apportion',
    clientSecret: null,
    publicUrl: 'https://gw.example.com',
    name: 'login.example.com',
    scopes: ['openid', 'email', 'profile'],
    allowedDomains: ['example.com'],
    requireVerifiedEmail: true,
    provision: true,
    defaultRole: 'viewer',
    roles: null,
    teams: null,
  });
});

test('the secret comes from the environment, and no description shows it', () => {
  const config = load(
    { ...LEAST, client_secret_env: 'LOGIN_SECRET', default_role: null },
    { LOGIN_SECRET: 'hidden-word' },
  );
  assert.equal(config.oidc?.clientSecret, 'hidden-word');
  assert.equal(config.oidc.defaultRole, null);
  assert.ok(!JSON.stringify(describeConfig(config)).includes('hidden-word'));
});

test('what cannot be is told with its place', () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ issuer: 'http://login.example.com' }, /oidc\.issuer.*an https address/],
    [{ public_url: 'ftp://x' }, /oidc\.public_url.*an https address/],
    [{ allowed_domains: [] }, /oidc\.allowed_domains.*at least one domain/],
    [{ allowed_domains: ['nonsense'] }, /oidc\.allowed_domains\[0\].*a domain/],
    [{ default_role: 'root' }, /oidc\.default_role.*one of owner, admin/],
    [{ roles: { x: 'admin' } }, /oidc\.roles.*State "role_claim"/],
    [{ role_claim: 'groups' }, /oidc\.role_claim.*State "roles"/],
    [{ teams: { x: 'y' } }, /oidc\.teams.*State "team_claim"/],
    [{ client_secret: 'a', client_secret_env: 'B' }, /client_secret is set too/],
    [{ client_secret_env: 'NOT_THERE' }, /the environment has no NOT_THERE/],
    [{ isuer: 'x' }, /unknown key.*"issuer"/],
  ];
  for (const [change, problem] of wrong) assert.match(problemsOf({ ...LEAST, ...change }).join('\n'), problem);
  assert.match(problemsOf('x').join('\n'), /an object/);
});
