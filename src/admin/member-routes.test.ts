import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseMemberNew } from '#accounts';
import type { Role } from '#terms';
import { openAdmin, type OpenAdmin } from './open-admin.fixture.ts';

const PASSWORD = 'correct horse battery';
const SITE = { host: 'gw.example', origin: 'https://gw.example' };

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin();
});
after(() => admin.close());

async function invited(email: string, role: Role): Promise<{ id: string; token: string }> {
  const { members } = admin.accounts;
  const { id } = await members.create(parseMemberNew({ email, role }), 'test');
  return { id, token: (await members.makeLink(id, 'test')).token };
}

async function cookieOf(id: string): Promise<Record<string, string>> {
  const { token } = await admin.accounts.createUiSession(await admin.accounts.members.infoOf(id));
  return { cookie: `apportion_session=${token}`, ...SITE };
}

test('only an owner makes, changes, links, signs out or removes owners', async () => {
  const owner = await invited('owner@example.com', 'owner');
  const viewer = await invited('viewer@example.com', 'viewer');
  const { id } = await invited('admin@example.com', 'admin');
  for (const [method, url, payload] of [
    ['POST', '/v1/members', { email: 'x@example.com', role: 'owner' }],
    ['PATCH', `/v1/members/${viewer.id}`, { role: 'owner' }],
    ['PATCH', `/v1/members/${id}`, { role: 'owner' }],
    ['PATCH', `/v1/members/${owner.id}`, { role: 'viewer' }],
    ['POST', `/v1/members/${owner.id}/link`, {}],
    ['DELETE', `/v1/members/${owner.id}/sessions`, {}],
    ['DELETE', `/v1/members/${owner.id}`, {}],
  ] as const) {
    const as = async (who: string): Promise<number> =>
      (await admin.app.inject({ method, url, payload, headers: await cookieOf(who) })).statusCode;
    assert.equal(await as(id), 403, `${method} ${url} as admin`);
  }
  const change = { method: 'PATCH', url: `/v1/members/${viewer.id}`, payload: { role: 'finance' } } as const;
  assert.equal((await admin.app.inject({ ...change, headers: await cookieOf(id) })).statusCode, 200);
});

test('an invitation and a password begin a session of their own, whatever cookie came along', async () => {
  const { id, token } = await invited('ada@example.com', 'team_lead');
  const planted = { ...SITE, cookie: 'apportion_session=planted' };
  for (const [url, payload] of [
    ['/ui/invitation', { token, password: PASSWORD }],
    ['/ui/session', { email: 'ada@example.com', password: PASSWORD }],
  ] as const) {
    const answer = await admin.app.inject({ method: 'POST', url, payload, headers: planted });
    const [cookie] = answer.cookies;
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.value === 'planted'], [true, 'Strict', false]);
    const me = await admin.app.inject({ url: '/v1/me', headers: { cookie: `apportion_session=${cookie?.value}` } });
    assert.partialDeepStrictEqual(me.json(), { id, role: 'team_lead', teams: [] });
  }
  assert.equal((await admin.app.inject({ url: '/v1/me', headers: planted })).statusCode, 401);
});

test('a wrong password, nobody and one attempt too many get one answer, byte for byte', async () => {
  const { token } = await invited('eve@example.com', 'viewer');
  await admin.accounts.members.takeLink({ token, password: PASSWORD });
  const answerTo = async (email: string, password: string): Promise<string> => {
    const answer = await admin.app.inject({ method: 'POST', url: '/ui/session', payload: { email, password } });
    return `${answer.statusCode} ${answer.body}`;
  };
  const wrong = await answerTo('eve@example.com', 'wrong horse battery');
  assert.equal(await answerTo('nobody@example.com', PASSWORD), wrong);
  for (let time = 0; time < 5; time += 1) assert.equal(await answerTo('eve@example.com', 'wrong horse battery'), wrong);
  assert.equal(await answerTo('eve@example.com', PASSWORD), wrong);
  assert.match(wrong, /^401 /);
});

test('every change of keys and teams is in the audit log with who did it', async () => {
  const { id } = await invited('auditor@example.com', 'admin');
  const headers = await cookieOf(id);
  const changes: readonly (readonly [string, object, string])[] = [
    ['/key/generate', { key_alias: 'audited' }, 'key.generate'],
    ['/key/update', { key: 'audited', models: ['gpt-4o'] }, 'key.update'],
    ['/key/regenerate', { key: 'audited', grace_period: '1h' }, 'key.regenerate'],
    ['/key/audited/regenerate', {}, 'key.regenerate'],
    ['/key/block', { key: 'audited' }, 'key.block'],
    ['/key/unblock', { key: 'audited' }, 'key.unblock'],
    ['/key/delete', { key_aliases: ['audited'] }, 'key.delete'],
    ['/team/new', { team_id: 'audited' }, 'team.create'],
    ['/team/update', { team_id: 'audited', team_alias: 'x' }, 'team.update'],
    ['/team/block', { team_id: 'audited' }, 'team.block'],
    ['/team/unblock', { team_id: 'audited' }, 'team.unblock'],
    ['/team/delete', { team_ids: ['audited'] }, 'team.delete'],
  ];
  for (const [url, payload, action] of changes) {
    assert.equal((await admin.app.inject({ method: 'POST', url, payload, headers })).statusCode, 200, url);
    const { records } = await admin.accounts.audit.list({ limit: 1, cursor: null });
    assert.partialDeepStrictEqual(records, [{ actor: id, action }]);
    assert.ok(!JSON.stringify(records).includes('sk-ap-'));
  }
});
