import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { systemClock, type Clock, type TimestampMs } from '#std';
import { openAccounts, type Accounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';
import { type ControlChange } from './key-record.ts';
import { KeyRing } from './key-ring.ts';
import { hashToken } from './token.ts';
import { UI_SESSION_MS } from './ui-session.ts';

/** A clock that stands still until it is moved: expiry without waiting. */
function standingClock(): Clock & { advance(ms: number): void } {
  let now = 1_700_000_000_000;
  return { now: () => now as TimestampMs, elapsedMs: () => now, advance: (ms) => void (now += ms) };
}

async function directory(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'apportion-accounts-'));
  context.after(() => rm(path, { recursive: true }));
  return path;
}

async function open(context: TestContext, deps: { dir?: string; clock?: Clock } = {}): Promise<Accounts> {
  const file = join(deps.dir ?? (await directory(context)), 'control.db');
  const accounts = await openAccounts({ file, clock: deps.clock ?? systemClock, random: randomBytes });
  context.after(() => accounts.close());
  return accounts;
}

test('the first start makes an admin key and a first call key, later starts make nothing', async (context) => {
  const dir = await directory(context);
  const first = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  const { adminKey, callKey } = await first.bootstrap({});
  assert.match(adminKey ?? '', /^sk-ap-admin-[\w-]{43}$/);
  assert.match(callKey ?? '', /^sk-ap-[\w-]{43}$/);
  await first.close();

  const second = await open(context, { dir });
  assert.deepEqual(await second.bootstrap({}), { adminKey: null, callKey: null });
  assert.deepEqual(second.ring.identify(adminKey ?? ''), { kind: 'admin' });
  const caller = second.ring.identify(callKey ?? '');
  assert.equal(caller?.kind === 'key' ? caller.key.name : '', 'first key');
  assert.equal(second.ring.identify('sk-ap-nobody'), undefined);
});

test('a control.db of before there were teams is migrated with its keys', async (context) => {
  const dir = await directory(context);
  const file = join(dir, 'control.db');
  const first = await openAccounts({ file, clock: systemClock, random: randomBytes });
  await first.bootstrap({ adminKey: 'admin' });
  const keys = await first.listKeys({ include: 'all' });
  await first.close();
  const database = new DatabaseSync(file);
  database.exec(
    'DROP TABLE subjects; DROP TABLE budget_plans; DROP TABLE budgets; DROP TABLE limits; DROP TABLE teams; DROP TABLE tag_registry; DROP INDEX keys_by_team; DROP TABLE price_terms; DROP TABLE audit_log;' +
      'DROP TABLE members; DROP TABLE member_links; DROP TABLE read_tokens; ALTER TABLE ui_sessions DROP COLUMN member_id;' +
      'ALTER TABLE keys DROP COLUMN previous_hash; ALTER TABLE keys DROP COLUMN previous_until;' +
      'ALTER TABLE keys DROP COLUMN routes; ALTER TABLE keys DROP COLUMN addresses',
  );
  database.exec("DELETE FROM kysely_migration WHERE name > '0001_keys_and_sessions'");
  database.close();

  const second = await open(context, { dir });
  assert.deepEqual(await second.bootstrap({ adminKey: 'admin' }), { adminKey: null, callKey: null });
  assert.deepEqual(await second.listKeys({ include: 'all' }), keys);
  assert.deepEqual(await second.teams.list(), []);
  assert.deepEqual(await second.tagDescriptions(), new Map());
  assert.deepEqual(await second.prices.list(), []);
});

