import { createHash } from 'node:crypto';
import type { TimestampMs } from '#std';
import { isInForce, spanAround } from './history.ts';
import { indexModels, type ModelIndex } from './model-index.ts';
import { hasRates, type PriceRow } from './price-row.ts';
import { compileMatch, type PriceMatch } from './price-sheet.ts';

export type PriceQuery = { readonly provider: string; readonly model: string; readonly at: TimestampMs };

/** All prices in force over time. */
export type PriceBook = {
  /** A hash of the rows: two books with one version price everything alike. */
  readonly version: string;
  /** Strongest first. */
  readonly rows: readonly PriceRow[];
  /** The prices of a model when an attempt starts; undefined when the name or the time has none. */
  find(query: PriceQuery): PriceMatch | undefined;
  /** The canonical names of a provider's priced models, sorted. */
  models(provider: string): readonly string[];
};

/** A name's rows, and what they compile to in the span last asked for: calls come in the order of time. */
type Resolved = {
  readonly model: string;
  readonly rows: readonly PriceRow[];
  from: number;
  to: number;
  match: PriceMatch | undefined;
};

type ProviderPrices = { readonly index: ModelIndex; readonly resolved: Map<string, Resolved | null> };

/** Model names come from callers: beyond this many the names of a provider are resolved anew. */
const RESOLVED_NAMES_MAX = 10_000;

/** @param rows strongest first: where two rows price the same thing at the same time, the first holds */
export function makePriceBook(rows: readonly PriceRow[]): PriceBook {
  const providers = new Map<string, ProviderPrices>();
  for (const [provider, own] of Map.groupBy(rows, (row) => row.provider))
    providers.set(provider, { index: indexModels(own), resolved: new Map() });
  return {
    version: createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 16),
    rows,
    find: ({ provider, model, at }) => {
      const prices = providers.get(provider);
      if (prices === undefined) return undefined;
      const resolved = resolve(prices, model);
      if (resolved === null) return undefined;
      if (at < resolved.from || at >= resolved.to) compileAt(resolved, at);
      return resolved.match;
    },
    models: (provider) => providers.get(provider)?.index.priced ?? [],
  };
}

function resolve({ index, resolved }: ProviderPrices, name: string): Resolved | null {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const found = index.find(name);
  // An empty span, so that the first look-up compiles.
  const fresh = found === undefined ? null : { ...found, from: Infinity, to: -Infinity, match: undefined };
  if (resolved.size >= RESOLVED_NAMES_MAX) resolved.clear();
  resolved.set(name, fresh);
  return fresh;
}

function compileAt(resolved: Resolved, at: TimestampMs): void {
  const { from, to } = spanAround(resolved.rows, at);
  const inForce = resolved.rows.filter((row) => isInForce(row, at));
  resolved.match = inForce.some(hasRates) ? compileMatch(resolved.model, inForce) : undefined;
  [resolved.from, resolved.to] = [from, to];
}
