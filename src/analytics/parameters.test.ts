import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { parseCostsQuery } from './costs.ts';
import { parseEventsQuery } from './events.ts';

const NOW = Date.parse('2025-03-31T23:30:00Z') as TimestampMs;

function refusal(query: unknown): { readonly param: string | null; readonly text: string } {
  try {
    parseCostsQuery(query, NOW);
  } catch (error) {
    assert.ok(error instanceof ApportionError, String(error));
    assert.equal(error.code, 'invalid_query');
    return { param: error.param, text: `${error.message} ${error.hint}` };
  }
  return assert.fail(`${JSON.stringify(query)} was accepted`);
}

const day = { start_date: '2025-01-01' };

describe('a query', () => {
  it('without an end ends today, in its time zone', () => {
    const { period } = parseCostsQuery({ ...day, timezone: 'Asia/Tokyo' }, NOW).filter;
    assert.equal(period.end, '2025-04-01');
    assert.equal(new Date(period.startMs).toISOString(), '2024-12-31T15:00:00.000Z');
    assert.equal(new Date(period.endMs).toISOString(), '2025-04-01T15:00:00.000Z');
  });

  it('takes instants, and reads those without an offset in the time zone', () => {
    const { period } = parseCostsQuery(
      { start_date: '2025-01-01T10:00', end_date: '2025-01-01T12:00:00.5+0100', timezone: 'Europe/Berlin' },
      NOW,
    ).filter;
    assert.equal(new Date(period.startMs).toISOString(), '2025-01-01T09:00:00.000Z');
    assert.equal(new Date(period.endMs).toISOString(), '2025-01-01T11:00:00.501Z');
  });

  it('refuses dates that do not exist, an end before the start, and what is no time zone', () => {
    for (const start_date of ['2025-02-29', '2025-1-1', 'yesterday', '0001-01-01', '2025-01-01T25:00:00Z']) {
      assert.equal(refusal({ start_date }).param, 'start_date', start_date);
    }
    assert.equal(refusal({ ...day, end_date: '2024-12-31' }).param, 'end_date');
    for (const timezone of ['Europe/Berlim', '+02:00', 'now'])
      assert.equal(refusal({ ...day, timezone }).param, 'timezone');
  });

  it('names the nearest known parameter, grouping or status', () => {
    assert.match(refusal({ ...day, groupby: 'day' }).text, /"groupby".*Did you mean "group_by"\?/);
    assert.match(refusal({ ...day, group_by: 'modle' }).text, /Did you mean "model"\?/);
    assert.match(refusal({ ...day, group_by: 'feature' }).text, /write tags\.feature/);
    assert.match(refusal({ ...day, entity_type: 'custmer' }).text, /Did you mean "customer"\?/);
    assert.match(refusal({ ...day, status: 'okay' }).text, /Did you mean "ok"\?/);
    assert.match(refusal({ ...day, group_by: 'tags.a b' }).text, /no tag key/);
    assert.match(refusal({ ...day, group_by: 'model,day' }).text, /one group_by/);
  });

  it('refuses an empty or repeated filter, which would otherwise answer with everybody’s money', () => {
    assert.match(refusal({ ...day, entity_id: '' }).text, /"entity_id" is empty/);
    assert.match(refusal({ ...day, model: ['a', 'b'] }).text, /stands 2 times/);
    assert.match(refusal({ ...day, limit: '0' }).text, /from 1 to 10000/);
    assert.match(refusal({ ...day, tags: 'env:' }).text, /env/);
  });

  it('takes tags several times, as a comma', () => {
    assert.deepEqual(
      parseCostsQuery({ ...day, tags: ['env:a', 'beta'] }, NOW).filter.tags,
      parseCostsQuery({ ...day, tags: 'env:a,beta' }, NOW).filter.tags,
    );
  });

  it('of events needs no dates', () => {
    const { filter, page } = parseEventsQuery({}, NOW);
    assert.equal(filter.period.end, '2025-03-31');
    assert.deepEqual(page, { limit: 100, offset: 0 });
  });
});
