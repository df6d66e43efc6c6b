import { invariant, type TimestampMs } from '#std';
import { chainHistory } from './history.ts';
import { makePriceBook } from './price-book.ts';
import type { PriceRow } from './price-row.ts';
import type { PriceMatch } from './price-match.ts';

/** A row for tests: model `m` of provider `p`, 2 $/M in, 0.5 cached, 8 out, for ever. */
export function makeRow(changes: Partial<PriceRow> = {}): PriceRow {
  const model = changes.model ?? 'm';
  return {
    id: 'row',
    layer: 'overlay',
    provider: 'p',
    model,
    match: [{ kind: 'id', id: model }],
    effectiveFrom: null,
    effectiveTo: null,
    rates: {
      input: { amount: '2', per: 1_000_000 },
      cache_read: { amount: '0.5', per: 1_000_000 },
      output_text: { amount: '8', per: 1_000_000 },
      output_reasoning: { amount: '8', per: 1_000_000 },
      web_search: { amount: '10', per: 1_000 },
    },
    source: 'test',
    checked: null,
    ...changes,
  };
}

export function instant(text: string): TimestampMs {
  return Date.parse(text) as TimestampMs;
}

/** The match of model `m` at a time, by these rows of one source. */
export function matchRows(rows: readonly PriceRow[], at = '2026-01-01T00:00:00Z'): PriceMatch {
  const match = makePriceBook(chainHistory(rows)).find({ provider: 'p', model: 'm', at: instant(at) });
  invariant(match !== undefined, 'the rows price model m');
  return match;
}
