import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openAdmin, type OpenAdmin } from './open-admin.fixture.ts';

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

test('a budget on a tag is refused in so many words', async () => {
  const { status, body } = await admin.ask('/tag/new', { name: 'engineering', max_budget: 500 });
  const error = fields(fields(body)['error']);
  assert.deepEqual([status, error['param']], [400, 'max_budget']);
  assert.match(String(error['message']), /budgets on tags are not available yet/);
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
