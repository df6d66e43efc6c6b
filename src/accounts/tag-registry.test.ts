import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { systemClock } from '#std';
import { openAccounts, type Accounts } from './accounts.ts';
import { toTagInfo, toTagKeyInfo } from './tag-answer.ts';
import { parseTagKeyRequest, parseTagNameRequest, parseTagNamesRequest, parseTagRequest } from './tag-request.ts';
import { NOTHING_SPENT } from './subjects/figures.fixture.ts';

async function open(context: TestContext): Promise<Accounts> {
  const accounts = await openAccounts({ file: ':memory:', clock: systemClock, random: randomBytes });
  context.after(() => accounts.close());
  return accounts;
}

test('a key’s description and owner are kept one by one, and a key is not a label of that name', async (context) => {
  const { tags } = await open(context);
  const first = await tags.describeKey(parseTagKeyRequest('team', { description: 'Who pays' }));
  assert.deepEqual([first.description, first.owner], ['Who pays', null]);
  const second = await tags.describeKey(parseTagKeyRequest('team', { owner: 'finance' }));
  assert.deepEqual(toTagKeyInfo(second), {
    key: 'team',
    description: 'Who pays',
    owner: 'finance',
    created_at: new Date(first.createdAt).toISOString(),
    updated_at: new Date(second.updatedAt).toISOString(),
  });
  await tags.create(parseTagRequest({ name: 'team', description: 'a flat label' }));
  assert.deepEqual(await tags.descriptions('key'), new Map([['team', { description: 'Who pays', owner: 'finance' }]]));
  assert.deepEqual(await tags.descriptions('tag'), new Map([['team', { description: 'a flat label', owner: null }]]));
  const cleared = await tags.describeKey(parseTagKeyRequest('team', { description: null }));
  assert.deepEqual([cleared.description, cleared.owner], [null, 'finance']);
});

test('a registered tag lives as LiteLLM has it: new, update, info, delete, new again', async (context) => {
  const { tags } = await open(context);
  const made = await tags.create(parseTagRequest({ name: ' team: growth', description: 'x', models: ['gpt-4o'] }));
  assert.deepEqual(toTagInfo(made, NOTHING_SPENT), {
    name: 'team:growth',
    description: 'x',
    owner: null,
    models: ['gpt-4o'],
    model_info: null,
    created_at: new Date(made.createdAt).toISOString(),
    updated_at: new Date(made.updatedAt).toISOString(),
    created_by: 'admin',
    ...NOTHING_SPENT({ kind: 'tag', id: 'team:growth' }),
  });
  await assert.rejects(tags.create(parseTagRequest({ name: 'team:growth' })), { code: 'invalid_field', param: 'name' });
  const updated = await tags.update(parseTagRequest({ name: 'team:growth', description: 'y', models: null }));
  assert.deepEqual([updated.description, updated.models], ['y', []]);
  assert.deepEqual(await tags.infoOf(['team:growth', 'team:growth']), [updated]);
  await assert.rejects(tags.infoOf(['team:growth', 'gone']), { code: 'not_found' });
  await assert.rejects(tags.update(parseTagRequest({ name: 'gone' })), { code: 'not_found' });
  await tags.delete('team:growth');
  await assert.rejects(tags.delete('team:growth'), { code: 'not_found' });
  assert.deepEqual(await tags.list('tag'), []);
  const again = await tags.create(parseTagRequest({ name: 'team:growth' }));
  assert.deepEqual([again.description, (await tags.list('tag')).length], [null, 1]);
});

test('the registry is not the gateways’ business: nothing there raises the revision', async (context) => {
  const accounts = await open(context);
  const before = await accounts.snapshot();
  await accounts.tags.create(parseTagRequest({ name: 'beta' }));
  await accounts.tags.describeKey(parseTagKeyRequest('team', {}));
  assert.deepEqual(await accounts.snapshot(), before);
});

test('a tag is named as calls send it, in one form', () => {
  const names = ['team: growth', '/US//California/', ' beta ', 'https://x.example/a'];
  assert.deepEqual(parseTagNamesRequest({ names }), ['team:growth', 'US/California', 'beta', 'https://x.example/a']);
  assert.equal(parseTagNameRequest({ name: '__proto__' }), '__proto__');
});

const REFUSED: readonly (readonly [object, string, RegExp])[] = [
  [{ name: 'a', max_budget: '5,00' }, 'max_budget', /amount in US dollars/],
  [{ name: 'a', tpm_limit: -5 }, 'tpm_limit', /tpm_limit: /],
  [{ name: 'a', spend: 5 }, 'spend', /POST \/v1\/adjustments/],
  [{ name: 'a', team_id: 't' }, 'team_id', /lock the tag on the team/],
  [{ name: '' }, 'name', /no tag/],
  [{ name: 'team:' }, 'name', /no tag/],
  [{ name: 'team:(untagged)' }, 'name', /reserved/],
  [{ name: 'x'.repeat(300) }, 'name', /256/],
  [{}, 'name', /name: /],
  [{ name: 'a', descripton: 'x' }, 'descripton', /Unknown field/],
];

for (const [body, param, message] of REFUSED) {
  test(`the tag ${JSON.stringify(body).slice(0, 40)} is refused at ${param}`, () => {
    assert.throws(() => parseTagRequest(body), { param, message });
  });
}

for (const key of ['', 'a b', '1st', 'a:b', 'session_id', 'x'.repeat(65), '_apportion_x']) {
  test(`${JSON.stringify(key).slice(0, 20)} cannot be described as a key`, () => {
    assert.throws(() => parseTagKeyRequest(key, {}));
  });
}

test('every word about a tag is in the audit log, with who said it', async (context) => {
  const { tags, audit } = await open(context);
  await tags.describeKey(parseTagKeyRequest('team', { description: 'Who pays' }), 'member_ada');
  await tags.create(parseTagRequest({ name: 'beta' }), 'member_ada');
  await tags.update(parseTagRequest({ name: 'beta', owner: 'ann' }), 'admin_key');
  await tags.delete('beta', 'admin_key');
  await assert.rejects(tags.delete('beta', 'admin_key'), { code: 'not_found' });
  await assert.rejects(tags.update(parseTagRequest({ name: 'beta' }), 'admin_key'), { code: 'not_found' });
  const { records } = await audit.list({ limit: 10, cursor: null });
  assert.deepEqual(
    records.map(({ actor, action, target }) => [actor, action, target]),
    [
      ['admin_key', 'tag.delete', 'beta'],
      ['admin_key', 'tag.update', 'beta'],
      ['member_ada', 'tag.create', 'beta'],
      ['member_ada', 'tag_key.describe', 'team'],
    ],
  );
});
