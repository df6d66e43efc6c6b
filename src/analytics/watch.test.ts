import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TimestampMs } from '#std';
import { openSeededLedger, type SeededLedger } from './seeded-ledger.fixture.ts';
import { parseWatch, watchedValues, watchFigures, type WatchFigures } from './watch.ts';

const TIME = { start: Date.parse('2026-05-04') as TimestampMs, end: Date.parse('2026-05-05') as TimestampMs };

let ledger: SeededLedger;

before(async () => {
  ledger = await openSeededLedger();
  const [acme, globex] = [{ tags: ['customer:acme', 'team:a'] }, { tags: ['customer:globex'] }];
  await ledger.add([
    { at: '2026-05-04T00:00:00Z', body: acme, cost: 5n, billed: 7n },
    { at: '2026-05-04T23:59:59Z', body: acme, cost: 6n },
    { at: '2026-05-04T10:00:00Z', body: globex, cost: 3n },
    { at: '2026-05-04T11:00:00Z', body: globex, cost: null, state: 'unpriced' },
    // An attempt that failed before another one did it is no failed call; one that its client left is none either.
    { at: '2026-05-04T12:00:00Z', body: globex, cost: 0n, status: 'upstream_error' },
    { at: '2026-05-04T12:00:01Z', body: globex, cost: 1n, sameCall: true, attempt: 2 },
    { at: '2026-05-04T13:00:00Z', body: globex, cost: 0n, status: 'upstream_error' },
    { at: '2026-05-04T14:00:00Z', body: globex, cost: 0n, status: 'client_closed' },
    { at: '2026-05-04T15:00:00Z', cost: 9n },
    { at: '2026-05-05T00:00:00Z', body: acme, cost: 1000n },
    { at: '2026-05-03T23:59:59Z', body: acme, cost: 1000n },
  ]);
});
after(() => ledger.close());

async function figures(scope: unknown, each: string | null, lackingTag: string | null): Promise<readonly unknown[]> {
  const found = await watchFigures(ledger, parseWatch(scope, each), { time: TIME, lackingTag });
  const text = ({ value, cost, billed, calls, failed, unpriced, lacking }: WatchFigures): readonly unknown[] => [
    value,
    Number(cost),
    Number(billed),
    calls,
    failed,
    unpriced,
    Number(lacking),
  ];
  return found.map(text);
}

test('everything of a time is one value without a name', async () => {
  assert.deepEqual(await figures({}, null, null), [['', 24, 26, 8, 1, 1, 9]]);
});

test('each value of a tag is by itself, the dearest first, and what has none is none of them', async () => {
  assert.deepEqual(await figures({}, 'tags.customer', 'team'), [
    ['acme', 11, 13, 2, 0, 0, 0],
    ['globex', 4, 4, 5, 1, 1, 4],
  ]);
});

test('every breakdown that puts each call in one place can be watched', async () => {
  for (const each of ['entity', 'model', 'provider', 'key', 'key.team', 'status', 'route', 'cost_state', 'tags.team']) {
    const watch = parseWatch({}, each);
    const found = await watchFigures(ledger, watch, { time: TIME, lackingTag: null });
    assert.deepEqual(new Set(found.map(({ value }) => value)), await watchedValues(ledger, watch, TIME), each);
  }
});

test('only what a filter of reports takes is watched', async () => {
  assert.deepEqual(await figures({ tags: 'customer:acme' }, null, null), [['', 11, 13, 2, 0, 0, 0]]);
  assert.deepEqual(await figures({ tags: 'customer:nobody' }, null, null), [['', 0, 0, 0, 0, 0, 0]]);
});

test('a watch is asked when its values were there', async () => {
  const watch = parseWatch({}, 'tags.customer');
  const early = { start: Date.parse('2026-05-03') as TimestampMs, end: TIME.start };
  assert.deepEqual([...(await watchedValues(ledger, watch, early))], ['acme']);
});

test('what was corrected is watched in the state it is in by now', async () => {
  const [id] = await ledger.add([{ at: '2026-06-01T10:00:00Z', state: 'unpriced' }]);
  await ledger.correct([{ entry: `${id}.1.attempt.0`, cost: 8n, state: 'exact' }]);
  const time = { start: Date.parse('2026-06-01') as TimestampMs, end: Date.parse('2026-06-02') as TimestampMs };
  const watch = { time, lackingTag: null };
  const found = await watchFigures(ledger, parseWatch({}, 'cost_state'), watch);
  assert.deepEqual(
    found.map(({ value, cost, calls, unpriced }) => [value, cost, calls, unpriced]),
    [['exact', 8n, 1, 0]],
  );
});

test('a watch has no dates of its own, and each call has one place in it', () => {
  assert.throws(() => parseWatch({ start_date: '2026-01-01' }, null), { param: 'start_date' });
  for (const each of ['label', 'path', 'day', 'path:US', 'tags.team:/'])
    assert.throws(() => parseWatch({}, each), { param: 'for_each' });
});
