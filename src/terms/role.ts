/** What people may do, from everything down to the least; `src/admin/access.ts` says which requests that is. */
export const ROLES = ['owner', 'admin', 'finance', 'team_lead', 'viewer'] as const;

export type Role = (typeof ROLES)[number];
