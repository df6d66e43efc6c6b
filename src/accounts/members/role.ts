import { type Role } from '#terms';

export type EntityName = { readonly type: string; readonly id: string };

/**
 * Whose money somebody may see. `teams` are teams that keys prove, never what a caller declared; null: this does not narrow. An entry must
 * be within both, and an empty list holds nothing.
 */
export type Reach =
  | { readonly kind: 'everything' }
  | {
      readonly kind: 'only';
      readonly teams: readonly string[] | null;
      readonly entities: readonly EntityName[] | null;
    };

export const EVERYTHING: Reach = { kind: 'everything' };

/** Team leads and viewers see what the keys of their teams spend; the others see everything. */
export function reachOf(member: { readonly role: Role; readonly teams: readonly string[] }): Reach {
  const { role, teams } = member;
  return role === 'team_lead' || role === 'viewer' ? { kind: 'only', teams, entities: null } : EVERYTHING;
}
