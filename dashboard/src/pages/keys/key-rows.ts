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
  return [...recorded, ...named].toSorted(byTitle);
}

/** As people call the team. */
export function titleOf({ id, team }: TeamKeys): string {
  return team?.team_alias ?? (id === '' ? 'Without a team' : id);
}

function byTitle(left: TeamKeys, right: TeamKeys): number {
  if (left.id === '' || right.id === '') return left.id === '' ? 1 : -1;
  return titleOf(left).localeCompare(titleOf(right), 'en');
}
