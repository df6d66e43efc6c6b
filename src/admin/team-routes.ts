import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import {
  parseTeamNew,
  parseTeamUpdate,
  toTeamDeleteAnswer,
  toTeamInfo,
  toTeamInfoAnswer,
  toTeamListRow,
  toTeamUpdateAnswer,
  type FiguresOf,
} from '#accounts';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';
import { loadFigures, type FigureDeps } from './subjects/figures.ts';
import { seesTeam, unknownTeam } from './seen-teams.ts';

/** LiteLLM's team management: what a team's keys inherit, and whether they may call. */
export function addTeamRoutes(app: FastifyInstance, deps: FigureDeps): void {
  const { teams } = deps.accounts;
  const figures = (): Promise<FiguresOf> => loadFigures(deps, ['team', 'key']);
  app.post('/team/new', async (request) =>
    toTeamInfo(await teams.create(parseTeamNew(request.body), actorOf(request)), await figures()),
  );
  app.post('/team/update', async (request) =>
    toTeamUpdateAnswer(await teams.update(parseTeamUpdate(request.body), actorOf(request)), await figures()),
  );
  app.get('/team/info', async (request) => {
    const id = teamOf(request.query);
    if (!seesTeam(request, id)) throw unknownTeam();
    return toTeamInfoAnswer(await teams.infoOf(id), await figures());
  });
  app.get('/team/list', async (request) => {
    parseRequest(request.query, { schema: NOTHING, hint: 'GET /team/list takes no parameters.' });
    const seen = (await teams.list()).filter(({ team }) => seesTeam(request, team.id));
    const known = await figures();
    return seen.map((team) => toTeamListRow(team, known));
  });
  app.post('/team/block', async (request) =>
    toTeamInfo(await teams.block(teamOf(request.body), actorOf(request)), await figures()),
  );
  app.post('/team/unblock', async (request) =>
    toTeamInfo(await teams.unblock(teamOf(request.body), actorOf(request)), await figures()),
  );
  app.post('/team/delete', async (request) => {
    const { team_ids: ids } = parseRequest(request.body ?? {}, {
      schema: MANY_TEAMS,
      hint: 'Send {"team_ids": ["growth"]}.',
    });
    return toTeamDeleteAnswer(await teams.delete(ids, actorOf(request)));
  });
}

const NAME = z.string().min(1);
const NOTHING = z.strictObject({});
const ONE_TEAM = z.strictObject({ team_id: NAME });
const MANY_TEAMS = z.strictObject({ team_ids: z.array(NAME).min(1) });

function teamOf(request: unknown): string {
  return parseRequest(request ?? {}, { schema: ONE_TEAM, hint: 'Name the team by its team_id.' }).team_id;
}
