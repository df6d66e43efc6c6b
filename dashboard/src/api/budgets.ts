import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { address, read, send } from './client.ts';

const amounts = {
  limit_exact: z.string(),
  spent_exact: z.string(),
  reserved_exact: z.string(),
  at_risk_exact: z.string(),
  remaining_exact: z.string(),
};

const standingSchema = z.object({
  ...amounts,
  instance: z.record(z.string(), z.string()),
  window: z.object({ start: z.nullable(z.string()), end: z.nullable(z.string()) }),
  resets_at: z.nullable(z.string()),
  used_percent: z.nullable(z.number()),
  exceeded: z.boolean(),
  unpriced_calls: z.number(),
  forecast: z.nullable(z.object({ at_end_exact: z.string(), reaches_limit_at: z.nullable(z.string()) })),
});

export type Standing = z.infer<typeof standingSchema>;

const scopeSchema = z.record(
  z.string(),
  z.union([z.string(), z.array(z.string()), z.record(z.string(), z.literal(true))]),
);

export type Scope = z.infer<typeof scopeSchema>;

const windowSchema = z.looseObject({
  kind: z.string(),
  timezone: z.optional(z.string()),
  length: z.optional(z.string()),
});

export type Window = z.infer<typeof windowSchema>;

const rule = {
  id: z.string(),
  name: z.string(),
  scope: scopeSchema,
  counts: z.enum(['declared', 'proven', 'locked']),
  origin: z.nullable(z.object({ kind: z.string(), id: z.string() })),
};

const budgetSchema = z.object({
  ...rule,
  limit_usd: z.string(),
  effective_from: z.nullable(z.string()),
  effective_to: z.nullable(z.string()),
  window: windowSchema,
  mode: z.enum(['strict', 'standard', 'observe']),
  action: z.union([z.enum(['block', 'warn']), z.object({ downgrade_to: z.string() })]),
  raise: z.nullable(z.object({ by_usd: z.string(), until: z.string() })),
  instances: z.nullable(z.number()),
  exceeded_instances: z.nullable(z.number()),
  standing: z.nullable(standingSchema),
});

export type Budget = z.infer<typeof budgetSchema>;

/** What is spent moves on by itself. */
const REFRESH_MS = 15_000;

export const budgetsQuery = queryOptions({
  queryKey: ['budgets'],
  queryFn: async ({ signal }) => (await read('/v1/budgets', z.object({ data: z.array(budgetSchema) }), signal)).data,
  refetchInterval: REFRESH_MS,
});

const MOST_SHOWN = 50;

/** The instances of a budget, the most used first; those of one value where it is given. */
export const standingsQuery = (id: string, instance: string) =>
  queryOptions({
    queryKey: ['budgets', id, instance],
    queryFn: async ({ signal }) => {
      const path = address(`/v1/budgets/${encodeURIComponent(id)}`, { limit: MOST_SHOWN, instance });
      return (await read(path, z.object({ standings: z.nullable(z.array(standingSchema)) }), signal)).standings ?? [];
    },
    refetchInterval: REFRESH_MS,
  });

export type BudgetFields = {
  readonly name?: string;
  readonly scope: Scope;
  readonly counts: Budget['counts'];
  readonly limit_usd: string;
  readonly window: Window | string;
  readonly mode: Budget['mode'];
  readonly action: Budget['action'];
};

export async function saveBudget(id: string | null, fields: BudgetFields): Promise<void> {
  if (id === null) await send('/v1/budgets', { method: 'POST', body: fields });
  else await send(`/v1/budgets/${encodeURIComponent(id)}`, { method: 'PATCH', body: fields });
}

export async function deleteBudget(id: string): Promise<void> {
  await send(`/v1/budgets/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

export type Raise = { readonly by_usd: string; readonly duration: string; readonly reason?: string };

export async function raiseBudget(id: string, raise: Raise): Promise<void> {
  await send(`/v1/budgets/${encodeURIComponent(id)}/raise`, { method: 'POST', body: raise });
}

export async function endRaise(id: string): Promise<void> {
  await send(`/v1/budgets/${encodeURIComponent(id)}/raise`, { method: 'DELETE' });
}

export const MEASURES = ['requests', 'tokens', 'usd', 'parallel'] as const;

const limitSchema = z.object({
  ...rule,
  measure: z.enum(MEASURES),
  amount: z.string(),
  per: z.nullable(z.union([z.string(), windowSchema])),
  burst: z.nullable(z.string()),
});

export type Limit = z.infer<typeof limitSchema>;

export const limitsQuery = queryOptions({
  queryKey: ['limits'],
  queryFn: async ({ signal }) => (await read('/v1/limits', z.object({ data: z.array(limitSchema) }), signal)).data,
});

export type LimitFields = {
  readonly name?: string;
  readonly scope: Scope;
  readonly measure: Limit['measure'];
  readonly amount: string;
  readonly per?: string;
  readonly burst?: string;
};

export async function makeLimit(fields: LimitFields): Promise<void> {
  await send('/v1/limits', { method: 'POST', body: fields });
}

export async function deleteLimit(id: string): Promise<void> {
  await send(`/v1/limits/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
