import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock } from '#std';
import { openAccounts, type Accounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';
import { KeyRing, type RingKey } from './key-ring.ts';
import { toTeamInfo, toTeamInfoAnswer } from './team-answer.ts';
import { parseTeamNew, parseTeamUpdate } from './team-request.ts';
import { NOTHING_SPENT } from './subjects/figures.fixture.ts';

/** An open control plane with a gateway's ring that hears of every change. */
async function open(context: TestContext): Promise<{ accounts: Accounts; gateway: KeyRing }> {
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  const gateway = new KeyRing(await accounts.snapshot(), { clock: systemClock, adminKey: 'admin' });
  accounts.onChange(async (change) => {
    assert.equal(gateway.apply(JSON.parse(JSON.stringify(change))), 'applied');
  });
  return { accounts, gateway };
}

function keyOf(ring: KeyRing, token: string): RingKey {
  const identity = ring.identify(token);
  assert.ok(identity?.kind === 'key');
  return identity.key;
}

function stateOf(ring: KeyRing, token: string): string | undefined {
  const identity = ring.identify(token);
  return identity?.kind === 'key' ? identity.state : identity?.kind;
}

test('keys follow their team: made before or after it, moved to it, and when it changes', async (context) => {
  const { accounts, gateway } = await open(context);
  const early = await accounts.generateKey(parseKeyGenerate({ team_id: 'growth' }));
  const other = await accounts.generateKey(parseKeyGenerate({ team_id: 'core' }));
  const locked = (token: string) => [...keyOf(gateway, token).ofTeam.lockedTags.dimensions];
  const untouched = keyOf(gateway, other.token);
  assert.deepEqual(locked(early.token), []);
  await accounts.teams.create(parseTeamNew({ team_id: 'growth', tags: ['env:prod'], locked_tags: { team: 'growth' } }));
  const late = await accounts.generateKey(parseKeyGenerate({ team_id: 'growth', locked_tags: { product: 'x' } }));
  for (const { token } of [early, late]) {
    assert.deepEqual(locked(token), [['team', ['growth']]]);
    assert.deepEqual(keyOf(gateway, token).ofTeam.defaultTags.sent, ['env:prod']);
  }
  assert.deepEqual([...keyOf(gateway, late.token).lockedTags.dimensions], [['product', ['x']]]);
  const before = keyOf(gateway, early.token);
  assert.equal(keyOf(gateway, early.token), before, 'nothing is read per call');
  await accounts.teams.update(parseTeamUpdate({ team_id: 'growth', locked_tags: ['team:eng'] }));
  assert.notEqual(keyOf(gateway, early.token), before, 'what was made of the old key is not used for the new one');
  assert.deepEqual(locked(early.token), [['team', ['eng']]]);
  assert.equal(keyOf(gateway, other.token), untouched);
  const fresh = new KeyRing(await accounts.snapshot(), { clock: systemClock, adminKey: 'admin' });
  assert.deepEqual(keyOf(fresh, late.token), keyOf(gateway, late.token));
  assert.deepEqual(keyOf(accounts.ring, late.token), keyOf(gateway, late.token));
});

test('a blocked team blocks its keys, and only while it is blocked', async (context) => {
  const { accounts, gateway } = await open(context);
  await accounts.teams.create(parseTeamNew({ team_id: 'growth' }));
  const { token } = await accounts.generateKey(parseKeyGenerate({ team_id: 'growth' }));
  await accounts.teams.block('growth');
  assert.equal(stateOf(gateway, token), 'blocked');
  await accounts.teams.unblock('growth');
  assert.equal(stateOf(gateway, token), 'active');
  await accounts.teams.update(parseTeamUpdate({ team_id: 'growth', blocked: true }));
  assert.equal(stateOf(gateway, token), 'blocked');
});

test('deleted teams take their keys with them, in one change, all or none', async (context) => {
  const { accounts, gateway } = await open(context);
  for (const team_id of ['a', 'b']) await accounts.teams.create(parseTeamNew({ team_id }));
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map((team_id) => accounts.generateKey(parseKeyGenerate({ team_id }))),
  );
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const { revision } = gateway;
  await assert.rejects(accounts.teams.delete(['a', 'nobody']), { code: 'not_found' });
  assert.equal(stateOf(gateway, a.token), 'active');
  const deleted = await accounts.teams.delete(['a', 'b', 'a']);
  assert.deepEqual([deleted.teams.map(({ id }) => id), deleted.keys.length], [['a', 'b'], 2]);
  assert.equal(gateway.revision, revision + 1);
  assert.deepEqual(
    [a, b, c].map(({ token }) => stateOf(gateway, token)),
    [undefined, undefined, 'active'],
  );
  assert.equal((await accounts.infoOf(a.key.id)).team, 'a', 'reports keep the key');
  await assert.rejects(accounts.teams.infoOf('a'), { code: 'not_found' });
  await accounts.teams.create(parseTeamNew({ team_id: 'a' }));
  assert.deepEqual((await accounts.teams.infoOf('a')).keys, []);
});

