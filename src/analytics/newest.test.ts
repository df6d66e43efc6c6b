import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { TimestampMs } from '#std';
import { events, parseEventsQuery } from './events.ts';
import { openSeededLedger, type Seed, type SeededLedger } from './seeded-ledger.fixture.ts';

const NOW = Date.parse('2025-03-31T12:00:00Z') as TimestampMs;

let ledger: SeededLedger;
/** Instants of all attempts by status, the newest first. */
const times = new Map<string, readonly string[]>();

/** Some in one quarter of an hour, some months apart, some at the same instant. */
const SEEDS: readonly Seed[] = [
  ...Array.from({ length: 9 }, (_, n) => ({
    at: new Date(Date.parse('2025-03-31T11:45:00Z') + n * 99_999).toISOString(),
  })),
  { at: '2025-03-31T11:44:59.999Z' },
  { at: '2025-03-31T11:30:00.000Z', status: 'upstream_error' },
  { at: '2025-03-31T11:30:00.000Z', status: 'upstream_error' },
  { at: '2025-03-31T03:00:00.000Z' },
  { at: '2025-03-30T23:59:59.999Z', status: 'upstream_error' },
  { at: '2025-03-01T00:00:00.000Z' },
  { at: '2024-11-05T07:08:09.010Z', status: 'upstream_error' },
  { at: '2019-01-01T00:00:00.000Z' },
];

before(async () => {
  ledger = await openSeededLedger();
  await ledger.add(SEEDS);
  for (const status of ['ok', 'upstream_error']) {
    const found = SEEDS.filter((seed) => (seed.status ?? 'ok') === status).map(({ at }) => at);
    times.set(status, found.toSorted().toReversed());
  }
});

after(() => ledger.close());

describe('a page of a list', () => {
  it('has the rows that stand there when all are ordered, wherever in time they are', async () => {
    const instants = fc
      .integer({ min: Date.parse('2025-03-30T00:00:00Z'), max: NOW })
      .map((ms) => new Date(ms).toISOString());
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ok', 'upstream_error'),
        fc.record({ limit: fc.integer({ min: 1, max: 8 }), offset: fc.integer({ min: 0, max: 12 }) }),
        fc.record(
          { start_date: fc.constantFrom('2018-01-01', '2025-01-01', '2025-03-30T23:59:59.999Z'), end_date: instants },
          { requiredKeys: [] },
        ),
        async (status, { limit, offset }, period) => {
          const query = { status, limit: String(limit), offset: String(offset), ...period };
          const wanted = (times.get(status) ?? []).filter(
            (at) => at >= (period.start_date ?? '1970') && (period.end_date === undefined || at <= period.end_date),
          );
          fc.pre((period.end_date ?? '9') >= (period.start_date ?? ''));
          const { data, pagination } = await events({ store: ledger.store }, parseEventsQuery(query, NOW));
          assert.deepEqual(
            data.map(({ timestamp }) => timestamp),
            wanted.slice(offset, offset + limit),
            JSON.stringify(query),
          );
          assert.equal(pagination.total, wanted.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is found with one look where the newest rows fill it', async () => {
    let statements = 0;
    const store = {
      ...ledger.store,
      asOf: () => ({ ...ledger.store.asOf(), at: NOW }),
      query: <T>(...given: Parameters<typeof ledger.store.query>): Promise<T[]> => {
        statements += 1;
        return ledger.store.query<T>(...given);
      },
    };
    await events({ store }, parseEventsQuery({ limit: '3' }, NOW));
    // The look, the rows, the total, and corrections of what is shown.
    assert.equal(statements, 4);
  });
});
