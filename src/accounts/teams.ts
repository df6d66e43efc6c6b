import { type Clock } from '#std';
import { ApportionError } from '#terms';
import { ITSELF, type AuditLog } from './audit-log.ts';
import { type ControlWrites, type WriteQueries } from './control-writes.ts';
import { type ControlDatabase } from './database.ts';
import { type KeyRecord } from './key-record.ts';
import { listKeys, type ControlQueries } from './key-table.ts';
import { mergeMetadata } from './stated-metadata.ts';
import { dropSubjects, governSubject, type RuleChange } from './subjects/subject-rules.ts';
import { type StatedSpending } from './subjects/subject-terms.ts';
import { type TeamRecord } from './team-record.ts';
import { type TeamNewRequest, type TeamUpdateRequest } from './team-request.ts';
import { parseTeamId } from './team-id.ts';
import { findTeam, listTeams } from './team-table.ts';
import { makeTeamId, type RandomBytes } from './token.ts';

/** A team and its keys that are not deleted. */
export type TeamWithKeys = { readonly team: TeamRecord; readonly keys: readonly KeyRecord[] };

export type DeletedTeams = { readonly teams: readonly TeamRecord[]; readonly keys: readonly KeyRecord[] };

export type TeamsDeps = {
  readonly database: ControlDatabase;
  readonly writes: ControlWrites;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** Teams that have settings: what their keys inherit, and whether they may call at all. Every change is audited. */
export class Teams {
  readonly #deps: TeamsDeps;

  constructor(deps: TeamsDeps) {
    this.#deps = deps;
  }

  /** The id of a deleted team may be used again; what was spent under it before stays under it. */
  async create(request: TeamNewRequest, actor: string = ITSELF): Promise<TeamRecord> {
    const { clock, random, writes, audit } = this.#deps;
    return writes.write(async (queries, revision) => {
      const id = request.id ?? (await idFromAlias(queries, request.alias)) ?? makeTeamId(random);
      if ((await findTeam(queries, id)) !== undefined) throw taken();
      const { alias, metadata, blocked, spending } = request;
      const team = { id, alias, metadata, blocked, createdAt: clock.now(), deletedAt: null, revision };
      await audit.record({ actor, action: 'team.create', target: id, detail: { alias, metadata, blocked } }, queries);
      return { answer: team, teams: [team], ...(await this.#govern(queries, team, { actor, spending })) };
    });
  }

  async update(request: TeamUpdateRequest, actor: string = ITSELF): Promise<TeamRecord> {
    const { id, alias, blocked, stated, spending } = request;
    return this.#change({ id, actor, action: 'team.update', spending }, (team) => ({
      ...team,
      alias: alias === undefined ? team.alias : alias,
      blocked: blocked ?? team.blocked,
      metadata: mergeMetadata(team.metadata, stated),
    }));
  }

  async block(id: string, actor: string = ITSELF): Promise<TeamRecord> {
    return this.#change({ id, actor, action: 'team.block' }, (team) => ({ ...team, blocked: true }));
  }

  async unblock(id: string, actor: string = ITSELF): Promise<TeamRecord> {
    return this.#change({ id, actor, action: 'team.unblock' }, (team) => ({ ...team, blocked: false }));
  }

  /** All or none. Their keys are deleted with them, as LiteLLM does: left alone they would lose the team's locks. */
  async delete(ids: readonly string[], actor: string = ITSELF): Promise<DeletedTeams> {
    return this.#deps.writes.write(async (queries, revision) => {
      const deletedAt = this.#deps.clock.now();
      const teams: TeamRecord[] = [];
      for (const id of new Set(ids)) teams.push({ ...(await knownTeam(queries, id)), deletedAt, revision });
      const keys = (await liveKeys(queries))
        .filter(({ team }) => ids.includes(team))
        .map((key) => ({ ...key, deletedAt, revision }));
      for (const { id } of teams) {
        const gone = keys.filter(({ team }) => team === id).map((key) => key.id);
        await this.#deps.audit.record({ actor, action: 'team.delete', target: id, detail: { keys: gone } }, queries);
      }
      const occasion = { actor, now: deletedAt, revision };
      const names = [
        ...teams.map(({ id }) => ({ kind: 'team', id }) as const),
        ...keys.map(({ id }) => ({ kind: 'key', id }) as const),
      ];
      return { answer: { teams, keys }, teams, keys, ...(await dropSubjects(queries, names, occasion)) };
    });
  }

  async infoOf(id: string): Promise<TeamWithKeys> {
    const team = await knownTeam(this.#deps.database, id);
    return { team, keys: (await liveKeys(this.#deps.database)).filter((key) => key.team === id) };
  }

  /** Oldest first. */
  async list(): Promise<TeamWithKeys[]> {
    const keys = Map.groupBy(await liveKeys(this.#deps.database), ({ team }) => team);
    const teams = await listTeams(this.#deps.database);
    return teams.map((team) => ({ team, keys: keys.get(team.id) ?? [] }));
  }

  async #change(deed: Deed, edit: (team: TeamRecord) => TeamRecord): Promise<TeamRecord> {
    const { id, actor, action, spending = {} } = deed;
    return this.#deps.writes.write(async (queries, revision) => {
      const team = { ...edit(await knownTeam(queries, id)), revision };
      const { alias, metadata, blocked } = team;
      await this.#deps.audit.record({ actor, action, target: id, detail: { alias, metadata, blocked } }, queries);
      return { answer: team, teams: [team], ...(await this.#govern(queries, team, { actor, spending })) };
    });
  }

  /** The budgets and limits a team has, as the request leaves them; they go with it. */
  async #govern(queries: WriteQueries, team: TeamRecord, said: Spending): Promise<RuleChange> {
    const { id, alias, revision, deletedAt } = team;
    const occasion = { actor: said.actor, now: this.#deps.clock.now(), revision };
    const subject = { kind: 'team', id, label: alias ?? id, ...said, gone: deletedAt !== null } as const;
    return governSubject(queries, subject, occasion);
  }
}

type Spending = { readonly actor: string; readonly spending: StatedSpending };

type Deed = {
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly spending?: StatedSpending;
};

/** Reports show a team's id, so an alias that can be one is better than a made-up one. */
async function idFromAlias(queries: WriteQueries, alias: string | null): Promise<string | null> {
  if (alias === null || (await findTeam(queries, alias)) !== undefined) return null;
  try {
    return parseTeamId(alias) === alias ? alias : null;
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    // An alias may be any text; one that no tag can have as its value is no fault, only no id.
    return null;
  }
}

async function liveKeys(queries: ControlQueries): Promise<KeyRecord[]> {
  return (await listKeys(queries)).filter(({ deletedAt }) => deletedAt === null);
}

async function knownTeam(queries: ControlQueries, id: string): Promise<TeamRecord> {
  const team = await findTeam(queries, id);
  if (team !== undefined) return team;
  throw new ApportionError('not_found', 'No such team.', {
    param: 'team_id',
    hint: 'A team that only keys name has no record yet; POST /team/new makes one.',
  });
}

function taken(): ApportionError {
  return new ApportionError('invalid_field', 'A team with this team_id exists.', {
    param: 'team_id',
    hint: 'Change it with POST /team/update, or choose another id.',
  });
}
