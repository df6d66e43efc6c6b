import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { type Clock, type TimestampMs } from '#std';
import { openAccounts, type Accounts } from '../accounts.ts';
import { parseMemberNew, parseMemberUpdate } from './member-request.ts';

const PASSWORD = 'correct horse battery';
const ADA = { email: 'Ada@Example.com', role: 'team_lead', teams: ['growth'] };
const AT_HOME = { password: PASSWORD, address: '192.0.2.1' };

function movedClock(): Clock & { advance(ms: number): void } {
  let now = 1_700_000_000_000;
  return { now: () => now as TimestampMs, elapsedMs: () => now, advance: (ms) => void (now += ms) };
}

async function open(context: TestContext): Promise<{ accounts: Accounts; clock: ReturnType<typeof movedClock> }> {
  const clock = movedClock();
  const accounts = await openAccounts({ file: ':memory:', clock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  return { accounts, clock };
}

async function ada({ members }: Accounts): Promise<string> {
  const { id } = await members.create(parseMemberNew(ADA), 'admin_key');
  const { token } = await members.makeLink(id, 'admin_key');
  await members.takeLink({ token, password: PASSWORD });
  return id;
}

test('an invitation sets a password once, and the e-mail in any case signs in with it', async (context) => {
  const { accounts } = await open(context);
  const { members } = accounts;
  const { id } = await members.create(parseMemberNew(ADA), 'admin_key');
  const first = await members.makeLink(id, 'admin_key');
  const { token } = await members.makeLink(id, 'admin_key');
  await assert.rejects(members.takeLink({ token: first.token, password: PASSWORD }), { code: 'invalid_key' });
  await assert.rejects(members.takeLink({ token, password: 'short' }), { param: 'password' });
  assert.equal(await members.signIn({ ...AT_HOME, email: ADA.email }), undefined);
  assert.equal((await members.takeLink({ token, password: PASSWORD })).id, id);
  await assert.rejects(members.takeLink({ token, password: PASSWORD }), { code: 'invalid_key' });
  assert.equal((await members.signIn({ ...AT_HOME, email: ' ada@example.COM' }))?.id, id);
  assert.equal(await members.signIn({ ...AT_HOME, email: ADA.email, password: `${PASSWORD} ` }), undefined);
  assert.equal(await members.signIn({ ...AT_HOME, email: 'nobody@example.com' }), undefined);
});

test('a link is over after three days', async (context) => {
  const { accounts, clock } = await open(context);
  const { id } = await accounts.members.create(parseMemberNew(ADA), 'admin_key');
  const { token } = await accounts.members.makeLink(id, 'admin_key');
  clock.advance(72 * 3_600_000);
  await assert.rejects(accounts.members.takeLink({ token, password: PASSWORD }), { code: 'invalid_key' });
});

test('after five wrong passwords not even the right one opens, until a quarter of an hour is over', async (context) => {
  const { accounts, clock } = await open(context);
  const { members } = accounts;
  const id = await ada(accounts);
  const wrong = { email: ADA.email, password: 'wrong horse battery', address: AT_HOME.address };
  // All at once: an attempt counts before it is judged.
  assert.deepEqual(
    await Promise.all(Array.from({ length: 6 }, () => members.signIn(wrong))),
    Array.from({ length: 6 }, () => undefined),
  );
  assert.equal(await members.signIn({ ...AT_HOME, email: ADA.email }), undefined);
  assert.equal((await members.signIn({ ...AT_HOME, email: ADA.email, address: '192.0.2.2' }))?.id, id);
  clock.advance(15 * 60_000);
  for (let time = 0; time < 7; time += 1)
    assert.equal((await members.signIn({ ...AT_HOME, email: ADA.email }))?.id, id);
});

test('whoever is disabled or deleted is out at once, with all sessions and links', async (context) => {
  const { accounts } = await open(context);
  const { members } = accounts;
  const id = await ada(accounts);
  const session = await accounts.createUiSession(await members.infoOf(id));
  const { token } = await members.makeLink(id, 'admin_key');
  assert.equal((await accounts.findUiSession(session.token))?.member?.id, id);
  await members.update(id, parseMemberUpdate({ disabled: true }), 'admin_key');
  assert.equal(await accounts.findUiSession(session.token), undefined);
  assert.equal(await members.signIn({ ...AT_HOME, email: ADA.email }), undefined);
  await assert.rejects(members.takeLink({ token, password: PASSWORD }), { code: 'invalid_key' });
  await members.update(id, parseMemberUpdate({ disabled: false }), 'admin_key');
  assert.equal(await accounts.findUiSession(session.token), undefined);
  await members.delete(id, 'admin_key');
  await assert.rejects(members.infoOf(id), { code: 'not_found' });
  assert.equal(await members.signIn({ ...AT_HOME, email: ADA.email, address: '192.0.2.3' }), undefined);
  assert.notEqual((await members.create(parseMemberNew(ADA), 'admin_key')).id, id);
});

test('a new password and signing out everywhere end every session of that member and of nobody else', async (context) => {
  const { accounts } = await open(context);
  const id = await ada(accounts);
  const member = await accounts.members.infoOf(id);
  const [one, other] = [await accounts.createUiSession(member), await accounts.createUiSession()];
  const { token } = await accounts.members.makeLink(id, 'admin_key');
  assert.ok(await accounts.findUiSession(one.token));
  await accounts.members.takeLink({ token, password: 'another horse battery' });
  assert.equal(await accounts.findUiSession(one.token), undefined);
  const two = await accounts.createUiSession(member);
  await accounts.endUiSessionsOf(id);
  assert.equal(await accounts.findUiSession(two.token), undefined);
  assert.ok(await accounts.findUiSession(other.token));
});

test('what a session may do follows the member from the next request on', async (context) => {
  const { accounts } = await open(context);
  const id = await ada(accounts);
  const { token } = await accounts.createUiSession(await accounts.members.infoOf(id));
  await accounts.members.update(id, parseMemberUpdate({ role: 'finance', teams: [] }), 'admin_key');
  assert.equal((await accounts.findUiSession(token))?.member?.role, 'finance');
});

test('every change of a member is in the audit log, and nothing of a password', async (context) => {
  const { accounts } = await open(context);
  const id = await ada(accounts);
  await accounts.members.update(id, parseMemberUpdate({ role: 'admin' }), 'dashboard');
  await accounts.members.delete(id, 'admin_key');
  const { records } = await accounts.audit.list({ limit: 100, cursor: null });
  assert.deepEqual(
    records.map(({ actor, action, target }) => [actor, action, target]),
    [
      ['admin_key', 'member.delete', id],
      ['dashboard', 'member.update', id],
      [id, 'member.password', id],
      ['admin_key', 'member.link', id],
      ['admin_key', 'member.create', id],
    ],
  );
  assert.ok(!/scrypt|correct horse/.test(JSON.stringify(records)));
});

for (const [body, param] of [
  [{ role: 'viewer' }, 'email'],
  [{ email: 'nobody', role: 'viewer' }, 'email'],
  [{ email: 'a@example.com', role: 'root' }, 'role'],
  [{ kind: 'service', role: 'viewer' }, 'name'],
  [{ kind: 'service', email: 'a@example.com', role: 'viewer' }, 'email'],
  [{ email: 'a@example.com', role: 'viewer', teams: ['//x'] }, 'team_id'],
  [{ email: 'a@example.com', role: 'viewer', password: PASSWORD }, 'password'],
] as const) {
  test(`a member that says ${JSON.stringify(body)} is refused for ${param}`, () => {
    assert.throws(() => parseMemberNew(body), { param });
  });
}

test('two members cannot have one e-mail; a service account has none and no link', async (context) => {
  const { accounts } = await open(context);
  const { members } = accounts;
  await members.create(parseMemberNew(ADA), 'admin_key');
  await assert.rejects(members.create(parseMemberNew({ ...ADA, email: 'ada@example.com' }), 'x'), { code: 'conflict' });
  const bot = await members.create(parseMemberNew({ kind: 'service', name: 'nightly', role: 'viewer' }), 'admin_key');
  await assert.rejects(members.makeLink(bot.id, 'admin_key'), { code: 'conflict' });
});
