import { z } from 'zod';
import { ApportionError } from '#terms';
import { chainHistory } from './history.ts';
import { normalizeName } from './model-index.ts';
import { makePriceBook, type PriceBook } from './price-book.ts';
import type { PriceRow } from './price-row.ts';
import { NO_TERMS, type PriceTerms } from './price-term.ts';
import {
  geoSchema,
  instantSchema,
  isAmount,
  ratesSchema,
  serviceTiersSchema,
  tiersSchema,
  toGeo,
  toRates,
  toServiceTiers,
} from './row-text.ts';

const share = z
  .string('write the share as a string, so that it stays exact')
  .refine(isAmount, 'not a decimal such as 0.125');

const whatIf = z.strictObject({
  currency: z.literal('USD').optional(),
  rates: ratesSchema.default({}),
  /** Prices over time, in place of `rates`; half-open. */
  history: z.array(z.strictObject({ from: instantSchema, to: instantSchema, rates: ratesSchema })).optional(),
  tiers: tiersSchema.optional(),
  service_tiers: serviceTiersSchema.optional(),
  geo: geoSchema.optional(),
  discount: share.optional(),
  markup: share.optional(),
  /** Says that the provider states the cost itself: there is nothing to price then. */
  provider_reported: z.boolean().optional(),
  /** Prices of the other models inside the same answer, by name. */
  models: z.record(z.string(), z.strictObject({ rates: ratesSchema })).default({}),
});

type WhatIfText = z.output<typeof whatIf>;

/** What `makePrices` takes. */
export type WhatIf = { readonly book: PriceBook; readonly terms: PriceTerms };

/** The model whose price is in question. */
export type WhatIfModel = { readonly provider: string; readonly model: string };

/**
 * Prices as somebody imagines them for one model. Nothing is added to what is written: a meter without a price is `incomplete`,
 * reasoning included.
 * @throws `invalid_field`, which names the field below `pricing`
 */
export function parseWhatIf(json: unknown, asked: WhatIfModel): WhatIf {
  const parsed = whatIf.safeParse(json);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${['pricing', ...path].join('.')}: ${message}`);
    const param = ['pricing', ...(parsed.error.issues[0]?.path ?? [])].join('.');
    throw new ApportionError('invalid_field', `${faults.join('; ')}.`, { param });
  }
  return { book: makePriceBook(chainHistory(toRows(parsed.data, asked))), terms: toTerms(parsed.data, asked) };
}

function toRows(text: WhatIfText, { provider, model }: WhatIfModel): PriceRow[] {
  const periods = text.history ?? [{ from: null, to: null, rates: text.rates }];
  const changes = {
    ...(text.tiers && { tiers: text.tiers.map((tier) => ({ ...tier, rates: toRates(tier.rates) })) }),
    ...(text.service_tiers && { serviceTiers: toServiceTiers(text.service_tiers, toRates) }),
    ...(text.geo && { geo: toGeo(text.geo, toRates) }),
  };
  const rows = periods.map(({ from, to, rates }) => {
    const dated = { effectiveFrom: from, effectiveTo: to };
    const row = makeRow(provider, model, toRates(rates));
    const id = from === null ? row.id : `${row.id}/${new Date(from).toISOString()}`;
    return { ...row, ...dated, ...changes, id };
  });
  const others = Object.entries(text.models).map(([name, { rates }]) => makeRow(provider, name, toRates(rates)));
  return [...rows, ...others];
}

function makeRow(provider: string, name: string, rates: PriceRow['rates']): PriceRow {
  const model = normalizeName(name);
  return {
    id: `what-if/${model}`,
    layer: 'operator',
    provider,
    model,
    match: [{ kind: 'id', id: model }],
    effectiveFrom: null,
    effectiveTo: null,
    rates,
    source: 'what-if',
    checked: null,
  };
}

function toTerms({ discount, markup }: WhatIfText, { provider }: WhatIfModel): PriceTerms {
  const always = { effectiveFrom: null, effectiveTo: null, model: null };
  return {
    ...NO_TERMS,
    contracts:
      discount === undefined
        ? []
        : [{ ...always, id: 'what-if/discount', provider, serviceTier: null, region: null, discount }],
    markups:
      markup === undefined
        ? []
        : [{ ...always, id: 'what-if/markup', provider: null, team: null, key: null, tag: null, markup }],
  };
}