test('the audit log takes no change and no removal, from nobody who has the database open', async (context) => {
  const dir = await directory(context);
  const accounts = await open(context, { dir });
  await accounts.bootstrap({ adminKey: 'admin' });
  await accounts.generateKey(parseKeyGenerate({ user_id: 'ann' }), 'admin_key');
  const before = await accounts.audit.list({ limit: 10, cursor: null });
  assert.equal(before.records.length, 1);
  const database = new DatabaseSync(join(dir, 'control.db'));
  for (const attempt of [
    'DELETE FROM audit_log',
    "UPDATE audit_log SET actor = 'somebody else'",
    "UPDATE audit_log SET detail = '{}'",
    "REPLACE INTO audit_log SELECT id, at, 'somebody else', action, target, detail FROM audit_log",
  ]) {
    assert.throws(() => database.exec(attempt), /append-only/, attempt);
  }
  database.close();
  assert.deepEqual(await accounts.audit.list({ limit: 10, cursor: null }), before);
  // An erasure is the one thing that may take a value out of it; who did what stays.
  const request = { value: 'ann', ofKeys: false, holds: (text: string) => text === 'ann', erased: '(erased)' };
  assert.equal((await accounts.forget(request)).rows, 1);
  const { records } = await accounts.audit.list({ limit: 10, cursor: null });
  assert.deepEqual(
    records,
    before.records.map((one) => ({ ...one, detail: { ...one.detail, owner: '(erased)' } })),
  );
});

test('no token is on disk, nor anything of a configured admin key', async (context) => {
  const dir = await directory(context);
  const accounts = await open(context, { dir });
  const { adminKey, callKey } = await accounts.bootstrap({ adminKey: 'configured-admin-key' });
  assert.equal(adminKey, null);
  assert.deepEqual(accounts.ring.identify('configured-admin-key'), { kind: 'admin' });
  const session = await accounts.createUiSession();
  const secrets = [callKey ?? '', session.token, 'configured-admin-key', hashToken('configured-admin-key')];
  for (const name of await readdir(dir)) {
    const text = await readFile(join(dir, name), 'latin1');
    for (const secret of secrets) assert.ok(!text.includes(secret), `${name} holds a secret`);
    assert.equal((await stat(join(dir, name))).mode & 0o077, 0, `${name} is readable by others`);
  }
  assert.equal((await accounts.snapshot()).adminKeyHash, null);
});

test('a configured admin key takes the place of the generated one', async (context) => {
  const accounts = await open(context);
  const { adminKey } = await accounts.bootstrap({});
  await accounts.bootstrap({ adminKey: 'configured' });
  assert.equal(accounts.ring.identify(adminKey ?? ''), undefined);
  assert.deepEqual(accounts.ring.identify('configured'), { kind: 'admin' });
});

test('a generated key works on the very next call, with its default tags', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  const request = parseKeyGenerate({
    key_alias: 'backend',
    team_id: 'core',
    metadata: { tags: ['AWS_IAM_PROD', 'env:prod'] },
  });
  const { token, key } = await accounts.generateKey(request);
  const identity = accounts.ring.identify(token);
  assert.equal(identity?.kind, 'key');
  assert.ok(identity?.kind === 'key');
  assert.deepEqual(
    [identity.state, identity.key.id, identity.key.name, identity.key.team],
    ['active', key.id, 'backend', 'core'],
  );
  assert.deepEqual(identity.key.defaultTags.sent, ['AWS_IAM_PROD', 'env:prod']);
  const again = accounts.ring.identify(token);
  assert.ok(again?.kind === 'key');
  assert.equal(again.key.defaultTags, identity.key.defaultTags, 'default tags are read once');
});

test('a key reads back as it was written', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  const body = {
    key_alias: 'a',
    team_id: 't',
    user_id: 'u',
    models: ['gpt-4o'],
    metadata: { tags: ['x'], note: { deep: [1, null] } },
    duration: '1h',
  };
  const { token, key } = await accounts.generateKey(parseKeyGenerate(body));
  for (const reference of [token, key.hash, key.id, 'a']) assert.deepEqual(await accounts.infoOf(reference), key);
  assert.equal((key.expiresAt ?? 0) - key.createdAt, 3_600_000);
});

test('blocked and expired keys are known as such, and unblocking restores a key', async (context) => {
  const clock = standingClock();
  const accounts = await open(context, { clock });
  await accounts.bootstrap({ adminKey: 'admin' });
  const { token, key } = await accounts.generateKey(parseKeyGenerate({ duration: '10s' }));
  const state = () => {
    const identity = accounts.ring.identify(token);
    return identity?.kind === 'key' ? identity.state : identity;
  };
  await accounts.blockKey(key.id);
  assert.equal(state(), 'blocked');
  await accounts.unblockKey(token);
  assert.equal(state(), 'active');
  clock.advance(9_999);
  assert.equal(state(), 'active');
  clock.advance(1);
  assert.equal(state(), 'expired');
});

