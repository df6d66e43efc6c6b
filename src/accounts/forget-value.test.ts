import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { openAccounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';

const CANARY = 'ann@example.com';
const holds = (text: string): boolean => text.includes(CANARY);

test('a value is forgotten: its tag, its keys, the audit log, and every page of the file; what still names it is told', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-forget-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const accounts = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  t.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'sk-ap-admin' });
  const { key: owned } = await accounts.generateKey(parseKeyGenerate({ user_id: CANARY, team_id: 'core' }));
  const { key: named } = await accounts.generateKey(parseKeyGenerate({ key_alias: `laptop of ${CANARY}` }));
  await accounts.tags.create({
    name: `employee:${CANARY}`,
    description: 'a person',
    owner: null,
    models: [],
    spending: {},
  });
  await accounts.audit.record({
    actor: 'admin_key',
    action: 'test',
    target: '',
    detail: { of: { who: `for ${CANARY}` }, n: 1 },
  });
  const revision = accounts.ring.revision;
  const request = { value: CANARY, ofKeys: true, holds, erased: '(erased)' };
  const { rows, stillNamedBy } = await accounts.forget(request);
  assert.ok(rows >= 3);
  assert.deepEqual(stillNamedBy, [named.id]);
  assert.equal((await accounts.infoOf(owned.id)).owner, '(erased)');
  assert.equal(accounts.ring.revision, revision + 1, 'gateways are told');
  const { records } = await accounts.audit.list({ limit: 100, cursor: null });
  const [record] = records.filter(({ action }) => action === 'test');
  assert.deepEqual(record?.detail, { of: { who: '(erased)' }, n: 1 });
  await accounts.deleteKey(named.id);
  assert.equal((await accounts.forget(request)).stillNamedBy.length, 1);
  const clean = { ...request, value: 'nobody', holds: () => false };
  assert.deepEqual(await accounts.forget(clean), { rows: 0, stillNamedBy: [] });
});

test('nothing of a forgotten value is left in the bytes of the file', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'apportion-forget-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const accounts = await openAccounts({ file: join(dir, 'control.db'), clock: systemClock, random: randomBytes });
  t.after(() => accounts.close());
  await accounts.bootstrap({ adminKey: 'sk-ap-admin' });
  await accounts.generateKey(parseKeyGenerate({ user_id: CANARY }));
  await accounts.tags.create({ name: `employee:${CANARY}`, description: null, owner: null, models: [], spending: {} });
  const filesWith = (): string[] => readdirSync(dir).filter((name) => readFileSync(join(dir, name)).includes(CANARY));
  assert.notDeepEqual(filesWith(), []);
  await accounts.forget({ value: CANARY, ofKeys: true, holds, erased: '(erased)' });
  assert.deepEqual(filesWith(), []);
});
