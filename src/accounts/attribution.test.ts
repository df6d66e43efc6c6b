import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_TAG_RULES } from '#tags';
import { ApportionError } from '#terms';
import { NO_ATTRIBUTION, readAttribution, readStoredAttribution } from './attribution.ts';

test('metadata that says nothing about tags has none', () => {
  assert.deepEqual(readAttribution({ note: 'x', tags: null, locked_tags: null, tag_policy: null }), NO_ATTRIBUTION);
});

for (const locked of [{ team: 'growth', env: 'prod' }, ['team:growth', 'env:prod'], 'team:growth,env:prod']) {
  test(`locks may be written as ${JSON.stringify(locked)}`, () => {
    const { lockedTags } = readAttribution({ locked_tags: locked });
    assert.deepEqual(
      lockedTags.dimensions,
      new Map([
        ['team', ['growth']],
        ['env', ['prod']],
      ]),
    );
  });
}

const NO_LOCKS: readonly (readonly [unknown, string, string, RegExp])[] = [
  [['beta'], 'invalid_tag', 'locked_tags', /"beta" has no key/],
  [['US/California'], 'invalid_tag', 'locked_tags', /"US\/California" has no key/],
  [['team:a', 'team:b'], 'invalid_tag', 'locked_tags', /team has two values/],
  [{ team: null }, 'invalid_tag', 'locked_tags', /locked_tags\.team is null/],
  [{ team: '' }, 'invalid_tag', 'locked_tags', /locked_tags\.team is empty/],
  [['team:'], 'invalid_tag', 'locked_tags', /is empty/],
  [{ team: {} }, 'invalid_tag', 'locked_tags.team', /locked_tags\.team has a type/],
  [7, 'invalid_tag', 'locked_tags', /locked_tags has a type/],
  [{ session_id: 'x' }, 'reserved_tag', 'locked_tags.session_id', /reserved/],
  [{ team: 'x'.repeat(300) }, 'tag_limit_exceeded', 'locked_tags.team', /256/],
];

for (const [locked, code, param, message] of NO_LOCKS) {
  test(`${JSON.stringify(locked).slice(0, 40)} is no lock`, () => {
    assert.throws(
      () => readAttribution({ locked_tags: locked }),
      (error) => {
        assert.ok(error instanceof ApportionError);
        assert.deepEqual([error.code, error.param], [code, param]);
        assert.match(error.message, message);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /metadata\.tags/);
        return true;
      },
    );
  });
}

test('a policy is checked where it is written', () => {
  assert.equal(readAttribution({ tag_policy: { mode: 'enforce', required: ['team'] } }).tagPolicy?.mode, 'enforce');
  assert.throws(() => readAttribution({ tag_policy: { mode: 'strict' } }), {
    code: 'invalid_field',
    param: 'tag_policy.mode',
  });
  assert.throws(() => readAttribution({ tag_policy: 'x' }), { code: 'invalid_field', param: 'tag_policy' });
});

test('of stored metadata that breaks newer rules the good parts count, and each call is told of the others', () => {
  const owner = { whose: 'team', rules: DEFAULT_TAG_RULES } as const;
  const stored = readStoredAttribution({ tags: ['env:prod'], locked_tags: ['beta'], tag_policy: 1 }, owner);
  assert.deepEqual(stored.defaultTags.sent, ['env:prod']);
  assert.deepEqual(stored.lockedTags, NO_ATTRIBUTION.lockedTags);
  assert.equal(stored.tagPolicy, null);
  assert.deepEqual(stored.defaultTags.warnings, [
    'the locked tags of this team break the current tag rules and were left out',
    'the policy rules of this team break the current tag rules and were left out',
  ]);
});
