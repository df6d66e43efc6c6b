import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import type { Search } from '../search/search.ts';
import { nowMs } from '../time/clock.ts';
import { periodOf } from '../time/period.ts';
import { addDays, startOfDayMs } from '../time/zone.ts';
import { asked, live, scope } from './analytics.ts';
import { address, read, send } from './client.ts';
import { costRowSchema, summarySchema } from './totals.ts';

const ROWS_PER_PAGE = 100;

const rateSchema = z.object({ amount: z.string(), per: z.number() });

const ratesSchema = z.record(z.string(), rateSchema);

const priceRowSchema = z.object({
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  effective_from: z.nullable(z.string()),
  effective_to: z.nullable(z.string()),
  rates: ratesSchema,
  tiers: z.array(z.object({ threshold: z.number(), op: z.string(), rates: ratesSchema })),
  service_tiers: z.record(z.string(), z.unknown()),
  geo: z.record(z.string(), z.unknown()),
  context_window: z.nullable(z.number()),
  max_output_tokens: z.nullable(z.number()),
  source: z.string(),
  checked: z.nullable(z.string()),
  layer: z.string(),
});

export type PriceRow = z.infer<typeof priceRowSchema>;

const pricesSchema = z.object({
  data: z.array(priceRowSchema),
  version: z.string(),
  has_more: z.boolean(),
  next_cursor: z.nullable(z.string()),
});

export type Asked = { readonly model: string; readonly provider: string };

/** The rows in force now. @param model any name a provider knows it by */
export function pricesQuery({ model, provider }: Asked) {
  return queryOptions({
    queryKey: ['prices', model, provider],
    queryFn: ({ signal }) =>
      read(address('/v1/prices', { model, provider, limit: ROWS_PER_PAGE }), pricesSchema, signal),
    placeholderData: keepPreviousData,
  });
}

const unpricedSchema = z.object({
  data: z.array(z.extend(costRowSchema, { provider: z.nullish(z.string()) })),
  summary: summarySchema,
});

export type UnpricedModel = z.infer<typeof unpricedSchema>['data'][number];

/** Models of the period that were called without a price, or without one for all they used. */
export function unpricedQuery(search: Search, state: 'unpriced' | 'incomplete') {
  const params = { ...asked(search), group_by: 'model', cost_state: state };
  return live(['unpriced', scope(search), state], (signal) =>
    read(address('/v1/analytics/costs', params), unpricedSchema, signal),
  );
}

const repricingSchema = z.object({
  examined: z.number(),
  changed: z.number(),
  applied: z.number(),
  without_price: z.number(),
  without_usage: z.number(),
  unpriced_after: z.number(),
  old_cost_exact: z.string(),
  new_cost_exact: z.string(),
  delta_exact: z.string(),
});

export type Repricing = z.infer<typeof repricingSchema>;

export type RepricingAsked = {
  readonly mode: 'preview' | 'apply';
  /** Null for every model of the period. */
  readonly model: string | null;
  readonly reason: string;
};

/** Prices the period's calls without a price anew, by what holds now. */
export async function reprice(search: Search, { mode, model, reason }: RepricingAsked): Promise<Repricing> {
  const { start, end } = periodOf(search, nowMs());
  const instant = (day: string): string => new Date(startOfDayMs(search.tz, day)).toISOString();
  const body = {
    mode,
    from: instant(start),
    to: instant(addDays(end, 1)),
    states: ['unpriced', 'incomplete'],
    ...(model === null ? {} : { model }),
    reason,
  };
  const answer = await send('/v1/prices/reprice', { method: 'POST', body });
  return repricingSchema.parse(await answer.json());
}