test('a deleted key stops working but keeps its name for reports', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  const { token, key } = await accounts.generateKey(parseKeyGenerate({ key_alias: 'gone' }));
  await accounts.deleteKey('gone');
  assert.equal(accounts.ring.identify(token), undefined);
  assert.equal((await accounts.infoOf(key.id)).name, 'gone');
  assert.deepEqual(
    (await accounts.listKeys({ include: 'live' })).map(({ name }) => name),
    ['first key'],
  );
  assert.deepEqual(
    (await accounts.listKeys({ include: 'all' })).map(({ name }) => name),
    ['first key', 'gone'],
  );
  await assert.rejects(accounts.deleteKey('gone'), { code: 'not_found' });
  await assert.rejects(accounts.blockKey(token), { code: 'not_found' });
  await accounts.generateKey(parseKeyGenerate({ key_alias: 'gone' }));
  assert.equal((await accounts.infoOf('gone')).deletedAt, null);
});

test('an alias is taken while its key lives, and a refused write leaves no gap in the revisions', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  await accounts.generateKey(parseKeyGenerate({ key_alias: 'one' }));
  const before = (await accounts.snapshot()).revision;
  await assert.rejects(accounts.generateKey(parseKeyGenerate({ key_alias: 'one' })), {
    code: 'invalid_field',
    param: 'key_alias',
  });
  await assert.rejects(accounts.blockKey('nobody'), { code: 'not_found' });
  assert.equal((await accounts.snapshot()).revision, before);
  assert.equal((await accounts.generateKey(parseKeyGenerate({}))).key.revision, before + 1);
});

test('concurrent writes reach listeners one by one, in order, before each returns', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  const gateway = new KeyRing(await accounts.snapshot(), { clock: systemClock, adminKey: 'admin' });
  const seen: number[] = [];
  let running = 0;
  const stop = accounts.onChange(async (change) => {
    running += 1;
    assert.equal(running, 1, 'two changes are under way');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(gateway.apply(change), 'applied');
    seen.push(change.revision);
    running -= 1;
  });
  const made = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const generated = await accounts.generateKey(parseKeyGenerate({}));
      assert.ok(seen.includes(generated.key.revision), 'the write returned before the listener applied it');
      return generated;
    }),
  );
  assert.deepEqual(
    seen,
    made.map(({ key }) => key.revision),
  );
  for (const { token } of made) assert.equal(gateway.identify(token)?.kind, 'key');
  stop();
  await accounts.generateKey(parseKeyGenerate({}));
  assert.equal(seen.length, 8);
});

test('a listener that fails is told to the writer, and later writes go on', async (context) => {
  const accounts = await open(context);
  await accounts.bootstrap({ adminKey: 'admin' });
  const changes: ControlChange[] = [];
  accounts.onChange(async (change) => {
    changes.push(change);
    if (changes.length === 1) throw new Error('gateway thread is gone');
  });
  await assert.rejects(accounts.generateKey(parseKeyGenerate({ key_alias: 'a' })), /gateway thread is gone/);
  await accounts.generateKey(parseKeyGenerate({ key_alias: 'b' }));
  assert.deepEqual(
    (await accounts.listKeys({ include: 'live' })).map(({ alias }) => alias),
    [null, 'a', 'b'],
  );
});

test('a sign-in session lasts twelve hours or until it is ended', async (context) => {
  const clock = standingClock();
  const accounts = await open(context, { clock });
  await accounts.bootstrap({ adminKey: 'admin' });
  const ended = await accounts.createUiSession();
  const kept = await accounts.createUiSession();
  assert.equal(kept.expiresAt - clock.now(), UI_SESSION_MS);
  await accounts.endUiSession(ended.token);
  assert.equal(await accounts.findUiSession(ended.token), undefined);
  assert.deepEqual(await accounts.findUiSession(kept.token), { expiresAt: kept.expiresAt, member: null });
  clock.advance(UI_SESSION_MS);
  assert.equal(await accounts.findUiSession(kept.token), undefined);
  assert.equal(await accounts.findUiSession(''), undefined);
});
