import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openStore } from '#ledger/store';
import { systemClock } from '#std';
import { openAdmin, type OpenAdmin } from './open-admin.fixture.ts';
import { SILENT } from './silent.fixture.ts';
import { storeCalls } from './stored-calls.fixture.ts';

let admin: OpenAdmin;

before(async () => {
  admin = await openAdmin();
});
after(() => admin.close());

function fields(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

test('a tag is registered, found, changed and deleted as LiteLLM does it', async () => {
  const made = fields((await admin.ask('/tag/new', { name: 'env:prod', description: 'live', max_budget: null })).body);
  assert.equal(made['message'], 'Tag env:prod created successfully');
  assert.equal(fields(made['tag'])['description'], 'live');
  assert.equal((await admin.ask('/tag/new', { name: 'env: prod' })).status, 400);
  const updated = fields((await admin.ask('/tag/update', { name: 'env:prod', description: 'customers' })).body);
  const info = await admin.ask('/tag/info', { names: ['env:prod'] });
  assert.deepEqual(info.body, { 'env:prod': updated['tag'] });
  assert.equal((await admin.ask('/tag/info', { names: ['env:prod', 'env:dev'] })).status, 404);
  assert.deepEqual((await admin.ask('/tag/delete', { name: 'env:prod' })).body, {
    message: 'Tag env:prod deleted successfully',
  });
  assert.equal((await admin.ask('/tag/delete', { name: 'env:prod' })).status, 404);
  assert.equal((await admin.ask('/tag/update', { name: 'env:prod' })).status, 404);
});

test('a key of a tag is described in place', async () => {
  const first = await admin.ask('/v1/tags/feature', { description: 'Product area', owner: 'product' }, 'PUT');
  assert.equal(first.status, 200);
  const second = fields((await admin.ask('/v1/tags/feature', { owner: null }, 'PUT')).body);
  assert.deepEqual([second['key'], second['description'], second['owner']], ['feature', 'Product area', null]);
  assert.deepEqual(
    await admin.accounts.tagDescriptions(),
    new Map([['feature', { description: 'Product area', owner: null }]]),
  );
  assert.equal((await admin.ask('/v1/tags/session_id', {}, 'PUT')).status, 400);
  assert.equal((await admin.ask('/v1/tags/feature', { colour: 'red' }, 'PUT')).status, 400);
});

test('the list has registered tags, then those that only calls carry, each once', async (context) => {
  const path = await mkdtemp(join(tmpdir(), 'apportion-tag-list-'));
  const store = await openStore({ path }, { log: SILENT, clock: systemClock });
  await storeCalls(store, [
    { at: '2025-01-01T10:00:00Z', cost: '2', body: { tags: ['env:prod', 'beta'] } },
    { at: '2025-01-02T10:00:00Z', cost: '1', body: { tags: ['beta', 'US/California'] } },
  ]);
  const { ask, close } = await openAdmin({ query: store.query, asOf: () => ({ nodeId: 'node', seq: 2, at: null }) });
  context.after(async () => {
    await close();
    await store.close();
    await rm(path, { recursive: true });
  });
  await ask('/tag/new', { name: 'env:prod', description: 'live' });
  await ask('/tag/new', { name: 'unused' });
  const rows = async (url: string) =>
    [(await ask(url)).body].flat().map((row) => [fields(row)['name'], fields(row)['description']]);
  const seen = 'Sent by calls, not registered.';
  const registered = [
    ['env:prod', 'live'],
    ['unused', null],
  ];
  assert.deepEqual(await rows('/tag/list'), [...registered, ['beta', seen], ['US/California', seen]]);
  const first = await rows('/tag/list?start_date=2025-01-01&end_date=2025-01-01');
  assert.deepEqual(first, [...registered, ['beta', seen]]);
  assert.equal((await ask('/tag/list?start_date=soon')).status, 400);
});
