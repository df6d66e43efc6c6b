import { invariant } from '#std';
import { inputTokens, isTokenMeter, type Meter } from '#terms';
import type { Ratio } from './amount.ts';
import type { PriceRow, Rates } from './price-row.ts';
import {
  baseSheet,
  coverSheet,
  inheritPrices,
  multiplySheet,
  replaceTokenPrices,
  tierStart,
  type PriceSheet,
} from './price-sheet.ts';

/** Rates an operator agreed on. Without a tier they are base prices; with a region they hold as they are in that region. */
export type OwnRates = {
  readonly id: string;
  readonly rates: Rates;
  readonly serviceTier: string | null;
  readonly region: string | null;
};

/** The dearest token price of a side over all tiers and geographies, and whether no price of the band can need rounding. */
type Ceiling = { readonly input: Ratio | null; readonly output: Ratio | null; readonly whole: boolean };

/** The prices that hold from `fromTokens` input tokens up to the next band. */
type ContextBand = {
  readonly fromTokens: number;
  readonly base: PriceSheet;
  /** By geography, then by service tier; empty text for the base of each. */
  readonly sheets: ReadonlyMap<string, ReadonlyMap<string, PriceSheet>>;
  readonly ceiling: Ceiling;
  /** The same of one service tier alone, for work that is known to be served so. */
  readonly ceilings: ReadonlyMap<string, Ceiling>;
};

/** The prices of one model at one time, compiled: bands ascend, the first begins at 0. */
export type PriceMatch = {
  readonly model: string;
  /** The rows in force, strongest first. */
  readonly rows: readonly PriceRow[];
  readonly bands: readonly ContextBand[];
  /** Whether any row tells geographies apart; otherwise they do not matter. */
  readonly hasGeo: boolean;
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
};

/** How an answer was served: texts as the provider wrote them, empty for what it did not say. */
export type Served = { readonly serviceTier: string; readonly geo: string };

export type NoSheet = 'service_tier_without_price' | 'geo_without_price';

/** Names for "no tier": OpenAI `default` and `auto`, Anthropic `standard`, Groq and Gemini `on_demand`. */
const BASE_TIERS: ReadonlySet<string> = new Set(['', 'default', 'auto', 'standard', 'on_demand']);

/** Names for "nowhere in particular": Anthropic says `global`, and `not_available` of models that know no geography. */
const BASE_GEOS: ReadonlySet<string> = new Set(['', 'global', 'default', 'not_available']);

/** The tier's name as rows know it; empty for the base price. */
export function tierName(text: string): string {
  if (BASE_TIERS.has(text)) return '';
  const name = text.toLowerCase();
  return BASE_TIERS.has(name) ? '' : name;
}

function geoName(text: string): string {
  if (BASE_GEOS.has(text)) return '';
  const name = text.toLowerCase();
  return BASE_GEOS.has(name) ? '' : name;
}

/** @param rows in force, strongest first: each meter, tier and geography is taken from the first row that prices it */
export function compileMatch(model: string, rows: readonly PriceRow[], own: OwnRates | null = null): PriceMatch {
  return {
    model,
    rows,
    bands: bandStarts(rows).map((fromTokens) => compileBand({ rows, fromTokens, own })),
    hasGeo: rows.some(({ geo }) => geo !== undefined),
    contextWindow: rows.find((row) => row.contextWindow !== undefined)?.contextWindow ?? null,
    maxOutputTokens: rows.find((row) => row.maxOutputTokens !== undefined)?.maxOutputTokens ?? null,
  };
}

/** The sheet for a request of this size, served so; or what has no price there. */
export function findSheet(match: PriceMatch, totalInputTokens: number, served: Served): PriceSheet | NoSheet {
  let band = match.bands[0];
  for (const next of match.bands) if (totalInputTokens >= next.fromTokens) band = next;
  invariant(band !== undefined, 'a price match has a band from 0');
  const tier = tierName(served.serviceTier);
  const geo = match.hasGeo ? geoName(served.geo) : '';
  if (tier === '' && geo === '') return band.base;
  const there = band.sheets.get(geo);
  if (there === undefined) return 'geo_without_price';
  return there.get(tier) ?? (tier === '' ? 'geo_without_price' : 'service_tier_without_price');
}

function bandStarts(rows: readonly PriceRow[]): number[] {
  const starts = new Set([0]);
  for (const row of rows) {
    for (const tier of row.tiers ?? []) starts.add(tierStart(tier));
    for (const served of Object.values(row.serviceTiers ?? {}))
      if ('rates' in served && served.maxInputTokens !== undefined) starts.add(served.maxInputTokens + 1);
  }
  return [...starts].toSorted((left, right) => left - right);
}

type BandSource = { readonly rows: readonly PriceRow[]; readonly fromTokens: number; readonly own: OwnRates | null };

