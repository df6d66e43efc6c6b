import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSeed } from './load.ts';
import { diffRows } from './row-diff.ts';
import { makeRow } from './row-fixture.ts';

const price = (amount: string) => ({ amount, per: 1_000_000 });

test('two editions differ in rows that came, went and changed, price by price', () => {
  const before = [
    makeRow({ id: 'seed@1/p/same' }),
    makeRow({ id: 'seed@1/p/cut', rates: { input: price('5'), cache_read: price('0.5') }, contextWindow: 1000 }),
    makeRow({ id: 'seed@1/p/gone', rates: { page: { amount: '1', per: 1_000 } } }),
  ];
  const tiers = [{ threshold: 10, op: 'gt', rates: { input: price('8') } }] as const;
  const after = [
    makeRow({ id: 'seed@2/p/new', rates: { input: price('1') } }),
    makeRow({ id: 'seed@2/p/cut', rates: { input: price('4'), output_audio: price('9') }, tiers, contextWindow: 1000 }),
    makeRow({ id: 'seed@2/p/same' }),
  ];
  assert.deepEqual(diffRows(before, after), [
    {
      row: 'p/cut',
      kind: 'changed',
      fields: [
        { field: 'input', before: '5/M', after: '4/M' },
        { field: 'cache_read', before: '0.5/M', after: null },
        { field: 'output_audio', before: null, after: '9/M' },
        { field: '> 10: input', before: null, after: '8/M' },
      ],
    },
    {
      row: 'p/gone',
      kind: 'removed',
      fields: [
        { field: 'page', before: '1/1000', after: null },
        { field: 'names', before: 'm', after: null },
      ],
    },
    {
      row: 'p/new',
      kind: 'added',
      fields: [
        { field: 'input', before: null, after: '1/M' },
        { field: 'names', before: null, after: 'm' },
      ],
    },
  ]);
});

test('the seed in use does not differ from itself', async () => {
  const { rows } = await loadSeed();
  assert.deepEqual(diffRows(rows, rows), []);
});
