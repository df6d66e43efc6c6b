import { toIso, toKeyState } from './key-answer.ts';
import { type FiguresOf } from './subjects/subject-answer.ts';
import { type TeamRecord } from './team-record.ts';
import { type DeletedTeams, type TeamWithKeys } from './teams.ts';

/** What LiteLLM's teams have and ours do not: empty is its way to say so. */
const NOBODY = { organization_id: null, admins: [], members: [], members_with_roles: [], models: [] } as const;

/** LiteLLM's answer to `POST /team/new`, and the team in every other answer. */
export function toTeamInfo(team: TeamRecord, figures: FiguresOf): Record<string, unknown> {
  return {
    team_id: team.id,
    team_alias: team.alias,
    metadata: team.metadata,
    blocked: team.blocked,
    created_at: toIso(team.createdAt),
    ...NOBODY,
    ...figures({ kind: 'team', id: team.id }),
  };
}

/** LiteLLM's answer to `POST /team/update`. */
export function toTeamUpdateAnswer(team: TeamRecord, figures: FiguresOf): Record<string, unknown> {
  return { team_id: team.id, data: toTeamInfo(team, figures) };
}

/** LiteLLM's answer to `GET /team/info`. */
export function toTeamInfoAnswer({ team, keys }: TeamWithKeys, figures: FiguresOf): Record<string, unknown> {
  return {
    team_id: team.id,
    team_info: toTeamInfo(team, figures),
    keys: keys.map((key) => toKeyState(key, figures)),
    team_memberships: [],
  };
}

/** One row of LiteLLM's answer to `GET /team/list`. */
export function toTeamListRow({ team, keys }: TeamWithKeys, figures: FiguresOf): Record<string, unknown> {
  return { ...toTeamInfo(team, figures), keys: keys.map((key) => toKeyState(key, figures)), team_memberships: [] };
}

/** LiteLLM's answer to `POST /team/delete`, with the keys that went with them. */
export function toTeamDeleteAnswer({ teams, keys }: DeletedTeams): Record<string, unknown> {
  return { deleted_teams: teams.map(({ id }) => id), deleted_keys: keys.map(({ hash }) => hash) };
}
