import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import type { Search } from '../search/search.ts';
import { nowMs } from '../time/clock.ts';
import { periodOf, type Period } from '../time/period.ts';
import { address, read, type Params } from './client.ts';
import { asOfSchema, costRowSchema, groupFields, summarySchema, totalsFields } from './totals.ts';

export const LIVE_MS = 5000;

/** Series a chart can tell apart; the rest is the API's `(other)`. */
const CHART_SERIES = 8;

const costsSchema = z.object({
  data: z.array(costRowSchema),
  summary: summarySchema,
  overlapping: z.boolean(),
  as_of: asOfSchema,
});

export type Costs = z.infer<typeof costsSchema>;

const pointSchema = z.object({
  ...totalsFields,
  timestamp: z.string(),
  date: z.string(),
  value: z.optional(z.string()),
});

const seriesSchema = z.object({
  ...groupFields,
  total_cost: z.number(),
  total_cost_exact: z.string(),
  total_events: z.number(),
});

const timeseriesSchema = z.object({
  interval: z.enum(['hour', 'day', 'week', 'month']),
  data: z.array(pointSchema),
  groups: z.array(seriesSchema),
  overlapping: z.boolean(),
  summary: summarySchema,
});

export type Timeseries = z.infer<typeof timeseriesSchema>;

export function costsQuery(search: Search) {
  return live(['costs', scope(search), search.by], (signal) =>
    read(address('/v1/analytics/costs', { ...asked(search), group_by: search.by }), costsSchema, signal),
  );
}

/** The whole of each bucket, empty ones included: the chart's axis, and what its parts must sum to. */
export function totalsOverTimeQuery(search: Search) {
  return live(['timeseries', scope(search)], (signal) =>
    read(
      address('/v1/analytics/costs/timeseries', { ...asked(search), interval: period(search).interval }),
      timeseriesSchema,
      signal,
    ),
  );
}

export function seriesQuery(search: Search) {
  return live(['timeseries', scope(search), search.by], (signal) => {
    const params = { ...asked(search), interval: period(search).interval, group_by: search.by, limit: CHART_SERIES };
    return read(address('/v1/analytics/costs/timeseries', params), timeseriesSchema, signal);
  });
}

/** The filters and the period of a page, in the API's words. */
export function asked(search: Search): Params {
  const { start, end } = period(search);
  return { start_date: start, end_date: end, timezone: search.tz, ...filters(search) };
}

/** What a page's figures depend on; the same words mean the same figures, so the cache is keyed by them. */
export function scope(search: Search): Params {
  const { range, from, to, tz } = search;
  return { ...filters(search), range, from, to, tz };
}

function filters(search: Search): Params {
  const { tags, model, provider, key, status, entity_type, entity_id, session_id } = search;
  const proven = { 'key.id': search['key.id'], 'key.team': search['key.team'], 'key.owner': search['key.owner'] };
  const { cost_state, route, operation, cause, region, service_tier } = search;
  const builtIn = { cost_state, route, operation, cause, region, service_tier };
  return { tags, model, provider, key, status, entity_type, entity_id, session_id, ...builtIn, ...proven };
}

export function live<T>(queryKey: readonly unknown[], fetch: (signal: AbortSignal) => Promise<T>) {
  return queryOptions({
    queryKey,
    queryFn: ({ signal }) => fetch(signal),
    refetchInterval: LIVE_MS,
    placeholderData: keepPreviousData,
  });
}

function period(search: Search): Period {
  return periodOf(search, nowMs());
}
