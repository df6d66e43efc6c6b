import type { Role } from '../../api/members.ts';

export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  owner: 'Owner',
  admin: 'Admin',
  finance: 'Finance: reads all money',
  team_lead: 'Team lead: reads own teams',
  viewer: 'Viewer: reports of own teams',
};
