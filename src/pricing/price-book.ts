import { createHash } from 'node:crypto';
import type { TimestampMs } from '#std';
import { isInForce, spanAround } from './history.ts';
import { fallBack, indexModels, type ModelIndex } from './model-index.ts';
import { compileMatch, type PriceMatch } from './price-match.ts';
import { hasRates, type PriceRow } from './price-row.ts';

export type PriceQuery = { readonly provider: string; readonly model: string; readonly at: TimestampMs };

/** All public prices over time. */
export type PriceBook = {
  /** A hash of the rows: two books with one version price everything alike. */
  readonly version: string;
  /** Strongest first. */
  readonly rows: readonly PriceRow[];
  /** The prices of a model when an attempt starts; undefined when the name or the time has none. */
  find(query: PriceQuery): PriceMatch | undefined;
  /** The rows of a provider by model; one without a model when nobody prices it. */
  index(provider: string): ModelIndex;
  /** The canonical names of a provider's priced models, sorted. */
  models(provider: string): readonly string[];
};

/** Azure sells OpenAI's models at OpenAI's prices (azure.microsoft.com/pricing/details/azure-openai); its own rows say where not. */
const SAME_PRICES: ReadonlyMap<string, readonly string[]> = new Map([['azure', ['openai']]]);

const NO_MODELS: ModelIndex = indexModels([]);

/** Model names come from callers: beyond this many the names of a provider are resolved anew. */
const RESOLVED_NAMES_MAX = 10_000;

/** @param rows strongest first: where two rows price the same thing at the same time, the first holds */
export function makePriceBook(rows: readonly PriceRow[]): PriceBook {
  const providers = indexProviders(rows);
  const resolved = new Map<string, Timeline>();
  const own = (provider: string): ModelIndex => providers.get(provider) ?? NO_MODELS;
  const fallen = new Map(
    Array.from(SAME_PRICES, ([provider, others]) => [provider, fallBack(own(provider), others.map(own))]),
  );
  const index = (provider: string): ModelIndex => fallen.get(provider) ?? own(provider);
  return {
    version: hashRows(rows),
    rows,
    index,
    find: ({ provider, model, at }) => {
      const name = `${provider}\n${model}`;
      let timeline = resolved.get(name);
      if (timeline === undefined) {
        if (resolved.size >= RESOLVED_NAMES_MAX) resolved.clear();
        timeline = openTimeline(findRows(index(provider), model));
        resolved.set(name, timeline);
      }
      return matchAt(timeline, at);
    },
    models: (provider) => index(provider).priced,
  };
}

export function indexProviders(rows: readonly PriceRow[]): ReadonlyMap<string, ModelIndex> {
  const byProvider = Map.groupBy(rows, (row) => row.provider);
  return new Map(Array.from(byProvider, ([provider, own]) => [provider, indexModels(own)]));
}

export function hashRows(rows: unknown): string {
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, 16);
}

function findRows(index: ModelIndex, name: string): ModelRows {
  const found = index.find(name);
  return found === undefined ? NO_ROWS : { model: found.model, rows: [...found.rows, ...index.everyModel] };
}

/** A model and every row that speaks of it, strongest first. */
export type ModelRows = { readonly model: string; readonly rows: readonly PriceRow[] };

const NO_ROWS: ModelRows = { model: '', rows: [] };

/** A model's rows, and what they compile to in the span last asked for: calls come in the order of time. */
export type Timeline = ModelRows & { from: number; to: number; match: PriceMatch | undefined };

export function openTimeline({ model, rows }: ModelRows): Timeline {
  // An empty span, so that the first look-up compiles.
  return { model, rows, from: Infinity, to: -Infinity, match: undefined };
}

/** The prices in force at a time; undefined when there is none. */
export function matchAt(timeline: Timeline, at: TimestampMs): PriceMatch | undefined {
  if (at < timeline.from || at >= timeline.to) {
    const { from, to } = spanAround(timeline.rows, at);
    const inForce = timeline.rows.filter((row) => isInForce(row, at));
    timeline.match = inForce.some(hasRates) ? compileMatch(timeline.model, inForce) : undefined;
    [timeline.from, timeline.to] = [from, to];
  }
  return timeline.match;
}
