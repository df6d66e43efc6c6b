import type { ConditionalPrice, ModelInfo, Provider } from '@pydantic/genai-prices';
import type { TimestampMs } from '#std';
import type { Meter, UnitPrice } from '#terms';
import { chainHistory } from './history.ts';
import { hasRates, type ContextTier, type DayWindow, type Match, type PriceRow, type Rates } from './price-row.ts';

/** Rows of the seed, and the rates that were left out, each with its reason: their meters then have no price. */
export type Seed = { readonly rows: readonly PriceRow[]; readonly rejected: readonly string[] };

type Unit = { readonly meters: readonly Meter[]; readonly per: number };

/** The package's units. What is not listed has no meter of ours; its prices are not used. */
const UNITS: Readonly<Record<string, Unit>> = {
  input_mtok: { meters: ['input'], per: 1_000_000 },
  cache_read_mtok: { meters: ['cache_read'], per: 1_000_000 },
  cache_write_mtok: { meters: ['cache_write', 'cache_write_5m'], per: 1_000_000 },
  cache_write_1h_mtok: { meters: ['cache_write_1h'], per: 1_000_000 },
  output_mtok: { meters: ['output_text', 'output_reasoning'], per: 1_000_000 },
  output_reasoning_mtok: { meters: ['output_reasoning'], per: 1_000_000 },
  input_audio_mtok: { meters: ['input_audio'], per: 1_000_000 },
  cache_audio_read_mtok: { meters: ['cache_read_audio'], per: 1_000_000 },
  output_audio_mtok: { meters: ['output_audio'], per: 1_000_000 },
  input_image_mtok: { meters: ['input_image'], per: 1_000_000 },
  cache_image_read_mtok: { meters: ['cache_read_image'], per: 1_000_000 },
  output_image_mtok: { meters: ['output_image'], per: 1_000_000 },
  input_video_mtok: { meters: ['input_video'], per: 1_000_000 },
  web_searches_kcount: { meters: ['web_search'], per: 1_000 },
  storage_searches_kcount: { meters: ['file_search'], per: 1_000 },
  audio_hours: { meters: ['audio_seconds'], per: 3_600 },
  input_audio_hours: { meters: ['audio_seconds'], per: 3_600 },
  input_document_kpages: { meters: ['page'], per: 1_000 },
};

/** Prices whose exact value is known to be a fraction that no decimal can hold. */
const FRACTIONS: ReadonlyMap<string, string> = new Map([['0.08333333333333334', '1/12']]);

/** A price list has no more; a double with more is the dust of somebody's arithmetic. */
const SIGNIFICANT_DIGITS_MAX = 12;

/** @param edition name and version of the package, e.g. `genai-prices@0.1.8`; it becomes part of each row's id */
export function convertSeed(providers: readonly Provider[], edition: string): Seed {
  const rejected: string[] = [];
  const rows: PriceRow[] = [];
  for (const provider of providers) {
    const matches = matchModels(provider.models);
    for (const model of provider.models) {
      const place = `${edition}/${provider.id}/${model.id}`;
      for (const row of convertHistory(model.prices, { place, rejected }))
        rows.push({
          ...row,
          layer: 'seed',
          provider: provider.id,
          model: model.id.toLowerCase(),
          match: matches.get(model) ?? [],
          ...(model.context_window === undefined ? {} : { contextWindow: model.context_window }),
          source: `npm:@pydantic/${edition}`,
          checked: null,
        });
    }
  }
  // The same model listed twice is the same canonical model: the first listing holds.
  const unique = new Map(rows.toReversed().map((row) => [row.id.toLowerCase(), row]));
  return { rows: chainHistory([...unique.values()].toReversed().filter(hasRates)), rejected };
}

type DatedPrices = Pick<PriceRow, 'id' | 'effectiveFrom' | 'effectiveTo' | 'window' | 'rates' | 'tiers'>;

/**
 * The list is read from its end, the last condition that holds wins; a time of day therefore interrupts the dated prices
 * listed before it, and only from their date on. Without an unconditional first price there is none before the first date.
 */
function convertHistory(
  prices: ModelInfo['prices'],
  context: { readonly place: string; readonly rejected: string[] },
): DatedPrices[] {
  const entries: readonly ConditionalPrice[] = Array.isArray(prices) ? prices : [{ prices }];
  let effectiveFrom: TimestampMs | null = null;
  let date = '';
  return entries.map((entry) => {
    let window: DayWindow | undefined;
    if (entry.constraint?.type === 'start_date') {
      date = entry.constraint.start_date;
      effectiveFrom = Date.parse(`${date}T00:00:00Z`) as TimestampMs;
    } else if (entry.constraint !== undefined) {
      window = { fromSecond: secondOf(entry.constraint.start_time), toSecond: secondOf(entry.constraint.end_time) };
    }
    const time = window === undefined ? '' : `/${timeText(window.fromSecond)}-${timeText(window.toSecond)}`;
    const id = `${context.place}${date === '' ? '' : `/${date}`}${time}`;
    const converted = convertRates(entry.prices, { id, rejected: context.rejected });
    return { id, effectiveFrom, effectiveTo: null, ...(window === undefined ? {} : { window }), ...converted };
  });
}

