import { z } from 'zod';
import type { TimestampMs } from '#std';
import { isTokenMeter, METERS, type Meter } from '#terms';
import { parseRatio } from './amount.ts';
import {
  EVERY_MODEL,
  type DayWindow,
  type GeoPrice,
  type Match,
  type PriceLayer,
  type PriceRow,
  type RatePrice,
  type Rates,
  type ServiceTierPrice,
} from './price-row.ts';

const tokens = z.int().positive();

const ratePrice = z.strictObject({
  amount: z.string('write the amount as a string, so that it stays exact').refine(isAmount, 'not a decimal or n/d'),
  per: tokens,
  minimum: z.number().positive().optional(),
});

export const ratesSchema = z
  .partialRecord(z.enum(METERS), ratePrice)
  .refine((rates) => METERS.every((meter) => !isTokenMeter(meter) || rates[meter]?.minimum === undefined), {
    message: 'a minimum is for fees: tokens are billed as they are counted',
  });

const factor = z.strictObject({
  factor: z.string('write the factor as a string').refine(isAmount, 'not a decimal or n/d'),
});

const lowerName = z.string().regex(/^[^A-Z\s]+$/, 'a name in lower case');

export const tiersSchema = z.array(
  z.strictObject({ threshold: tokens, op: z.enum(['gt', 'gte']), rates: ratesSchema }),
);

export const serviceTiersSchema = z.record(
  lowerName,
  z.union([factor, z.strictObject({ rates: ratesSchema, max_input_tokens: tokens.optional() })]),
);

export const geoSchema = z.record(lowerName, z.union([factor, z.strictObject({ rates: ratesSchema })]));

const instantText = z.union(
  [z.iso.date(), z.iso.datetime()],
  'a day (2026-01-31) or an instant in UTC (2026-01-31T00:00:00Z)',
);

/** A day or an instant in UTC; null where there is none. */
export const instantSchema = instantText.nullable().transform((text) => {
  return text === null ? null : (Date.parse(text) as TimestampMs);
});

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day, UTC, such as 16:30');

const weekdays = z
  .array(z.int().min(1).max(7), 'days of the week, 1 is Monday')
  .min(1)
  .refine((days) => new Set(days).size === days.length, 'each day once');

export const providerName = z.string().regex(/^[a-z0-9_-]+$/, 'a provider name in lower case');

/** The fields of a price row, in our files and in what an operator says. */
export const ROW_FIELDS = {
  id: z.string().min(1),
  provider: providerName,
  model: z.string().regex(/^[^A-Z\s]+$/, 'a model name in lower case'),
  match: z
    .array(
      z.union([
        z.string().min(1),
        z.strictObject({ pattern: z.string().refine(isPattern, 'an anchored ^…$ pattern') }),
      ]),
    )
    .optional(),
  effective_from: instantSchema,
  effective_to: instantSchema.optional(),
  window: z.strictObject({ from: timeOfDay, to: timeOfDay, days: weekdays.optional() }).optional(),
  rates: ratesSchema.default({}),
  tiers: tiersSchema.optional(),
  service_tiers: serviceTiersSchema.optional(),
  geo: geoSchema.optional(),
  inherit: z.partialRecord(z.enum(METERS), z.enum(METERS)).optional(),
  context_window: tokens.optional(),
  max_output_tokens: tokens.optional(),
  source: z.string().min(1),
  checked: z.iso.date(),
} as const;

const rowObject = z.strictObject(ROW_FIELDS);

export type RowText = Omit<z.output<typeof rowObject>, 'checked'> & { readonly checked: string | null };

type RatesText = z.output<typeof ratesSchema>;

/** Faults that are in no field alone: a path and what is wrong there. */
export function findRowFaults(row: Pick<RowText, 'rates' | 'tiers'>): { path: string[]; message: string }[] {
  const unknown = (row.tiers ?? []).flatMap((tier) => Object.keys(tier.rates).filter((meter) => !(meter in row.rates)));
  return unknown.length === 0 ? [] : [{ path: ['tiers'], message: 'a tier prices a meter that the row does not' }];
}

