import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Meters } from '#terms';
import { chainHistory } from './history.ts';
import { makePriceBook, type PriceBook } from './price-book.ts';
import type { PriceRow } from './price-row.ts';
import { instant, makeRow } from './row-fixture.ts';
import { rate } from './rate.ts';

function rowAt(book: PriceBook, at: string): string | undefined {
  const match = book.find({ provider: 'p', model: 'm', at: instant(at) });
  return match && rate({ meters: { input: 1 }, origin: 'reported', raw: '' }, match).charges[0]?.priceRow;
}

function bookOf(...layers: readonly PriceRow[][]): PriceBook {
  return makePriceBook(layers.flatMap((rows) => chainHistory(rows)));
}

const old = makeRow({ id: 'old' });
const cut = makeRow({ id: 'cut', effectiveFrom: instant('2026-08-17') });
const peak = makeRow({
  id: 'peak',
  effectiveFrom: instant('2026-08-17'),
  window: { fromSecond: 3600, toSecond: 4 * 3600 },
});
const night = makeRow({ id: 'night', window: { fromSecond: 23 * 3600, toSecond: 3600 } });

test('P8 a later row ends an earlier one, to the millisecond', () => {
  const book = bookOf([cut, old]);
  assert.equal(rowAt(book, '2026-08-16T23:59:59.999Z'), 'old');
  assert.equal(rowAt(book, '2026-08-17T00:00:00.000Z'), 'cut');
  assert.equal(rowAt(book, '1999-01-01T00:00:00Z'), 'old');
});

test('P8 before the first date and after the last one there is no price', () => {
  const dated = { ...cut, effectiveTo: instant('2026-09-01') };
  const book = bookOf([dated]);
  assert.equal(rowAt(book, '2026-08-16T23:59:59.999Z'), undefined);
  assert.equal(rowAt(book, '2026-08-31T23:59:59.999Z'), 'cut');
  assert.equal(rowAt(book, '2026-09-01T00:00:00.000Z'), undefined);
});

test('P8 nothing of an ended row is left in force', () => {
  const cheap = makeRow({
    id: 'cheap',
    effectiveFrom: instant('2026-08-17'),
    rates: { input: { amount: '1', per: 1 } },
  });
  const match = bookOf([old, cheap]).find({ provider: 'p', model: 'm', at: instant('2026-08-17') });
  assert.deepEqual([...(match?.bands[0]?.base.keys() ?? [])], ['input']);
});

test('P9 a window holds from its beginning to its end, and not before the date of its row', () => {
  const book = bookOf([old, cut, peak]);
  assert.equal(rowAt(book, '2026-08-16T02:00:00Z'), 'old');
  assert.equal(rowAt(book, '2026-08-17T00:59:59.999Z'), 'cut');
  assert.equal(rowAt(book, '2026-08-17T01:00:00Z'), 'peak');
  assert.equal(rowAt(book, '2026-08-17T03:59:59.999Z'), 'peak');
  assert.equal(rowAt(book, '2026-08-17T04:00:00Z'), 'cut');
  assert.equal(rowAt(book, '2026-11-21T02:00:00Z'), 'peak');
});

test('P9 a window over midnight holds on both sides of it, and a later price ends it', () => {
  const book = bookOf([old, night, cut]);
  assert.equal(rowAt(book, '2026-08-10T23:30:00Z'), 'night');
  assert.equal(rowAt(book, '2026-08-11T00:30:00Z'), 'night');
  assert.equal(rowAt(book, '2026-08-11T01:00:00Z'), 'old');
  assert.equal(rowAt(book, '2026-08-17T00:30:00Z'), 'cut');
});

test('P9 a window on some days of the week holds on those alone, and ends the one that held at its time on all days', () => {
  const weekdays = makeRow({
    id: 'weekdays',
    effectiveFrom: instant('2026-08-22T16:00:00Z'),
    window: { fromSecond: 3600, toSecond: 4 * 3600, days: [1, 2, 3, 4, 5] },
  });
  const book = bookOf([old, cut, peak, weekdays]);
  assert.equal(rowAt(book, '2026-08-22T02:00:00Z'), 'peak', 'the last Saturday before');
  assert.equal(rowAt(book, '2026-08-23T02:00:00Z'), 'cut', 'a Sunday');
  assert.equal(rowAt(book, '2026-08-24T02:00:00Z'), 'weekdays', 'a Monday');
  assert.equal(rowAt(book, '2026-08-28T03:59:59.999Z'), 'weekdays', 'a Friday');
  assert.equal(rowAt(book, '2026-08-29T02:00:00Z'), 'cut', 'a Saturday');
});

test('P9 a window over midnight belongs to the day it began on', () => {
  const friday = makeRow({ id: 'friday', window: { fromSecond: 23 * 3600, toSecond: 3600, days: [5] } });
  const book = bookOf([old, friday]);
  assert.equal(rowAt(book, '2026-08-28T00:30:00Z'), 'old', 'begun on a Thursday');
  assert.equal(rowAt(book, '2026-08-28T23:30:00Z'), 'friday');
  assert.equal(rowAt(book, '2026-08-29T00:30:00Z'), 'friday', 'begun on the Friday');
  assert.equal(rowAt(book, '2026-08-29T23:30:00Z'), 'old');
});

