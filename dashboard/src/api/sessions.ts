import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import type { Rank, Search } from '../search/search.ts';
import { asked, live, LIVE_MS, scope } from './analytics.ts';
import { address, read } from './client.ts';
import { eventSchema } from './events.ts';
import { asOfSchema, detailKeptSchema, doubtFields, paginationSchema, summarySchema } from './totals.ts';

const SESSIONS_PER_PAGE = 50;

/** Calls on show of one session; the rest is in the list of requests. */
const CALLS_OF_SESSION = 500;

const measureFields = {
  ...doubtFields,
  cost_exact: z.string(),
  turns: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
};

const sessionFields = {
  ...measureFields,
  session_id: z.string(),
  first_at: z.string(),
  last_at: z.string(),
  duration_ms: z.number(),
  models: z.array(z.string()),
  steps: z.number(),
  entity_type: z.nullable(z.string()),
  entity_id: z.nullable(z.string()),
  tags: z.record(z.string(), z.string()),
};

const sessionSchema = z.object(sessionFields);

export type Session = z.infer<typeof sessionSchema>;

const sessionsSchema = z.object({
  data: z.array(sessionSchema),
  summary: z.extend(summarySchema, {
    sessions: z.number(),
    avg_cost_per_session_exact: z.nullable(z.string()),
    median_cost_per_session_exact: z.nullable(z.string()),
    max_cost_per_session_exact: z.nullable(z.string()),
    avg_turns_per_session: z.nullable(z.number()),
    avg_duration_ms: z.nullable(z.number()),
    without_session: z.object({ events: z.number(), cost_exact: z.string() }),
  }),
  pagination: paginationSchema,
  detail_kept: z.nullish(detailKeptSchema),
  as_of: asOfSchema,
});

export type SessionPage = z.infer<typeof sessionsSchema>;

const stepOwnSchema = z.object({
  ...measureFields,
  path: z.nullable(z.string()),
  step: z.nullable(z.string()),
  first_at: z.string(),
  last_at: z.string(),
});

/** A step of a run with all below it; the root is the whole session. */
export type Step = z.infer<typeof stepOwnSchema> & { readonly children: readonly Step[] };

const stepSchema: z.ZodMiniType<Step> = z.extend(stepOwnSchema, { children: z.array(z.lazy(() => stepSchema)) });

const runSchema = z.object({
  ...sessionFields,
  calls: z.array(eventSchema),
  tree: stepSchema,
  pagination: paginationSchema,
  as_of: asOfSchema,
});

export type Run = z.infer<typeof runSchema>;

const SESSION_RANKS = ['cost', 'turns', 'recent', 'duration'] as const satisfies readonly Rank[];

export function sessionRank({ rank }: Search): Rank {
  return SESSION_RANKS.find((known) => known === rank) ?? 'cost';
}

export function sessionsQuery(search: Search) {
  const offset = (search.page - 1) * SESSIONS_PER_PAGE;
  const sort = sessionRank(search);
  const params = { ...asked(search), sort, limit: SESSIONS_PER_PAGE, offset };
  return live(['sessions', scope(search), sort, search.page], (signal) =>
    read(address('/v1/sessions', params), sessionsSchema, signal),
  );
}

/** The whole session, whatever the period: a conversation does not end at midnight. */
export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) =>
      read(address(`/v1/sessions/${encodeURIComponent(id)}`, { limit: CALLS_OF_SESSION }), runSchema, signal),
    refetchInterval: LIVE_MS,
  });
}
