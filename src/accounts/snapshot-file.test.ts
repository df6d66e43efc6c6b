import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#std';
import { openAccounts } from './accounts.ts';
import { parseKeyGenerate } from './key-generate.ts';
import { readSnapshot, writeSnapshot } from './snapshot-file.ts';
import { parseTeamNew } from './team-request.ts';

test('a snapshot reads back as it was written, and only its owner can read it', async (context) => {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-snapshot-'));
  context.after(() => rm(dir, { recursive: true }));
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  context.after(() => accounts.close());
  await accounts.bootstrap({});
  await accounts.generateKey(
    parseKeyGenerate({ key_alias: 'x', metadata: { tags: ['a'], n: [1, { b: null }] }, duration: '1d' }),
  );

  await accounts.teams.create(parseTeamNew({ team_id: 't', locked_tags: { team: 'growth' }, blocked: true }));

  const file = join(dir, 'control.json');
  assert.equal(await readSnapshot(file), null);
  await writeSnapshot(file, {
    revision: 0,
    adminKeyHash: null,
    keys: [],
    teams: [],
    priceTerms: [],
    budgets: [],
    limits: [],
  });
  const snapshot = await accounts.snapshot();
  await writeSnapshot(file, snapshot);
  assert.deepEqual(await readSnapshot(file), snapshot);
  assert.deepEqual(await readdir(dir), ['control.json']);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a snapshot file of before there were teams and price terms is read as one without', async (context) => {
  const dir = await mkdtemp(join(tmpdir(), 'apportion-snapshot-'));
  context.after(() => rm(dir, { recursive: true }));
  const file = join(dir, 'control.json');
  await writeFile(file, '{"schema":1,"revision":7,"adminKeyHash":null,"keys":[]}');
  assert.deepEqual(await readSnapshot(file), {
    revision: 7,
    adminKeyHash: null,
    keys: [],
    teams: [],
    priceTerms: [],
    budgets: [],
    limits: [],
  });
});

for (const text of [
  '',
  '{"schema":1',
  '{"schema":999,"revision":1,"adminKeyHash":null,"keys":[]}',
  '{"schema":1,"revision":1}',
]) {
  test(`a snapshot file that says ${JSON.stringify(text.slice(0, 16))} is an error, not an empty ring`, async (context) => {
    const dir = await mkdtemp(join(tmpdir(), 'apportion-snapshot-'));
    context.after(() => rm(dir, { recursive: true }));
    const file = join(dir, 'control.json');
    await writeFile(file, text);
    await assert.rejects(readSnapshot(file), { code: 'internal_error' });
  });
}
