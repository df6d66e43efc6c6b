import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUnder } from '#terms';
import { compileTagRules, DEFAULT_TAG_RULES, type TagRulesInput } from './rules.ts';

test('without settings no header, baggage or path sets a dimension, and an end user is the customer', () => {
  assert.deepEqual(DEFAULT_TAG_RULES, {
    headers: new Map(),
    baggage: new Set(),
    entityTypes: ['customer', 'project', 'team', 'employee'],
    pathRoots: new Map(),
    endUserAs: 'customer',
  });
});

test('header names are compared in lower case; null makes a label', () => {
  assert.deepEqual(
    compileTagRules({ headers: { 'X-Department': 'department', 'X-Foo': null } }).headers,
    new Map([
      ['x-department', { as: 'dimension', key: 'department' }],
      ['x-foo', { as: 'label' }],
    ]),
  );
});

const REFUSED: readonly (readonly [TagRulesInput, string])[] = [
  [{ headers: { 'x y': 'a' } }, 'headers.x y'],
  [{ headers: { 'x-a': 'two words' } }, 'headers.x-a'],
  [{ headers: { 'x-a': 'session_id' } }, 'headers.x-a'],
  [{ headers: { Authorization: null } }, 'headers.Authorization'],
  [{ headers: { 'x-api-key': 'caller' } }, 'headers.x-api-key'],
  [{ headers: { 'X-A': 'a', 'x-a': 'b' } }, 'headers.x-a'],
  [{ baggage: ['two words'] }, 'baggage'],
  [{ entityTypes: ['_apportion_x'] }, 'entity_types'],
  [{ pathRoots: { customer: '' } }, 'path_roots.customer'],
  [{ pathRoots: { 'a/b': 'customer' } }, 'path_roots.a/b'],
];

for (const [input, param] of REFUSED) {
  test(`${JSON.stringify(input)} is refused at ${param}`, () => {
    assert.throws(() => compileTagRules(input), { name: 'ApportionError', status: 400, param });
  });
}

test('a value is under a prefix by whole segments', () => {
  const under = (value: string) => isUnder(value, 'eng');
  assert.deepEqual(['eng', 'eng/search', 'engine', 'en', 'ops/eng', ''].map(under), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
