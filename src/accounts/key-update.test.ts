import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { openAccounts, type Accounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';
import { type KeyRecord } from './key-record.ts';
import { KeyRing } from './key-ring.ts';
import { parseKeyRegenerate, parseKeyUpdate } from './key-update.ts';

async function open(context: TestContext): Promise<Accounts> {
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  return accounts;
}

const FULL = {
  key_alias: 'backend',
  team_id: 'core',
  user_id: 'ann',
  models: ['gpt-4o'],
  duration: '1h',
  metadata: { note: 'x', tags: ['env:prod'], locked_tags: { product: 'search' }, tag_policy: { required: ['env'] } },
};

/** The fields of a key an update can touch, after it. */
async function after(context: TestContext, update: object): Promise<Partial<KeyRecord>> {
  const accounts = await open(context);
  await accounts.generateKey(parseKeyGenerate(FULL));
  const before = await accounts.infoOf('backend');
  const key = await accounts.updateKey(parseKeyUpdate({ key: 'backend', ...update }));
  assert.deepEqual(await accounts.infoOf(key.id), key);
  assert.equal(key.revision, before.revision + 1);
  return Object.fromEntries(
    Object.entries(key).filter(([field, value]) => {
      if (field === 'revision') return false;
      return JSON.stringify(value) !== JSON.stringify(new Map(Object.entries(before)).get(field));
    }),
  );
}

const { note, tags, locked_tags, tag_policy } = FULL.metadata;

const UPDATES: readonly (readonly [string, object, Partial<KeyRecord>])[] = [
  ['nothing', {}, {}],
  ['another alias renames it in reports', { key_alias: 'api' }, { alias: 'api', name: 'api' }],
  ['its own alias is not taken', { key_alias: 'backend' }, {}],
  ['another team', { team_id: ' eng ' }, { team: 'eng' }],
  ['no team and no owner', { team_id: null, user_id: null }, { team: '', owner: '' }],
  ['all models', { models: null }, { models: [] }],
  ['no end', { duration: null }, { expiresAt: null }],
  ['no end, in the words of LiteLLM', { duration: '-1' }, { expiresAt: null }],
  ['blocked', { blocked: true }, { blocked: true }],
  ['other tags', { tags: ['env:dev'] }, { metadata: { ...FULL.metadata, tags: ['env:dev'] } }],
  ['tags as an object', { tags: { env: 'dev' } }, { metadata: { ...FULL.metadata, tags: { env: 'dev' } } }],
  ['no tags', { tags: [] }, { metadata: { note, locked_tags, tag_policy } }],
  ['a lock', { locked_tags: ['team:growth'] }, { metadata: { ...FULL.metadata, locked_tags: ['team:growth'] } }],
  ['no lock', { locked_tags: null }, { metadata: { note, tags, tag_policy } }],
  ['no lock, in metadata', { metadata: { locked_tags: null } }, { metadata: { tag_policy } }],
  ['other metadata keeps lock and policy', { metadata: { a: 1 } }, { metadata: { locked_tags, tag_policy, a: 1 } }],
  ['empty metadata keeps lock and policy', { metadata: null }, { metadata: { locked_tags, tag_policy } }],
  [
    'metadata and tags beside it are joined',
    { metadata: { tags: ['a'] }, tags: ['b', 'a'] },
    { metadata: { locked_tags, tag_policy, tags: ['a', 'b'] } },
  ],
];

for (const [what, update, expected] of UPDATES) {
  test(`an update of a key to ${what} changes that and nothing else`, async (context) => {
    assert.deepEqual(await after(context, update), expected);
  });
}

test('a key without alias is shown by its token again', async (context) => {
  const accounts = await open(context);
  const { key } = await accounts.generateKey(parseKeyGenerate({ key_alias: 'a' }));
  assert.equal((await accounts.updateKey(parseKeyUpdate({ key: 'a', key_alias: null }))).name, key.shown);
});

test('an update that is refused changes nothing, whatever else it says', async (context) => {
  const accounts = await open(context);
  const { token } = await accounts.generateKey(parseKeyGenerate(FULL));
  await accounts.generateKey(parseKeyGenerate({ key_alias: 'other' }));
  const before = await accounts.snapshot();
  for (const [update, param] of [
    [{ key_alias: 'other', blocked: true }, 'key_alias'],
    [{ tags: [{}], blocked: true }, 'metadata.tags[0]'],
    [{ locked_tags: ['label'], blocked: true }, 'locked_tags'],
    [{ expires: '2020-01-01T00:00:00Z', blocked: true }, 'expires'],
    [{ tag_policy: { requried: [] } }, 'tag_policy.requried'],
  ] as const) {
    await assert.rejects(async () => accounts.updateKey(parseKeyUpdate({ key: token, ...update })), { param });
  }
  await assert.rejects(accounts.updateKey(parseKeyUpdate({ key: 'nobody' })), { code: 'not_found' });
  assert.throws(() => parseKeyUpdate({ key: token, max_budget: -5 }), { param: 'max_budget' });
  assert.throws(() => parseKeyUpdate({ key_alias: 'x' }), { param: 'key' });
  assert.deepEqual(await accounts.snapshot(), before);
});

test('a key with a new token is the same key, and its old token is nobody’s', async (context) => {
  const accounts = await open(context);
  const { token, key } = await accounts.generateKey(parseKeyGenerate({ team_id: 'core' }));
  const again = await accounts.regenerateKey(parseKeyRegenerate({ key: token, models: ['gpt-4o'] }));
  assert.notEqual(again.token, token);
  assert.equal(accounts.ring.identify(token), undefined);
  const caller = accounts.ring.identify(again.token);
  assert.ok(caller?.kind === 'key');
  assert.deepEqual(
    [caller.key.id, caller.key.team, caller.key.models, caller.key.name],
    [key.id, 'core', ['gpt-4o'], again.key.shown],
  );
  await assert.rejects(accounts.infoOf(token), { code: 'not_found' });
});

test('with grace the old token goes on for that long, also in a gateway that starts from the snapshot', async (context) => {
  let now = 1_700_000_000_000;
  const clock: Clock = { now: () => now as TimestampMs, elapsedMs: () => now };
  const accounts = await openAccounts({ file: ':memory:', clock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  const { token, key } = await accounts.generateKey(parseKeyGenerate({}));
  const again = await accounts.regenerateKey(parseKeyRegenerate({ key: token, grace_period: '1h' }));
  const ring = new KeyRing(await accounts.snapshot(), { clock, adminKey: null });
  const idBy = (held: KeyRing, secret: string): string | undefined => {
    const found = held.identify(secret);
    return found?.kind === 'key' ? found.key.id : undefined;
  };
  for (const held of [accounts.ring, ring]) {
    assert.deepEqual([idBy(held, token), idBy(held, again.token)], [key.id, key.id]);
  }
  now += 3_600_000;
  for (const held of [accounts.ring, ring]) {
    assert.deepEqual([idBy(held, token), idBy(held, again.token)], [undefined, key.id]);
  }
  const third = await accounts.regenerateKey(parseKeyRegenerate({ key: key.id, grace_period: '1h' }));
  const fourth = await accounts.regenerateKey(parseKeyRegenerate({ key: key.id }));
  assert.deepEqual(
    [again.token, third.token, fourth.token].map((secret) => idBy(accounts.ring, secret)),
    [undefined, undefined, key.id],
  );
  assert.throws(() => parseKeyRegenerate({ key: key.id, grace_period: 'a while' }), { param: 'grace_period' });
});
