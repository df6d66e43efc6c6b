import type { Key, Team } from '../../api/keys.ts';

/** A team and its keys; keys without one stand last, without a team. */
export type TeamKeys = {
  readonly id: string;
  /** Null: only its keys name it, or it is none. */
  readonly team: Team | null;
  readonly keys: readonly Key[];
};

export function byTeam(teams: readonly Team[], keys: readonly Key[]): readonly TeamKeys[] {
  const ofTeam = Map.groupBy(keys, ({ team_id: id }) => id ?? '');
  const recorded = teams.map((team): TeamKeys => ({ id: team.team_id, team, keys: ofTeam.get(team.team_id) ?? [] }));
  const known = new Set(recorded.map(({ id }) => id));
  const named = Array.from(ofTeam).flatMap(([id, own]) => (known.has(id) ? [] : [{ id, team: null, keys: own }]));
  return [...recorded, ...named].toSorted((left, right) => order(left.id, right.id));
}

function order(left: string, right: string): number {
  if (left === '' || right === '') return left === '' ? 1 : -1;
  return left < right ? -1 : 1;
}
