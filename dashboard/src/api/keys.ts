import { queryOptions, useQuery } from '@tanstack/react-query';
import * as z from 'zod/mini';
import { address, read } from './client.ts';
import { useRight } from './session.ts';

const figures = {
  spend_exact: z.nullable(z.string()),
  max_budget: z.nullable(z.number()),
  budget_duration: z.nullable(z.string()),
  rpm_limit: z.nullable(z.number()),
  tpm_limit: z.nullable(z.number()),
  max_parallel_requests: z.nullable(z.number()),
  blocked: z.boolean(),
};

/** What keys and teams have in common: money and pace. */
export type Figures = z.infer<z.ZodMiniObject<typeof figures>>;

const keySchema = z.object({
  ...figures,
  id: z.string(),
  name: z.string(),
  key_name: z.string(),
  team_id: z.nullable(z.string()),
  user_id: z.nullable(z.string()),
  models: z.array(z.string()),
  /** Where it may call, and from where; empty: anywhere. */
  allowed_routes: z.array(z.string()),
  allowed_ips: z.array(z.string()),
  expires: z.nullable(z.string()),
  /** Null for never; absent while reports do not answer. */
  last_active: z.optional(z.nullable(z.string())),
});

export type Key = z.infer<typeof keySchema>;

const teamSchema = z.object({ ...figures, team_id: z.string(), team_alias: z.nullable(z.string()) });

export type Team = z.infer<typeof teamSchema>;

const MOST_KEYS = 1000;

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: async ({ signal }) => {
    const path = address('/key/list', { return_full_object: 'true', size: MOST_KEYS });
    return read(path, z.object({ keys: z.array(keySchema), total_count: z.number() }), signal);
  },
});

export const teamsQuery = queryOptions({
  queryKey: ['teams'],
  queryFn: ({ signal }) => read('/team/list', z.array(teamSchema), signal),
});

/** What people call a key, by its id; anything else is called as it is. */
export function useKeyNames(): (id: string) => string {
  const { data } = useQuery({ ...keysQuery, enabled: useRight('teams') });
  return (id) => data?.keys.find((key) => key.id === id)?.name ?? id;
}