export function toPriceRow(row: RowText, layer: PriceLayer): PriceRow {
  const ratesOf = reasoningReader(row);
  return {
    id: row.id,
    layer,
    provider: row.provider,
    model: row.model,
    match: (row.match ?? (row.model === EVERY_MODEL ? [] : [row.model])).map(toMatch),
    effectiveFrom: row.effective_from,
    effectiveTo: row.effective_to ?? null,
    ...(row.window && { window: toWindow(row.window) }),
    rates: ratesOf(row.rates),
    ...(row.tiers && {
      tiers: row.tiers.map(({ threshold, op, rates: own }) => ({ threshold, op, rates: ratesOf(own) })),
    }),
    ...(row.service_tiers && { serviceTiers: toServiceTiers(row.service_tiers, ratesOf) }),
    ...(row.geo && { geo: toGeo(row.geo, ratesOf) }),
    ...(row.inherit && { inherit: row.inherit }),
    ...(row.context_window && { contextWindow: row.context_window }),
    ...(row.max_output_tokens && { maxOutputTokens: row.max_output_tokens }),
    source: row.source,
    checked: row.checked,
  };
}

function toWindow({ from, to, days }: NonNullable<RowText['window']>): DayWindow {
  return {
    fromSecond: toSecond(from),
    toSecond: toSecond(to),
    ...(days && { days: days.toSorted((left, right) => left - right) }),
  };
}

/** Prices as they stand: no meter takes the price of another. */
export function toRates(text: RatesText): Rates {
  const read: Partial<Record<Meter, RatePrice>> = {};
  for (const meter of METERS) {
    const price = text[meter];
    if (price === undefined) continue;
    const { amount, per, minimum } = price;
    read[meter] = minimum === undefined ? { amount, per } : { amount, per, minimum };
  }
  return read;
}

export function toServiceTiers(
  served: z.output<typeof serviceTiersSchema>,
  ratesOf: (text: RatesText) => Rates,
): Record<string, ServiceTierPrice> {
  const tiers: Record<string, ServiceTierPrice> = {};
  for (const [name, price] of Object.entries(served)) {
    if ('factor' in price) tiers[name] = { factor: price.factor };
    else {
      const limit = price.max_input_tokens === undefined ? {} : { maxInputTokens: price.max_input_tokens };
      tiers[name] = { rates: ratesOf(price.rates), ...limit };
    }
  }
  return tiers;
}

export function toGeo(geo: z.output<typeof geoSchema>, ratesOf: (text: RatesText) => Rates): Record<string, GeoPrice> {
  const read: Record<string, GeoPrice> = {};
  for (const [name, price] of Object.entries(geo))
    read[name] = 'factor' in price ? { factor: price.factor } : { rates: ratesOf(price.rates) };
  return read;
}

function toMatch(match: string | { readonly pattern: string }): Match {
  if (typeof match === 'string') return { kind: 'id', id: match.toLowerCase() };
  return { kind: 'pattern', pattern: match.pattern };
}

/** Reasoning is billed as output text wherever a row does not price it on its own. */
function reasoningReader(row: RowText): (text: RatesText) => Rates {
  const tables = [row.rates, ...(row.tiers ?? []).map((tier) => tier.rates)];
  for (const price of Object.values({ ...row.service_tiers, ...row.geo }))
    if ('rates' in price) tables.push(price.rates);
  const own = tables.some((table) => table.output_reasoning !== undefined);
  return (text) => {
    const read = toRates(text);
    const asText = own ? undefined : read.output_text;
    return asText === undefined ? read : { ...read, output_reasoning: asText };
  };
}

function toSecond(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 3600 + Number(minutes) * 60;
}

export function isAmount(text: string): boolean {
  return parseRatio(text) !== undefined;
}

function isPattern(text: string): boolean {
  if (!text.startsWith('^') || !text.endsWith('$')) return false;
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    // An expression that does not compile is a fault of the file, told with its field.
    return false;
  }
}
