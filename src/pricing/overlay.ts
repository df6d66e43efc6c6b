import { z } from 'zod';
import type { TimestampMs } from '#std';
import { METERS, type Meter, type UnitPrice } from '#terms';
import { parseRatio } from './amount.ts';
import { chainHistory } from './history.ts';
import { EVERY_MODEL, type Match, type PriceRow, type Rates, type ServiceTierPrice } from './price-row.ts';

/** One of our own price files, as text, and the name its errors carry. */
export type PriceFile = { readonly name: string; readonly text: string };

/** A price file that cannot be read: every fault at once, each with file, row and field. */
export class PriceFileError extends Error {
  override readonly name = 'PriceFileError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const tokens = z.int().positive();

const unitPrice = z.strictObject({
  amount: z.string('write the amount as a string, so that it stays exact').refine(isAmount, 'not a decimal or n/d'),
  per: tokens,
});

const rates = z.partialRecord(z.enum(METERS), unitPrice);

const servedTier = z.union([
  z.strictObject({ factor: z.string('write the factor as a string').refine(isAmount, 'not a decimal or n/d') }),
  z.strictObject({ rates, max_input_tokens: tokens.optional() }),
]);

const instant = z.union(
  [z.iso.date(), z.iso.datetime()],
  'a day (2026-01-31) or an instant in UTC (2026-01-31T00:00:00Z)',
);

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day, UTC, such as 16:30');

const rowSchema = z
  .strictObject({
    id: z.string().min(1),
    provider: z.string().regex(/^[a-z0-9_-]+$/),
    model: z.string().regex(/^[^A-Z\s]+$/, 'a model name in lower case'),
    match: z
      .array(
        z.union([
          z.string().min(1),
          z.strictObject({ pattern: z.string().refine(isPattern, 'an anchored ^…$ pattern') }),
        ]),
      )
      .optional(),
    effective_from: instant.nullable(),
    effective_to: instant.nullable().optional(),
    window: z.strictObject({ from: timeOfDay, to: timeOfDay }).optional(),
    rates: rates.default({}),
    tiers: z.array(z.strictObject({ threshold: tokens, op: z.enum(['gt', 'gte']), rates })).optional(),
    service_tiers: z.record(z.string().regex(/^[^A-Z\s]+$/, 'a tier name in lower case'), servedTier).optional(),
    context_window: tokens.optional(),
    max_output_tokens: tokens.optional(),
    source: z.string().min(1),
    checked: z.iso.date(),
  })
  .refine((row) => row.model !== EVERY_MODEL || Object.keys(row.rates).length === 0, {
    path: ['rates'],
    message: `model "${EVERY_MODEL}" holds for every priced model and has no rates of its own`,
  })
  .refine((row) => (row.tiers ?? []).every((tier) => Object.keys(tier.rates).every((meter) => meter in row.rates)), {
    path: ['tiers'],
    message: 'a tier prices a meter that the row does not',
  });

type RowText = z.output<typeof rowSchema>;

type RatesText = z.output<typeof rates>;

const fileSchema = z.strictObject({ about: z.string().optional(), rows: z.array(z.unknown()) });

/** Reads our own price files into rows, in force one after the other. */
export function parseOverlay(files: readonly PriceFile[]): PriceRow[] {
  const faults: string[] = [];
  const rows: PriceRow[] = [];
  const places = new Map<string, string>();
  for (const file of files) {
    for (const { row, place } of readFile(file, faults)) {
      const other = places.get(row.id);
      if (other !== undefined) faults.push(`${place}: the id is taken by ${other}`);
      places.set(row.id, place);
      rows.push(toPriceRow(row));
    }
  }
  if (faults.length > 0) throw new PriceFileError(faults);
  return chainHistory(rows);
}

function readFile({ name, text }: PriceFile, faults: string[]): { row: RowText; place: string }[] {
  const file = fileSchema.safeParse(parseJson(text));
  if (!file.success) {
    faults.push(...file.error.issues.map((issue) => `${name}: ${issue.path.join('.')}: ${issue.message}`));
    return [];
  }
  return file.data.rows.flatMap((given, at) => {
    const row = rowSchema.safeParse(given);
    const id = z.object({ id: z.string() }).safeParse(given).data?.id ?? '(no id)';
    const place = `${name}: row ${at + 1} "${id}"`;
    if (row.success) return [{ row: row.data, place }];
    faults.push(...row.error.issues.map((issue) => `${place}: ${issue.path.join('.') || '(row)'}: ${issue.message}`));
    return [];
  });
}

function toPriceRow(row: RowText): PriceRow {
  const ratesOf = reasoningReader(row);
  return {
    id: row.id,
    provider: row.provider,
    model: row.model,
    match: (row.match ?? (row.model === EVERY_MODEL ? [] : [row.model])).map(toMatch),
    effectiveFrom: toTimestamp(row.effective_from),
    effectiveTo: toTimestamp(row.effective_to ?? null),
    ...(row.window && { window: { fromSecond: toSecond(row.window.from), toSecond: toSecond(row.window.to) } }),
    rates: ratesOf(row.rates),
    ...(row.tiers && {
      tiers: row.tiers.map(({ threshold, op, rates: own }) => ({ threshold, op, rates: ratesOf(own) })),
    }),
    ...(row.service_tiers && { serviceTiers: toServiceTiers(row.service_tiers, ratesOf) }),
    ...(row.context_window && { contextWindow: row.context_window }),
    ...(row.max_output_tokens && { maxOutputTokens: row.max_output_tokens }),
    source: row.source,
    checked: row.checked,
  };
}

function toMatch(match: string | { readonly pattern: string }): Match {
  if (typeof match === 'string') return { kind: 'id', id: match.toLowerCase() };
  return { kind: 'pattern', pattern: match.pattern };
}

function toServiceTiers(
  served: NonNullable<RowText['service_tiers']>,
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

/** Reasoning is billed as output text wherever a row does not price it on its own. */
function reasoningReader(row: RowText): (text: RatesText) => Rates {
  const tables = [row.rates, ...(row.tiers ?? []).map((tier) => tier.rates)];
  for (const price of Object.values(row.service_tiers ?? {})) if ('rates' in price) tables.push(price.rates);
  const own = tables.some((table) => table.output_reasoning !== undefined);
  return (text) => {
    const read: Partial<Record<Meter, UnitPrice>> = {};
    for (const meter of METERS) {
      const price = text[meter] ?? (meter === 'output_reasoning' && !own ? text.output_text : undefined);
      if (price !== undefined) read[meter] = price;
    }
    return read;
  };
}

function toTimestamp(text: string | null): TimestampMs | null {
  return text === null ? null : (Date.parse(text) as TimestampMs);
}

function toSecond(time: string): number {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 3600 + Number(minutes) * 60;
}

function isAmount(text: string): boolean {
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema then says that an object was expected.
    return undefined;
  }
}
