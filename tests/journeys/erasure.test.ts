import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { startGateway, startUpstream, until, type Gateway } from '#world';
import { makeKey, report, reportedRows, whenStored } from './record.ts';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Of no letters that anything compresses: where it is, it stands as it is. */
const CANARY = `person-${randomBytes(12).toString('hex')}`;
const SMALL_SEGMENTS = { APPORTION_JOURNAL_SEGMENT_BYTES: '65536' };

type Erasure = {
  readonly id: string;
  readonly state: string;
  readonly entries: number;
  readonly rows: number;
  readonly control: number;
  readonly waiting: number;
  readonly value_hash: string;
  readonly still_named_by: readonly string[];
  /** Of a record of the audit log. */
  readonly action: string;
  readonly target: string;
};

type Answer = {
  readonly status: number;
  readonly body: Erasure & { readonly data: readonly Erasure[] };
};

async function asked(gateway: Gateway, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function call({ url }: Gateway, key: string, fields: object): Promise<void> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', ...fields }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

function saying(content: string): object {
  return { messages: [{ role: 'user', content }] };
}

const OF_PERSON = {
  entity_type: 'customer',
  entity_id: CANARY,
  session_id: `${CANARY}/1`,
  request_tags: [`user:${CANARY}`, 'team:core', `vip/${CANARY}`],
};

function filesWith(dir: string, value: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return bytes.includes(value) || (path.endsWith('.log.zst') && zstdDecompressSync(bytes).includes(value));
    });
}

async function verify(dataDir: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CLI, 'verify', '--data-dir', dataDir], (error, out) =>
      error === null ? resolve(out) : reject(new Error(out)),
    );
  });
}

test('a person is erased while calls go on: nowhere in the data directory, every sum as it was, and the chain holds', async (t) => {
  const upstream = await startUpstream();
  t.after(() => upstream.close());
  const gateway = await startGateway({ upstream, env: SMALL_SEGMENTS });
  t.after(() => gateway.close());
  const { key } = await makeKey(gateway, { key_alias: 'app', user_id: 'operations' });
  await asked(gateway, '/tag/new', { name: `user:${CANARY}`, description: 'somebody' });
  const overrides = [{ value: CANARY, amount_usd: '1' }];
  const each = { type: 'spend_over', name: 'each', amount_usd: '0', for_each: 'tags.customer', overrides };
  assert.equal((await asked(gateway, '/v1/alerts/rules', each)).status, 200);
  for (let n = 0; n < 40; n += 1) {
    const somebody = {
      ...OF_PERSON,
      entity_id: `other-${n % 3}`,
      session_id: `other/${n}`,
      request_tags: ['team:core'],
    };
    await call(gateway, key, { ...(n % 4 === 0 ? OF_PERSON : somebody), ...saying(`seed=${n}`) });
  }
  await whenStored(gateway);
  const before = await report(gateway, { group_by: 'tags.customer' });
  assert.ok(filesWith(join(gateway.dataDir, 'journal'), CANARY).length > 0);
  assert.ok(filesWith(join(gateway.dataDir, 'store'), CANARY).length > 0);
  assert.ok(filesWith(gateway.dataDir, CANARY).some((path) => path.includes('control.db')));

  const running = call(gateway, key, { ...OF_PERSON, ...saying('seed=99 delay=2000') });
  const named = await asked(gateway, '/v1/erasures', {
    entity_type: 'customer',
    entity_id: CANARY,
    reason: `for ${CANARY}`,
  });
  assert.equal(named.status, 400, 'a reason does not name whom it is about');
  const misspelt = await asked(gateway, '/v1/erasures', { entity_type: 'custmer', entity_id: 'ann', reason: 'test' });
  assert.equal(misspelt.status, 400, 'a type that is none erases nothing, and must not look done');
  const { body: asking } = await asked(gateway, '/v1/erasures', {
    entity_type: 'customer',
    entity_id: CANARY,
    reason: 'request 4711',
  });
  const erasure = await until('nothing to show the person any more', 60_000, async () => {
    const { body } = await asked(gateway, '/v1/erasures');
    return body.data.find(({ id, state }) => id === asking.id && state !== 'running');
  });
  assert.deepEqual([erasure.entries, erasure.rows, erasure.waiting], [11, 11, 0], 'the call that ran is waited for');
  await running;
  const after = await report(gateway, { group_by: 'tags.customer' });
  const had = reportedRows(before.data);
  const has = reportedRows(after.data);
  assert.equal(has.get('(erased)')?.events, 11);
  assert.ok((has.get('(erased)')?.cost ?? 0n) > (had.get(CANARY)?.cost ?? 0n), 'with the call that ran');
  for (const rows of [had, has]) for (const value of [CANARY, '(erased)']) rows.delete(value);
  assert.deepEqual(has, had);

  await gateway.stop();
  await gateway.restart();
  const done = await until('the engine to remove its old files, which takes it half a minute', 180_000, async () => {
    const { body } = await asked(gateway, '/v1/erasures');
    return body.data.find(({ id, state }) => id === erasure.id && state === 'done');
  });
  assert.deepEqual([done.entries, done.rows, done.control >= 1], [11, 11, true]);
  const { body: audit } = await asked(gateway, '/v1/audit');
  const actions = audit.data.filter(({ target }) => target === erasure.id).map(({ action }) => action);
  assert.deepEqual(actions, ['erasure.done', 'erasure.begin']);
  await gateway.stop();
  assert.deepEqual(filesWith(gateway.dataDir, CANARY), []);
  assert.match(await verify(gateway.dataDir), /INTACT/);

  rmSync(join(gateway.dataDir, 'store'), { recursive: true });
  await gateway.restart();
  await whenStored(gateway);
  const rebuilt = await report(gateway, { group_by: 'tags.customer' });
  assert.deepEqual(
    reportedRows(rebuilt.data),
    reportedRows(after.data),
    'a store built anew from the journal says the same',
  );
});
