import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { type Clock, type TimestampMs } from '#std';
import { openAccounts, type Accounts } from '../accounts.ts';
import { parseReadToken } from './read-token-request.ts';

async function open(context: TestContext): Promise<{ accounts: Accounts; advance: (ms: number) => void }> {
  let now = 1_700_000_000_000;
  const clock: Clock = { now: () => now as TimestampMs, elapsedMs: () => now };
  const accounts = await openAccounts({ file: ':memory:', clock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'admin' });
  return { accounts, advance: (ms) => void (now += ms) };
}

test('a read token is found by its secret until it expires or is revoked, and is nobody on the call path', async (context) => {
  const { accounts, advance } = await open(context);
  const { readTokens } = accounts;
  const request = parseReadToken({ name: 'bi', teams: ['growth'], duration: '1h' });
  const { secret, token } = await readTokens.create(request, 'admin_key');
  assert.match(secret, /^sk-ap-read-[\w-]{43}$/);
  assert.deepEqual((await readTokens.use(secret))?.reach, { kind: 'only', teams: ['growth'], entities: null });
  assert.equal(accounts.ring.identify(secret), undefined);
  assert.equal(await readTokens.use(`${secret}x`), undefined);
  const other = await readTokens.create(parseReadToken({ name: 'other', everything: true }), 'admin_key');
  await readTokens.revoke(other.token.id, 'admin_key');
  assert.equal(await readTokens.use(other.secret), undefined);
  await assert.rejects(readTokens.revoke(other.token.id, 'admin_key'), { code: 'not_found' });
  advance(3_600_000);
  assert.equal(await readTokens.use(secret), undefined);
  const { records } = await accounts.audit.list({ limit: 9, cursor: null });
  assert.deepEqual(
    records.map(({ action, target }) => [action, target]),
    [
      ['read_token.revoke', other.token.id],
      ['read_token.create', other.token.id],
      ['read_token.create', token.id],
    ],
  );
});

test('when a read token was last used is known to the minute', async (context) => {
  const { accounts, advance } = await open(context);
  const { readTokens } = accounts;
  const { secret, token } = await readTokens.create(parseReadToken({ name: 'bi', everything: true }), 'admin_key');
  const lastUsed = async (): Promise<number> =>
    ((await readTokens.list())[0]?.lastUsedAt ?? Number.NaN) - token.createdAt;
  assert.equal(Number.isNaN(await lastUsed()), true);
  await readTokens.use(secret);
  advance(59_999);
  await readTokens.use(secret);
  assert.equal(await lastUsed(), 0);
  advance(1);
  await readTokens.use(secret);
  assert.equal(await lastUsed(), 60_000);
});

for (const body of [
  { name: 'a' },
  { name: 'a', everything: true, teams: ['x'] },
  { name: 'a', everything: false },
  { name: 'a', teams: [] },
  { name: 'a', entities: [{ entity_type: "x'", entity_id: 'y' }] },
  { everything: true },
]) {
  test(`a token that says ${JSON.stringify(body)} is refused: what it may read must be said`, () => {
    assert.throws(() => parseReadToken(body), { code: 'invalid_field' });
  });
}
