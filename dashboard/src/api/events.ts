import * as z from 'zod/mini';
import { queryOptions } from '@tanstack/react-query';
import type { Search } from '../search/search.ts';
import { asked, live, scope } from './analytics.ts';
import { address, read } from './client.ts';
import { asOfSchema, detailKeptSchema, paginationSchema, summarySchema } from './totals.ts';

const EVENTS_PER_PAGE = 50;

const eventFields = {
  /** Null once the detail of the call is gone. */
  id: z.nullable(z.string()),
  entry_id: z.nullable(z.string()),
  timestamp: z.string(),
  model: z.string(),
  request_model: z.string(),
  provider: z.string(),
  /** Null while the call is in doubt. */
  input_tokens: z.nullable(z.number()),
  output_tokens: z.nullable(z.number()),
  cost_usd_exact: z.nullable(z.string()),
  list_cost_usd_exact: z.nullable(z.string()),
  billed_usd_exact: z.nullable(z.string()),
  cost_state: z.string(),
  route: z.nullable(z.string()),
  latency_ms: z.number(),
  entity_type: z.nullable(z.string()),
  entity_id: z.nullable(z.string()),
  session_id: z.nullable(z.string()),
  session_path: z.nullable(z.string()),
  trace_id: z.nullable(z.string()),
  tags: z.record(z.string(), z.string()),
  labels: z.array(z.string()),
  paths: z.array(z.string()),
  request_tags: z.array(z.string()),
  key_name: z.string(),
  status: z.string(),
  success: z.boolean(),
  stream: z.boolean(),
  sandbox: z.boolean(),
};

export const eventSchema = z.object(eventFields);

export type CallEvent = z.infer<typeof eventSchema>;

const eventsSchema = z.object({
  data: z.array(eventSchema),
  summary: summarySchema,
  pagination: paginationSchema,
  detail_kept: z.nullish(detailKeptSchema),
  as_of: asOfSchema,
});

export type EventPage = z.infer<typeof eventsSchema>;

const chargeSchema = z.object({
  meter: z.string(),
  quantity: z.string(),
  unit_price_usd: z.string(),
  per: z.number(),
  amount_usd_exact: z.string(),
  price_row: z.string(),
});

export type ChargeLine = z.infer<typeof chargeSchema>;

const attemptSchema = z.object({
  entry_id: z.string(),
  attempt: z.number(),
  cause: z.nullable(z.string()),
  provider: z.string(),
  model: z.string(),
  status: z.string(),
  error_code: z.nullable(z.string()),
  latency_ms: z.number(),
  cost_usd_exact: z.nullable(z.string()),
  cost_state: z.string(),
});

/** Signed differences: what was made of the call's cost later. */
const correctionSchema = z.object({
  entry_id: z.string(),
  recorded_at: z.string(),
  reason: z.nullable(z.string()),
  resolves: z.nullable(z.string()),
  cost_state: z.string(),
  cost_usd_exact: z.nullable(z.string()),
  billed_usd_exact: z.nullable(z.string()),
  price_book: z.nullable(z.string()),
});

export type Correction = z.infer<typeof correctionSchema>;

/** Money that somebody moved by hand. */
const adjustmentSchema = z.object({
  id: z.string(),
  recorded_at: z.string(),
  reason: z.string(),
  actor: z.string(),
  cost_usd_exact: z.nullable(z.string()),
  list_cost_usd_exact: z.nullable(z.string()),
  billed_usd_exact: z.nullable(z.string()),
});

export type Adjustment = z.infer<typeof adjustmentSchema>;

const detailSchema = z.object({
  ...eventFields,
  id: z.string(),
  entry_id: z.string(),
  attempts: z.array(attemptSchema),
  corrections: z.array(correctionSchema),
  adjustments: z.array(adjustmentSchema),
  computed_cost_usd_exact: z.nullable(z.string()),
  price_terms: z.array(z.string()),
  charges: z.array(chargeSchema),
  call_cost_usd_exact: z.nullable(z.string()),
  operation: z.string(),
  region: z.nullable(z.string()),
  upstream_id: z.nullable(z.string()),
  response_model: z.string(),
  service_tier: z.nullable(z.string()),
  first_byte_ms: z.nullable(z.number()),
  http_status: z.number(),
  error_code: z.nullable(z.string()),
  unpriced_meters: z.array(z.string()),
  cost_reason: z.nullable(z.string()),
  at_risk_exact: z.nullable(z.string()),
  tag_provenance: z.record(z.string(), z.string()),
  conflicts: z.array(z.object({ key: z.string(), value: z.string(), source: z.string() })),
  tags_overflow: z.record(z.string(), z.string()),
  usage_origin: z.nullable(z.string()),
  usage_raw: z.unknown(),
  price_book: z.nullable(z.string()),
  key_team: z.nullable(z.string()),
  key_owner: z.nullable(z.string()),
});

export type CallDetail = z.infer<typeof detailSchema>;

export function eventsQuery(search: Search) {
  const params = { ...asked(search), limit: EVENTS_PER_PAGE, offset: (search.page - 1) * EVENTS_PER_PAGE };
  return live(['events', scope(search), search.page], (signal) =>
    read(address('/v1/events', params), eventsSchema, signal),
  );
}

export function eventQuery(id: string) {
  return queryOptions({
    queryKey: ['event', id],
    queryFn: ({ signal }) => read(`/v1/events/${encodeURIComponent(id)}`, detailSchema, signal),
    // Entries never change, and corrections of them are rare.
    staleTime: 60_000,
  });
}

/** The newest call there is, whatever the page's filters: asked only where the page would otherwise be empty. */
export function newestEventQuery(pollMs: number | false) {
  return queryOptions({
    queryKey: ['newest-event'],
    queryFn: ({ signal }) => read(address('/v1/events', { limit: 1 }), eventsSchema, signal),
    refetchInterval: pollMs,
  });
}
