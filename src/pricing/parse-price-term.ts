import { z } from 'zod';
import { ApportionError, isTokenMeter, METERS } from '#terms';
import { parseRatio, type Ratio } from './amount.ts';
import { tierName } from './price-match.ts';
import type { Rates } from './price-row.ts';
import { NO_TERMS, type Contract, type Markup, type PriceTerms } from './price-term.ts';
import {
  findRowFaults,
  instantSchema,
  isAmount,
  providerName,
  ratesSchema,
  ROW_FIELDS,
  toPriceRow,
  toRates,
} from './row-text.ts';

/** A token is never this dear; a price per million typed as a price per token is. US dollars per million tokens. */
const MAX_USD_PER_MILLION_TOKENS = 10_000n;

const id = z.string().min(1).max(200);

const modelName = z.string().min(1).toLowerCase();

const share = z
  .string('write the share as a string, so that it stays exact')
  .refine(isAmount, 'not a decimal such as 0.125');

const ratesOrNone = ratesSchema.refine((rates) => Object.keys(rates).length > 0, 'price at least one meter');

const dates = { effective_from: instantSchema.default(null), effective_to: instantSchema.default(null) };

const sure = z.boolean().optional();

const priceTerm = z.strictObject({
  ...ROW_FIELDS,
  ...dates,
  kind: z.literal('price').default('price'),
  id,
  model: modelName,
  source: z.string().min(1).default('operator'),
  checked: z.iso.date().nullable().default(null),
  sure,
});

const contractTerm = z.strictObject({
  kind: z.literal('contract'),
  id,
  provider: providerName,
  model: modelName.nullable().default(null),
  service_tier: z.string().nullable().default(null),
  region: z.string().toLowerCase().nullable().default(null),
  ...dates,
  discount: share
    .refine((text) => isAtMostOne(text), 'a discount is a share of the list cost, between 0 and 1')
    .optional(),
  rates: ratesOrNone.optional(),
  sure,
});

const markupTerm = z.strictObject({
  kind: z.literal('markup'),
  id,
  provider: providerName.nullable().default(null),
  model: modelName.nullable().default(null),
  team: z.string().min(1).nullable().default(null),
  key: z.string().min(1).nullable().default(null),
  tag: z
    .strictObject({ key: z.string().min(1), value: z.string() })
    .nullable()
    .default(null),
  ...dates,
  markup: share,
});

const kinds = z.looseObject({ kind: z.enum(['price', 'contract', 'markup']).default('price') });

/**
 * One term as an operator writes it, in a file or in a request: a price row, a contract or a markup.
 * @param where where the term stands, e.g. `prices[2]`; empty for a request's body
 * @throws `invalid_field`, which names the field and says what to do
 */
export function parsePriceTerm(json: unknown, where = ''): PriceTerms {
  const place = where === '' ? '' : `${where}.`;
  const { kind } = read(kinds, json, place);
  if (kind === 'contract') return { ...NO_TERMS, contracts: [toContract(read(contractTerm, json, place), place)] };
  if (kind === 'markup') return { ...NO_TERMS, markups: [toMarkup(read(markupTerm, json, place))] };
  const { sure: isSure, kind: _, ...text } = read(priceTerm, json, place);
  for (const { path, message } of findRowFaults(text)) throw invalid(`${place}${path.join('.')}`, `${message}.`);
  const row = toPriceRow(text, 'operator');
  const tables = [...Object.values(row.serviceTiers ?? {}), ...Object.values(row.geo ?? {}), ...(row.tiers ?? [])];
  for (const rates of [row.rates, ...tables.flatMap((table) => ('rates' in table ? [table.rates] : []))])
    refuseAbsurd(rates, isSure, place);
  const says = [row.rates, row.serviceTiers, row.geo, row.inherit].some((part) => Object.keys(part ?? {}).length > 0);
  if (!says) throw invalid(`${place}rates`, 'A price row prices something.', 'Add `rates`, or what it changes.');
  return { ...NO_TERMS, rows: [row] };
}

/** Terms one after the other; the order decides which contract and which markup holds first. */
export function combineTerms(terms: readonly PriceTerms[]): PriceTerms {
  return {
    rows: terms.flatMap(({ rows }) => rows),
    contracts: terms.flatMap(({ contracts }) => contracts),
    markups: terms.flatMap(({ markups }) => markups),
  };
}

function toContract(text: z.output<typeof contractTerm>, place: string): Contract {
  const { discount, rates: own } = text;
  const scope = {
    id: text.id,
    provider: text.provider,
    model: text.model,
    serviceTier: text.service_tier === null ? null : tierName(text.service_tier),
    region: text.region,
    effectiveFrom: text.effective_from,
    effectiveTo: text.effective_to,
  };
  if (discount !== undefined && own === undefined) return { ...scope, discount };
  if (own === undefined || discount !== undefined)
    throw invalid(
      `${place}discount`,
      'A contract is a discount or rates of its own.',
      'Give exactly one of `discount` and `rates`.',
    );
  const rates = toRates(own);
  refuseAbsurd(rates, text.sure, place);
  return { ...scope, rates };
}

function toMarkup(text: z.output<typeof markupTerm>): Markup {
  const { id: name, provider, model, team, key, tag, markup } = text;
  const dated = { effectiveFrom: text.effective_from, effectiveTo: text.effective_to };
  return { id: name, provider, model, team, key, tag, markup, ...dated };
}

function refuseAbsurd(rates: Rates, isSure: boolean | undefined, place: string): void {
  if (isSure === true) return;
  for (const meter of METERS) {
    const price = rates[meter];
    const amount = price === undefined ? undefined : parseRatio(price.amount);
    if (price === undefined || amount === undefined || !isTokenMeter(meter)) continue;
    if (amount.num * 1_000_000n <= MAX_USD_PER_MILLION_TOKENS * amount.den * BigInt(price.per)) continue;
    throw invalid(
      `${place}rates.${meter}`,
      `$${price.amount} for ${price.per} tokens is more than $${MAX_USD_PER_MILLION_TOKENS} per million.`,
      'Is the amount per million? Then write `"per": 1000000`. If it is meant, add `"sure": true`.',
    );
  }
}

function isAtMostOne(text: string): boolean {
  const ratio: Ratio | undefined = parseRatio(text);
  return ratio !== undefined && ratio.num <= ratio.den;
}

function read<T>(schema: z.ZodType<T>, json: unknown, place: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${place}${path.join('.') || '(term)'}: ${message}`);
  const param = `${place}${parsed.error.issues[0]?.path.join('.') ?? ''}`;
  throw invalid(param, `${faults.join('; ')}.`);
}

function invalid(param: string, message: string, hint?: string): ApportionError {
  return new ApportionError('invalid_field', message, { param, ...(hint === undefined ? {} : { hint }) });
}
