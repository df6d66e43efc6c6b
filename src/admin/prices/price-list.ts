import { z } from 'zod';
import { PRICE_LAYERS, type PriceBook, type PriceLayer, type PriceRow } from '#pricing';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { parseRequest } from '../parse-request.ts';
import type { CurrentPrices } from './current-prices.ts';
import { toWirePriceRow, type WirePriceRow } from './price-row.ts';

/** The model of rows that hold for every model of their provider. */
const EVERY_MODEL = '*';

export type PricesQuery = {
  readonly provider: string | undefined;
  readonly model: string | undefined;
  /** Null for the whole history. */
  readonly at: TimestampMs | null;
  readonly layer: PriceLayer | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
};

export type PricesAnswer = {
  readonly object: 'list';
  readonly data: readonly WirePriceRow[];
  /** Of the price book and the operator's terms together, as entries name it. */
  readonly version: string;
  readonly has_more: boolean;
  readonly next_cursor: string | null;
};

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()], 'a day, an instant, or "all"');

const fields = z.strictObject({
  provider: z.string().trim().min(1).optional(),
  model: z.string().trim().min(1).optional(),
  at: z.union([z.literal('all'), instant]).optional(),
  layer: z.enum(PRICE_LAYERS).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().min(1).optional(),
});

const HINT = 'Parameters: provider, model, at (an instant, or "all"), layer (operator, overlay, seed), limit, cursor.';

export function parsePricesQuery(query: unknown, now: TimestampMs): PricesQuery {
  const { at, ...rest } = parseRequest(query, { schema: fields, hint: HINT });
  const when = at === 'all' ? null : at === undefined ? now : (Date.parse(at) as TimestampMs);
  return {
    provider: rest.provider,
    model: rest.model,
    at: when,
    layer: rest.layer,
    limit: rest.limit,
    cursor: rest.cursor,
  };
}

/** Price rows by provider and model; of one model the strongest first. */
export function listPrices(current: CurrentPrices, query: PricesQuery, now: TimestampMs): PricesAnswer {
  const rows = findRows(current, query, now);
  const start = query.cursor === undefined ? 0 : afterCursor(rows, query.cursor);
  const page = rows.slice(start, start + query.limit);
  const more = start + page.length < rows.length;
  return {
    object: 'list',
    data: page,
    version: current.prices.version,
    has_more: more,
    next_cursor: more ? (page.at(-1)?.id ?? null) : null,
  };
}

function findRows(current: CurrentPrices, query: PricesQuery, now: TimestampMs): WirePriceRow[] {
  const wanted = current.book.rows.filter(
    (row) =>
      (query.provider === undefined || row.provider === query.provider) &&
      (query.at === null || holdsAt(row, query.at)),
  );
  const named =
    query.model === undefined
      ? wanted
      : ofModel(wanted, { name: query.model, at: query.at }, { book: current.book, now });
  return named
    .filter(({ layer }) => query.layer === undefined || layer === query.layer)
    .map(toWirePriceRow)
    .toSorted((left, right) => compare(left.provider, right.provider) || compare(placeOf(left), placeOf(right)));
}

type Naming = { readonly book: PriceBook; readonly now: TimestampMs };

type Named = { readonly name: string; readonly at: TimestampMs | null };

/** Rows of the model a name stands for at each provider, by its canonical name or any other; what holds for every model of one is with them. */
function ofModel(rows: readonly PriceRow[], { name, at }: Named, { book, now }: Naming): PriceRow[] {
  const canonical = new Map<string, string>();
  const lower = name.toLowerCase();
  for (const { provider, model } of rows) if (model === lower) canonical.set(provider, model);
  for (const provider of new Set(rows.map((row) => row.provider))) {
    const model = canonical.get(provider) ?? book.find({ provider, model: name, at: at ?? now })?.model;
    if (model !== undefined) canonical.set(provider, model);
  }
  return rows.filter(({ provider, model }) => {
    const wanted = canonical.get(provider);
    return wanted !== undefined && (model === wanted || model === EVERY_MODEL);
  });
}

function holdsAt({ effectiveFrom, effectiveTo }: PriceRow, at: TimestampMs): boolean {
  return (effectiveFrom === null || effectiveFrom <= at) && (effectiveTo === null || at < effectiveTo);
}

function afterCursor(rows: readonly WirePriceRow[], cursor: string): number {
  const last = rows.findIndex(({ id }) => id === cursor);
  if (last >= 0) return last + 1;
  throw new ApportionError('invalid_query', '"cursor" is none of this list.', {
    param: 'cursor',
    hint: 'Give the next_cursor of the page before with the same filters; prices may have changed since.',
  });
}

/** What holds for every model comes after those it holds for. */
function placeOf({ model }: WirePriceRow): string {
  return model === EVERY_MODEL ? '\uffff' : model;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
