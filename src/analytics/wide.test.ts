import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { costs, parseCostsQuery } from './costs.ts';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import type { StoreReader } from './reader.ts';
import { parseTimeseriesQuery, timeseries } from './timeseries.ts';

const NOW = Date.parse('2025-01-31T12:00:00Z') as TimestampMs;
const PERIOD = { start_date: '2025-01-01', end_date: '2025-01-31' };

/** Ten million dollars: more than 64 bits of pico-dollars. */
const DEAR = 10n ** 19n;

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
  await ledger.add([
    { at: '2025-01-03T10:00:00Z', model: 'a', cost: 5n },
    { at: '2025-01-03T11:00:00Z', model: 'b', cost: 7n },
    { at: '2025-01-04T10:00:00Z', model: 'b', cost: DEAR },
  ]);
});

after(() => ledger.close());

/** A reader that looks for no wide entries until it meets one, and the statements it was asked. */
function hopeful(): { readonly store: StoreReader; readonly wide: { met: boolean }; readonly asked: string[] } {
  const wide = { met: false };
  const asked: string[] = [];
  const { query } = ledger.store;
  const store: StoreReader = {
    ...ledger.store,
    wide,
    query: (sql, params, options) => {
      asked.push(sql);
      return query(sql, params, options);
    },
  };
  return { store, wide, asked };
}

describe('an amount beyond 64 bits', () => {
  it('is met by a report that did not look for any, which asks once more, and reports after it look', async () => {
    const { store, wide, asked } = hopeful();
    const query = parseCostsQuery({ ...PERIOD, group_by: 'model' }, NOW);
    const answer = await costs({ store }, query);
    assert.deepEqual(
      answer.data.map(({ value, total_cost_exact }) => [value, total_cost_exact]),
      [
        ['b', '10000000.000000000007'],
        ['a', '0.000000000005'],
      ],
    );
    assert.equal(answer.summary.total_cost_exact, '10000000.000000000012');
    assert.deepEqual([wide.met, asked.length], [true, 2]);
    assert.deepEqual((await costs({ store }, query)).data, answer.data);
    assert.equal(asked.length, 3);
  });

  it('is met by statements that run at once, and every one of them is asked again', async () => {
    const { store, wide, asked } = hopeful();
    const { data, summary } = await costs({ store }, parseCostsQuery({ ...PERIOD, group_by: 'label' }, NOW));
    assert.deepEqual(
      [...data, summary].map(({ total_cost_exact }) => total_cost_exact),
      ['10000000.000000000012', '10000000.000000000012'],
    );
    assert.deepEqual([wide.met, asked.length], [true, 4]);
  });

  it('is not looked for where the filter leaves it out', async () => {
    const { store, wide, asked } = hopeful();
    const { summary } = await timeseries(
      { store },
      parseTimeseriesQuery({ ...PERIOD, group_by: 'model', model: 'a' }, NOW),
    );
    assert.equal(summary.total_cost_exact, '0.000000000005');
    assert.deepEqual([wide.met, asked.length], [false, 1]);
  });

  it('is in the points of its day', async () => {
    const { store } = hopeful();
    const { data } = await timeseries({ store }, parseTimeseriesQuery({ ...PERIOD, group_by: 'model' }, NOW));
    assert.deepEqual(
      data.map(({ date, value, total_cost_exact }) => [date, value, total_cost_exact]),
      [
        ['2025-01-03', 'b', '0.000000000007'],
        ['2025-01-03', 'a', '0.000000000005'],
        ['2025-01-04', 'b', '10000000'],
      ],
    );
  });
});
