import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import type { Rank, Search } from '../search/search.ts';
import { asked, live, scope } from './analytics.ts';
import { address, read, send } from './client.ts';
import { asOfSchema, paginationSchema, summarySchema } from './totals.ts';

const VALUES_PER_PAGE = 50;
const HYGIENE_STALE_MS = 60_000;

const moneyFields = { calls: z.number(), cost_exact: z.string() };

const noteFields = { description: z.nullable(z.string()), owner: z.nullable(z.string()) };

const numberFields = {
  ...moneyFields,
  ...noteFields,
  /** Of the dollars of the period, from 0 to 1; null when nothing was spent. */
  cost_share: z.nullable(z.number()),
  first_seen: z.nullable(z.string()),
  last_seen: z.nullable(z.string()),
  senders: z.number(),
  sent_by: z.array(z.object({ key_name: z.string(), calls: z.number() })),
};

const keyFields = { ...numberFields, key: z.string(), distinct_values: z.number() };

const keySchema = z.object(keyFields);

export type TagKey = z.infer<typeof keySchema>;

/** `tags` is the filter that finds the calls. */
const labelSchema = z.object({ ...numberFields, label: z.string(), tags: z.string() });

const rootSchema = z.object({ ...numberFields, path: z.string(), tags: z.string() });

const tagsSchema = z.object({
  data: z.array(keySchema),
  labels: z.array(labelSchema),
  paths: z.array(rootSchema),
  summary: z.extend(summarySchema, { untagged: z.object({ ...moneyFields, percent: z.nullable(z.number()) }) }),
  truncated: z.boolean(),
  as_of: asOfSchema,
});

export type Tags = z.infer<typeof tagsSchema>;

const valueSchema = z.object({
  ...moneyFields,
  ...noteFields,
  value: z.string(),
  tags: z.string(),
  cost_share: z.nullable(z.number()),
  first_seen: z.string(),
  last_seen: z.string(),
});

export type TagValue = z.infer<typeof valueSchema>;

const tagKeySchema = z.object({
  ...keyFields,
  data: z.array(valueSchema),
  untagged: z.object({ ...moneyFields, percent: z.nullable(z.number()), tags: z.string() }),
  provenance: z.array(z.object({ ...moneyFields, provenance: z.string() })),
  summary: summarySchema,
  pagination: paginationSchema,
  as_of: asOfSchema,
});

export type TagKeyPage = z.infer<typeof tagKeySchema>;

const VALUE_RANKS = ['cost', 'calls', 'recent', 'value'] as const satisfies readonly Rank[];

export function valueRank({ rank }: Search): Rank {
  return VALUE_RANKS.find((known) => known === rank) ?? 'cost';
}

const filterSchema = z.record(z.string(), z.string());

const findingSchema = z.object({
  ...moneyFields,
  kind: z.string(),
  at: z.string(),
  key: z.nullable(z.string()),
  difference: z.nullable(z.string()),
  detected: z.array(z.string()),
  suggestion: z.nullable(z.string()),
  distinct_values: z.nullable(z.number()),
  items: z.array(z.object({ ...moneyFields, text: z.string(), filter: z.nullable(filterSchema) })),
  total_items: z.number(),
});

export type Finding = z.infer<typeof findingSchema>;

const hygieneSchema = z.object({
  data: z.array(findingSchema),
  untagged: z.object({
    by_api_key: z.array(
      z.object({
        ...moneyFields,
        key_id: z.string(),
        key_name: z.string(),
        key_owner: z.nullable(z.string()),
        percent: z.nullable(z.number()),
        filter: filterSchema,
      }),
    ),
  }),
});

export type Hygiene = z.infer<typeof hygieneSchema>;

/** Reads every value of every key, so it is asked for less often than figures are. */
export function hygieneQuery(search: Search) {
  return queryOptions({
    queryKey: ['hygiene', scope(search)],
    queryFn: ({ signal }) => read(address('/v1/tags/hygiene', asked(search)), hygieneSchema, signal),
    staleTime: HYGIENE_STALE_MS,
    placeholderData: keepPreviousData,
  });
}

export function tagsQuery(search: Search) {
  return live(['tags', scope(search)], (signal) => read(address('/v1/tags', asked(search)), tagsSchema, signal));
}

export function tagKeyQuery(key: string, search: Search) {
  const sort = valueRank(search);
  const params = { ...asked(search), sort, limit: VALUES_PER_PAGE, offset: (search.page - 1) * VALUES_PER_PAGE };
  return live(['tags', scope(search), key, sort, search.page], (signal) =>
    read(address(`/v1/tags/${encodeURIComponent(key)}`, params), tagKeySchema, signal),
  );
}

/** Writes down what a key means and whose it is; null empties a field. */
export async function describeTagKey(key: string, note: z.infer<z.ZodMiniObject<typeof noteFields>>): Promise<void> {
  await send(`/v1/tags/${encodeURIComponent(key)}`, { method: 'PUT', body: note });
}