test('a team’s id is the one asked for, else its alias, else a made-up one, and never taken twice', async (context) => {
  const { accounts } = await open(context);
  const create = async (body: object) => (await accounts.teams.create(parseTeamNew(body))).id;
  assert.equal(await create({ team_id: ' t1 ', team_alias: 'Growth' }), 't1');
  assert.equal(await create({ team_alias: 'Growth' }), 'Growth');
  assert.match(await create({ team_alias: 'Growth' }), /^team_[0-9a-f]{20}$/);
  assert.match(await create({ team_alias: '(untagged)' }), /^team_[0-9a-f]{20}$/);
  assert.match(await create({}), /^team_[0-9a-f]{20}$/);
  await assert.rejects(create({ team_id: 't1' }), { code: 'invalid_field', param: 'team_id' });
  assert.equal((await accounts.teams.list()).length, 5);
});

test('an update of a team changes what it names', async (context) => {
  const { accounts } = await open(context);
  await accounts.teams.create(
    parseTeamNew({ team_id: 't', team_alias: 'T', metadata: { n: 1, locked_tags: { a: 'b' } } }),
  );
  const renamed = await accounts.teams.update(parseTeamUpdate({ team_id: 't', team_alias: 'Team' }));
  assert.deepEqual([renamed.alias, renamed.metadata], ['Team', { n: 1, locked_tags: { a: 'b' } }]);
  const rewritten = await accounts.teams.update(
    parseTeamUpdate({ team_id: 't', metadata: { m: 2 }, team_alias: null }),
  );
  assert.deepEqual([rewritten.alias, rewritten.metadata], [null, { m: 2, locked_tags: { a: 'b' } }]);
  await assert.rejects(accounts.teams.update(parseTeamUpdate({ team_id: 'nobody' })), { code: 'not_found' });
});

for (const [body, param] of [
  [{ max_budget: -5 }, 'max_budget'],
  [{ tpm_limit: 'many' }, 'tpm_limit'],
  [{ team_member_budget: 5 }, 'team_member_budget'],
  [{ models: ['gpt-4o'] }, 'models'],
  [{ members_with_roles: [{ role: 'admin', user_id: 'u' }] }, 'members_with_roles'],
  [{ team_id: '//x' }, 'team_id'],
  [{ team_id: '(other)' }, 'team_id'],
  [{ locked_tags: ['beta'] }, 'locked_tags'],
  [{ tag_policy: { mode: 'x' } }, 'tag_policy.mode'],
  [{ team_aliass: 'x' }, 'team_aliass'],
] as const) {
  test(`a team with ${JSON.stringify(body)} is refused at ${param}`, () => {
    assert.throws(() => parseTeamNew(body), { param });
  });
}

test('a team is answered in LiteLLM’s shape', async (context) => {
  const { accounts } = await open(context);
  const team = await accounts.teams.create(parseTeamNew({ team_id: 't', models: [], max_budget: null }));
  const { token } = await accounts.generateKey(parseKeyGenerate({ team_id: 't' }));
  assert.deepEqual(toTeamInfo(team, NOTHING_SPENT), {
    team_id: 't',
    team_alias: null,
    metadata: {},
    blocked: false,
    created_at: new Date(team.createdAt).toISOString(),
    organization_id: null,
    admins: [],
    members: [],
    members_with_roles: [],
    models: [],
    ...NOTHING_SPENT({ kind: 'team', id: 't' }),
  });
  const answer = toTeamInfoAnswer(await accounts.teams.infoOf('t'), NOTHING_SPENT);
  assert.deepEqual(Object.keys(answer), ['team_id', 'team_info', 'keys', 'team_memberships']);
  assert.ok(!JSON.stringify(answer).includes(token));
});
