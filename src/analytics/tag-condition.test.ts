import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { createBindings } from './bindings.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { tagCondition } from './tag-condition.ts';

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
});

after(() => ledger.close());

/** Everything that means something in JSON, in a regular expression, or in a list of texts. */
const text = fc.string({
  unit: fc.constantFrom('a', 'B', '"', '\\', ',', '[', ']', '/', ':', '.', '*', '-', '\n', 'é', '😀'),
  minLength: 1,
  maxLength: 4,
});
const list = fc.array(fc.oneof(text, fc.constantFrom('a', 'a/B', 'a,"B', '"],["a')), { maxLength: 4 });

const isUnder = (path: string, wanted: string): boolean => `${path}/`.startsWith(`${wanted}/`);

describe('a filter by label or path', () => {
  it('finds what is in the lists, whatever characters are in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ labels: list, paths: list, nth: fc.nat(), other: text }), async (given) => {
        const { labels, paths, nth, other } = given;
        const all = [...labels, ...paths, ...paths.map((path) => path.slice(0, 1)), other];
        const wanted = all[nth % all.length] ?? other;
        const { bind, params } = createBindings();
        const conditions = [
          tagCondition({ kind: 'label', label: wanted }, bind),
          tagCondition({ kind: 'path', segments: [wanted] }, bind),
        ];
        const set = `toLowCardinality(toJSONString([arraySort(${bind('Array(String)', labels)}), arraySort(${bind('Array(String)', paths)})]))`;
        const rows = await ledger.store.query(
          `SELECT ${conditions.map((sql, at) => `toUInt8(${sql}) AS c${at}`).join(', ')} FROM (SELECT materialize(${set}) AS label_set)`,
          params,
        );
        const under = paths.some((path) => isUnder(path, wanted));
        assert.deepEqual(rows, [{ c0: labels.includes(wanted) || under ? 1 : 0, c1: under ? 1 : 0 }]);
      }),
      { numRuns: 300 },
    );
  });
});