test('P9 the price does not depend on which times were asked for before', () => {
  const monday = makeRow({ id: 'monday', window: { fromSecond: 5 * 3600, toSecond: 6 * 3600, days: [1] } });
  const rows = [old, cut, peak, night, monday];
  const from = instant('2026-08-14');
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 6 * 86_400_000 }), { minLength: 1, maxLength: 30 }), (offsets) => {
      const asked = bookOf(rows);
      for (const offset of offsets) {
        const at = new Date(from + offset).toISOString();
        assert.equal(rowAt(asked, at), rowAt(bookOf(rows), at), at);
      }
    }),
  );
});

test('P12 an own file wins meter by meter, keeps what only the seed prices, and adds service tiers', () => {
  const fix = makeRow({ id: 'fix', rates: { output_text: { amount: '7', per: 1_000_000 } } });
  const flex = makeRow({ id: 'flex', model: '*', match: [], rates: {}, serviceTiers: { flex: { factor: '0.5' } } });
  const book = bookOf([fix, flex], [old]);
  const match = book.find({ provider: 'p', model: 'm', at: instant('2026-01-01') });
  const lines = (serviceTier: string): unknown => {
    const meters: Meters = { input: 1, output_text: 1 };
    return rate({ meters, origin: 'reported', serviceTier, raw: '' }, match).charges.map((c) => [
      c.priceRow,
      c.unitPrice.amount,
    ]);
  };
  assert.deepEqual(lines(''), [
    ['old', '2'],
    ['fix', '7'],
  ]);
  assert.deepEqual(lines('flex'), [
    ['old+flex', '1'],
    ['fix+flex', '3.5'],
  ]);
});

test('P12 an own price does not take the context tiers of the seed', () => {
  const tiers = [{ threshold: 10, op: 'gt', rates: { input: { amount: '4', per: 1_000_000 } } }] as const;
  const flat = makeRow({ id: 'flat', rates: { input: { amount: '3', per: 1_000_000 } } });
  const match = bookOf([flat], [{ ...old, tiers }]).find({ provider: 'p', model: 'm', at: instant('2026-01-01') });
  assert.equal(rate({ meters: { input: 11 }, origin: 'reported', raw: '' }, match).cost, 33_000_000n);
});

test('P13 a name is known exactly, by a pattern, or as a dated snapshot of an exact one', () => {
  const book = bookOf([
    makeRow({ model: 'gpt-4o' }),
    makeRow({ id: 'first', model: 'gpt-4o-2024-05-13' }),
    makeRow({ model: 'tuned', match: [{ kind: 'pattern', pattern: '^ft:gpt-4o[\\d-]*:.*$' }] }),
  ]);
  const model = (name: string): string | undefined =>
    book.find({ provider: 'p', model: name, at: instant('2026-01-01') })?.model;
  const known = [
    'gpt-4o',
    ' GPT-4o ',
    'models/gpt-4o',
    'publishers/acme/models/gpt-4o',
    'gpt-4o-2024-08-06',
    'gpt-4o-20240806',
    'gpt-4o-latest',
  ];
  for (const name of known) assert.equal(model(name), 'gpt-4o', name);
  assert.equal(model('gpt-4o-2024-05-13'), 'gpt-4o-2024-05-13');
  assert.equal(model('ft:gpt-4o-2024-08-06:acme::x1'), 'tuned');
});

test('P13 the beginning of a name is never enough', () => {
  const book = bookOf([makeRow({ model: 'gpt-4o' })]);
  const guesses = [
    'gpt-4o-mini',
    'gpt-4o-realtime-mini',
    'gpt-4',
    'gpt-4o-2024',
    'gpt-4o-2024-08-06-preview',
    'ft:gpt-4o:acme::x',
    'x/gpt-4o',
    '',
    '__proto__',
  ];
  for (const name of guesses)
    assert.equal(book.find({ provider: 'p', model: name, at: instant('2026-01-01') }), undefined, name);
  assert.equal(book.find({ provider: 'other', model: 'gpt-4o', at: instant('2026-01-01') }), undefined);
});

test('P13 what only changes models has no price of its own', () => {
  const flex = makeRow({ model: '*', match: [], rates: {}, serviceTiers: { flex: { factor: '0.5' } } });
  const book = bookOf([flex, makeRow()]);
  assert.equal(book.find({ provider: 'p', model: '*', at: instant('2026-01-01') }), undefined);
  assert.deepEqual(book.models('p'), ['m']);
  assert.deepEqual(book.models('other'), []);
});

test('P18 the version is the same for the same rows and another for others', () => {
  assert.equal(bookOf([old]).version, bookOf([makeRow({ id: 'old' })]).version);
  assert.notEqual(bookOf([old]).version, bookOf([old, cut]).version);
});
