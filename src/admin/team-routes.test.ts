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

test('a team is made, listed with its keys, changed, blocked and deleted as LiteLLM does it', async () => {
  const made = await admin.ask('/team/new', {
    team_alias: 'growth',
    metadata: { tags: ['env:prod'] },
    max_budget: null,
  });
  assert.deepEqual([made.status, fields(made.body)['team_id']], [200, 'growth']);
  const key = fields((await admin.ask('/key/generate', { team_id: 'growth' })).body);
  const updated = await admin.ask('/team/update', { team_id: 'growth', locked_tags: { team: 'growth' } });
  assert.deepEqual(fields(fields(updated.body)['data'])['metadata'], {
    tags: ['env:prod'],
    locked_tags: { team: 'growth' },
  });
  const info = fields((await admin.ask('/team/info?team_id=growth')).body);
  assert.deepEqual(info['team_info'], fields(updated.body)['data']);
  assert.deepEqual(
    [info['keys']].flat().map((each) => fields(each)['token']),
    [key['token']],
  );
  const list = await admin.ask('/team/list');
  assert.deepEqual(list.body, [{ ...fields(info['team_info']), keys: info['keys'], team_memberships: [] }]);
  assert.equal(fields((await admin.ask('/team/block', { team_id: 'growth' })).body)['blocked'], true);
  assert.equal(fields((await admin.ask('/team/unblock', { team_id: 'growth' })).body)['blocked'], false);
  assert.deepEqual((await admin.ask('/team/delete', { team_ids: ['growth'] })).body, {
    deleted_teams: ['growth'],
    deleted_keys: [key['token']],
  });
  assert.equal((await admin.ask('/team/info?team_id=growth')).status, 404);
  assert.equal(admin.accounts.ring.identify(String(key['key'])), undefined);
});

test('a key may name a team without a record, which is then no team to ask for', async () => {
  assert.equal((await admin.ask('/key/generate', { team_id: 'nameless' })).status, 200);
  assert.equal((await admin.ask('/team/info?team_id=nameless')).status, 404);
});

for (const [url, body, param] of [
  ['/team/new', { max_budget: -10 }, 'max_budget'],
  ['/team/update', { team_alias: 'x' }, 'team_id'],
  ['/team/delete', { team_ids: [] }, 'team_ids'],
  ['/team/block', {}, 'team_id'],
  ['/team/info', undefined, 'team_id'],
  ['/team/list?page=1', undefined, 'page'],
] as const) {
  test(`${url} with ${JSON.stringify(body)} is a 400`, async () => {
    const answer = await admin.ask(url, body);
    assert.deepEqual([answer.status, fields(fields(answer.body)['error'])['param']], [400, param]);
  });
}

test('a key is changed and given a new token over HTTP, in both spellings', async () => {
  const key = fields((await admin.ask('/key/generate', { key_alias: 'k' })).body);
  const updated = fields((await admin.ask('/key/update', { key: key['key'], tags: ['env:dev'] })).body);
  assert.deepEqual([updated['key'], updated['metadata']], [key['token'], { tags: ['env:dev'] }]);
  const second = fields((await admin.ask('/key/regenerate', { key: 'k' })).body);
  const third = fields((await admin.ask(`/key/${String(second['key'])}/regenerate`, { duration: '1d' })).body);
  assert.deepEqual([second['id'], third['id']], [key['id'], key['id']]);
  assert.equal(typeof third['expires'], 'string');
  assert.equal(admin.accounts.ring.identify(String(second['key'])), undefined);
  assert.equal(admin.accounts.ring.identify(String(third['key']))?.kind, 'key');
  assert.equal((await admin.ask('/key/k/regenerate', [])).status, 400);
});
