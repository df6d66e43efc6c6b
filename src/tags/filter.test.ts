import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTagFilter, parseTagFilter, type TagFilter } from './filter.ts';
import { parseTag } from './parse-tag.ts';

const dimension = (key: string, ...values: (string | null)[]): TagFilter => ({ kind: 'dimension', key, values });
const path = (...segments: string[]): TagFilter => ({ kind: 'path', segments });
const label = (text: string): TagFilter => ({ kind: 'label', label: text });

const READ: readonly (readonly [string, TagFilter[]])[] = [
  ['', []],
  ['feature:chatbot,env:production', [dimension('feature', 'chatbot'), dimension('env', 'production')]],
  [
    'env:production,AWS_IAM_PROD,customer/acme',
    [dimension('env', 'production'), label('AWS_IAM_PROD'), path('customer', 'acme')],
  ],
  ['env:a, team:x ,env:b,env:a', [dimension('env', 'a', 'b'), dimension('team', 'x')]],
  ['team:(untagged),team:x', [dimension('team', null, 'x')]],
  ['team:(multiple)', [dimension('team', '(multiple)')]],
  [String.raw`a:1\,2,b:3\\4,c\:d`, [dimension('a', '1,2'), dimension('b', String.raw`3\4`), label('c:d')]],
  ['at:12:30', [dimension('at', '12:30')]],
  ['https://a/b', [label('https://a/b')]],
  [String.raw`https\://a/b`, [label('https://a/b')]],
  [String.raw`https:\//a`, [dimension('https', '//a')]],
  ['beta,beta,US/CA,/US//CA/,', [label('beta'), path('US', 'CA')]],
];

for (const [text, expected] of READ) {
  test(`the filter ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(parseTagFilter(text), expected);
  });
}

for (const text of [
  'env:',
  '/',
  String.raw`a\b`,
  'a\\',
  'entity_type:team',
  `k:${'v'.repeat(257)}`,
  `${'k'.repeat(65)}:v`,
]) {
  test(`the filter ${JSON.stringify(text.slice(0, 20))} is refused instead of matching more than was asked`, () => {
    assert.throws(() => parseTagFilter(text), { code: 'invalid_query', param: 'tags' });
  });
}

test('more than 64 conditions are refused', () => {
  const text = Array.from({ length: 65 }, (_, index) => `t${index}`).join(',');
  assert.throws(() => parseTagFilter(text), { code: 'invalid_query' });
});

/** Whatever a call can carry, plus values that only an object can give. */
const anyTag = fc
  .array(fc.constantFrom('a', 'b', ':', '/', ',', '\\', ' ', '(', 'https', 'team', 'é', '.'), {
    minLength: 1,
    maxLength: 10,
  })
  .map((parts) => parts.join(''));

test('what is formatted is read back the same', () => {
  const filters = fc.array(
    fc.oneof(
      anyTag
        .map((text) => parseTag(text))
        .filter((tag) => tag !== null)
        .map(toFilter),
      fc
        .tuple(fc.constantFrom('env', 'https'), anyTag)
        .map(([key, text]) => dimension(key, text.trim()))
        .filter(isUseful),
      fc.constantFrom(dimension('env', null), dimension('x', null, 'y')),
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(filters, (list) => {
      const merged = parseTagFilter(formatTagFilter(list));
      assert.deepEqual(parseTagFilter(formatTagFilter(merged)), merged);
      for (const filter of list) assert.deepEqual(parseTagFilter(formatTagFilter([filter])), [filter]);
    }),
    { numRuns: 500 },
  );
});

function toFilter(tag: NonNullable<ReturnType<typeof parseTag>>): TagFilter {
  return tag.kind === 'dimension' ? dimension(tag.key, tag.value) : tag;
}

function isUseful(filter: TagFilter): boolean {
  return filter.kind === 'dimension' && filter.values[0] !== '';
}
