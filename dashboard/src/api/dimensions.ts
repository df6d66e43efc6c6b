import { queryOptions } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { address, read } from './client.ts';
import { asked, scope } from './analytics.ts';
import type { Search } from '../search/search.ts';

const DIMENSIONS_STALE_MS = 30_000;

export type Dimensions = z.infer<typeof dimensionsSchema>;

const dimensionsSchema = z.object({
  data: z.array(
    z.object({ group_by: z.string(), calls: z.nullish(z.number()), distinct_values: z.nullish(z.number()) }),
  ),
});

/** What spend of the period can be broken down by. Filters are left out: a picker that shrinks as one filters hides its own ways back. */
export function dimensionsQuery(search: Search) {
  const { start_date, end_date, timezone } = asked(search);
  const { range, from, to, tz } = scope(search);
  return queryOptions({
    queryKey: ['dimensions', range, from, to, tz],
    queryFn: ({ signal }) =>
      read(address('/v1/analytics/dimensions', { start_date, end_date, timezone }), dimensionsSchema, signal),
    staleTime: DIMENSIONS_STALE_MS,
    refetchInterval: DIMENSIONS_STALE_MS,
  });
}
