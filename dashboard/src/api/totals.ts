import * as z from 'zod/mini';

/** What every row and every summary of the analytics API carries. Money is read from the exact strings. */
export const totalsFields = {
  total_cost: z.number(),
  total_cost_exact: z.string(),
  /** At public prices, and what is charged on. */
  total_list_cost_exact: z.string(),
  total_billed_exact: z.string(),
  total_events: z.number(),
  total_attempts: z.number(),
  total_input_tokens: z.number(),
  total_output_tokens: z.number(),
};

export const doubtFields = {
  avg_latency_ms: z.nullish(z.number()),
  unpriced_events: z.number(),
  incomplete_events: z.number(),
  estimated_cost_exact: z.string(),
  in_doubt_events: z.number(),
  at_risk_exact: z.string(),
  sandbox_cost_exact: z.string(),
  sandbox: z.boolean(),
};

export const groupFields = {
  value: z.string(),
  untagged: z.boolean(),
  /** Everything beyond the rows asked for, summed up. */
  other: z.boolean(),
};

export const summarySchema = z.object({ ...totalsFields, ...doubtFields });

export type Summary = z.infer<typeof summarySchema>;

export const costRowSchema = z.object({
  ...totalsFields,
  ...doubtFields,
  ...groupFields,
  entity_type: z.nullish(z.string()),
  entity_id: z.nullish(z.string()),
  /** Of the nodes of a tree: the calls exactly there, and not below. */
  is_direct: z.optional(z.boolean()),
  has_children: z.optional(z.boolean()),
});

export type CostRow = z.infer<typeof costRowSchema>;

/** How far the store has read the ledger; `at` is null before its first row. */
export const asOfSchema = z.object({ at: z.nullable(z.string()) });

export type AsOf = z.infer<typeof asOfSchema>;

/** Since when entries are kept with their detail; null where that is for ever. */
export const detailKeptSchema = z.object({ from: z.string(), days: z.number() });

export type DetailKept = z.infer<typeof detailKeptSchema>;

export const paginationSchema = z.object({
  total: z.number(),
  limit: z.number(),
  offset: z.number(),
  has_more: z.boolean(),
});

export type Pagination = z.infer<typeof paginationSchema>;
