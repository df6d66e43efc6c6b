import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findSimilar } from './similar.ts';

function clustersOf(...texts: readonly string[]): unknown {
  // The first is used most, as a common spelling is.
  const used = texts.map((text, at) => ({ text, calls: at === 0 ? 1000 : 10 - at }));
  return findSimilar(used).map(({ members, difference }) => [difference, ...members.map(({ text }) => text)]);
}

describe('texts that probably mean the same', () => {
  it('differ in case', () => {
    assert.deepEqual(clustersOf('prod', 'Prod', 'PROD', 'staging'), [['case', 'prod', 'Prod', 'PROD']]);
  });

  it('differ in style', () => {
    assert.deepEqual(clustersOf('user_id', 'userId', 'user-id', 'USER.ID', 'userid'), [
      ['style', 'user_id', 'userId', 'user-id', 'USER.ID', 'userid'],
    ]);
  });

  it('differ by a slip of the pen in one word, and one is much rarer', () => {
    assert.deepEqual(clustersOf('production', 'prodction'), [['spelling', 'production', 'prodction']]);
    assert.deepEqual(clustersOf('feature', 'featrue'), []);
    assert.deepEqual(clustersOf('summarizer', 'sumarrizer'), [['spelling', 'summarizer', 'sumarrizer']]);
    assert.deepEqual(clustersOf('eng/search-team', 'eng/serch-team'), [
      ['spelling', 'eng/search-team', 'eng/serch-team'],
    ]);
    const alike = [
      { text: 'insight', calls: 50 },
      { text: 'insights', calls: 40 },
    ];
    assert.deepEqual(findSimilar(alike), []);
  });

  const apart: readonly (readonly [string, string])[] = [
    ['v1', 'v2'],
    ['customer-a', 'customer-b'],
    ['us-east-1', 'us-east-2'],
    ['us-east', 'us-west'],
    ['gpt-4o', 'gpt-4'],
    ['1.10', '11.0'],
    ['2025-01-02', '2025-01-03'],
    ['prod', 'product'],
    ['import', 'export'],
    ['internal', 'external'],
    ['*', '+'],
    ['team', 'term'],
    ['acme', 'acne'],
  ];
  for (const [left, right] of apart) {
    it(`are not ${left} and ${right}`, () => {
      assert.deepEqual(clustersOf(left, right), []);
    });
  }
});