function convertRates(
  prices: ConditionalPrice['prices'],
  context: { readonly id: string; readonly rejected: string[] },
): { rates: Rates; tiers?: readonly ContextTier[] } {
  const rates: Partial<Record<Meter, UnitPrice>> = {};
  const tiers = new Map<number, Partial<Record<Meter, UnitPrice>>>();
  const units = Object.entries(UNITS).filter(([key]) => prices[key] !== undefined);
  // A meter's own unit comes after the one that stands in for it, and so replaces it.
  for (const [key, { meters, per }] of units) {
    const price = prices[key];
    const { base, tiers: steps } = typeof price === 'object' ? price : { base: price, tiers: [] };
    const amounts = [base, ...steps.map((step) => step.price)].map((value) => toAmount(value));
    const [first, ...others] = amounts;
    if (first === undefined || amounts.includes(undefined)) {
      context.rejected.push(`${context.id}: ${key} ${[base, ...steps.map((step) => step.price)].join(', ')}`);
      for (const meter of meters) delete rates[meter];
      continue;
    }
    for (const meter of meters) {
      rates[meter] = { amount: first, per };
      for (const tier of tiers.values()) delete tier[meter];
      for (const [i, { start }] of steps.entries()) {
        const amount = others[i];
        if (amount !== undefined) tiers.set(start, { ...tiers.get(start), [meter]: { amount, per } });
      }
    }
  }
  if (tiers.size === 0) return { rates };
  return {
    rates,
    tiers: Array.from(tiers, ([threshold, tierRates]) => ({ threshold, op: 'gt', rates: tierRates })),
  };
}

function toAmount(value: number | undefined): string | undefined {
  if (value === undefined || !Number.isFinite(value) || value < 0) return undefined;
  const text = String(value);
  const fraction = FRACTIONS.get(text);
  if (fraction !== undefined) return fraction;
  const digits = text.replace(/e.*$/, '').replace('.', '').replace(/^0+/, '');
  return digits.length > SIGNIFICANT_DIGITS_MAX ? undefined : text;
}

/**
 * Exact names first, then canonical ones, then what the package only knows as the beginning of a name: that text itself
 * is safe to take, anything longer would be a guess.
 */
function matchModels(models: readonly ModelInfo[]): ReadonlyMap<ModelInfo, readonly Match[]> {
  const owners = new Map<string, ModelInfo>();
  const claim = (id: string, model: ModelInfo): void => {
    if (!owners.has(id.toLowerCase())) owners.set(id.toLowerCase(), model);
  };
  const clauses = models.map((model) => ({ model, clauses: alternatives(model.match) }));
  for (const { model, clauses: own } of clauses) for (const one of own) if ('equals' in one) claim(one.equals, model);
  for (const model of models) claim(model.id, model);
  for (const { model, clauses: own } of clauses)
    for (const one of own) if ('starts_with' in one && /\w$/.test(one.starts_with)) claim(one.starts_with, model);

  const matches = new Map<ModelInfo, Match[]>(models.map((model) => [model, []]));
  for (const [id, model] of owners) matches.get(model)?.push({ kind: 'id', id });
  for (const { model, clauses: own } of clauses) matches.get(model)?.push(...own.flatMap(toPattern));
  return matches;
}

function alternatives(match: ModelInfo['match']): ModelInfo['match'][] {
  return 'or' in match ? match.or.flatMap(alternatives) : [match];
}

function toPattern(clause: ModelInfo['match']): Match[] {
  if ('regex' in clause && /^\^.*\$$/.test(clause.regex)) return [{ kind: 'pattern', pattern: clause.regex }];
  if (!('starts_with' in clause) || !clause.starts_with.startsWith('ft:')) return [];
  // A fine-tuned model is `ft:<base>:<organisation>:<name>:<id>`: up to the second colon only a date may follow.
  return [{ kind: 'pattern', pattern: `^${clause.starts_with.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}[\\d-]*:.*$` }];
}

function secondOf(time: string): number {
  const [hours, minutes, seconds] = time.replace('Z', '').split(':').map(Number);
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
}

function timeText(second: number): string {
  return new Date(second * 1000).toISOString().slice(11, 16);
}