function compileBand(source: BandSource): ContextBand {
  const tiers = new Set(['', ...source.rows.flatMap(({ serviceTiers }) => Object.keys(serviceTiers ?? {}))]);
  if (source.own !== null && source.own.serviceTier !== null) tiers.add(source.own.serviceTier);
  const geos = new Set(['', ...source.rows.flatMap(({ geo }) => Object.keys(geo ?? {}))]);
  if (source.own !== null && source.own.region !== null) geos.add(source.own.region);
  const sheets = new Map<string, Map<string, PriceSheet>>();
  for (const geo of geos) {
    const there = new Map<string, PriceSheet>();
    for (const tier of tiers) {
      const sheet = compileSheet(source, tier, geo);
      if (sheet !== undefined) there.set(tier, sheet);
    }
    sheets.set(geo, there);
  }
  const base = sheets.get('')?.get('');
  invariant(base !== undefined, 'there is a base price sheet');
  const all = [...sheets.values()].flatMap((there) => [...there.values()]);
  const ceilings = new Map(
    [...tiers].map((tier) => {
      const served = [...sheets.values()].flatMap((there) => there.get(tier) ?? []);
      return [tier, findCeiling(served)] as const;
    }),
  );
  return { fromTokens: source.fromTokens, base, sheets, ceiling: findCeiling(all), ceilings };
}

/** Context tier, then service tier, then geography; undefined where one of them is not sold. */
function compileSheet(source: BandSource, tier: string, geo: string): PriceSheet | undefined {
  const { rows, own } = source;
  const local = findGeo(rows, geo);
  let sheet = inheritPrices(baseSheet(rows, source.fromTokens), rows);
  // Only an agreement speaks of this place: nothing but its own prices is known there.
  if (geo !== '' && local === undefined) sheet = replaceTokenPrices(sheet, {}, '');
  if (local !== undefined && 'rates' in local.price) {
    // A region's own list is made for the base tier and size: no row says what the others cost there.
    if (isLongContext(source) || hasTierRates(rows, tier)) return undefined;
    sheet = inheritPrices(replaceTokenPrices(sheet, local.price.rates, local.rowId), rows);
  }
  if (own !== null && own.serviceTier === null) sheet = coverSheet(sheet, own.rates, own.id);
  if (tier !== '') {
    const served = applyServiceTier(source, tier, sheet);
    if (served === undefined && own?.serviceTier !== tier) return undefined;
    sheet = inheritPrices(served ?? replaceTokenPrices(sheet, {}, ''), rows);
  }
  if (own !== null && tier !== '' && own.serviceTier === tier) sheet = coverSheet(sheet, own.rates, own.id);
  if (local === undefined || 'rates' in local.price) return sheet;
  const exempt = own !== null && own.region !== null ? own.rates : {};
  return multiplySheet(sheet, local.price.factor, { rowId: local.rowId, exempt });
}

function findGeo(rows: readonly PriceRow[], geo: string) {
  for (const row of rows) {
    const price = row.geo?.[geo];
    if (price !== undefined) return { price, rowId: row.id };
  }
  return undefined;
}

function isLongContext({ rows, fromTokens }: BandSource): boolean {
  return rows.some(({ tiers }) => (tiers ?? []).some((tier) => tierStart(tier) <= fromTokens));
}

function hasTierRates(rows: readonly PriceRow[], tier: string): boolean {
  const served = rows.find(({ serviceTiers }) => serviceTiers?.[tier] !== undefined)?.serviceTiers?.[tier];
  return served !== undefined && 'rates' in served;
}

function applyServiceTier(source: BandSource, tier: string, sheet: PriceSheet): PriceSheet | undefined {
  for (const row of source.rows) {
    const served = row.serviceTiers?.[tier];
    if (served === undefined) continue;
    if ('factor' in served) return multiplySheet(sheet, served.factor, { rowId: row.id, exempt: {} });
    if (served.maxInputTokens !== undefined && source.fromTokens > served.maxInputTokens) continue;
    return replaceTokenPrices(sheet, served.rates, row.id);
  }
  return undefined;
}

function findCeiling(sheets: readonly PriceSheet[]): Ceiling {
  let input: Ratio | null = null;
  let output: Ratio | null = null;
  let whole = true;
  for (const sheet of sheets) {
    for (const { meter, pico } of sheet.values()) {
      if (!isTokenMeter(meter)) continue;
      whole &&= pico.den === 1n;
      if (isInput(meter)) input = dearer(input, pico);
      else output = dearer(output, pico);
    }
  }
  return { input, output, whole };
}

function isInput(meter: Meter): boolean {
  return inputTokens({ [meter]: 1 }) === 1;
}

function dearer(left: Ratio | null, right: Ratio): Ratio {
  return left !== null && left.num * right.den >= right.num * left.den ? left : right;
}
