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
  type Accounts,
} from '#accounts';
import { parseRequest } from './parse-request.ts';

const ADMIN = { config: { access: 'admin' } } as const;

/** LiteLLM's team management: what a team's keys inherit, and whether they may call. */
export function addTeamRoutes(app: FastifyInstance, deps: { readonly accounts: Accounts }): void {
  const { teams } = deps.accounts;
  app.post('/team/new', ADMIN, async ({ body }) => toTeamInfo(await teams.create(parseTeamNew(body))));
  app.post('/team/update', ADMIN, async ({ body }) => toTeamUpdateAnswer(await teams.update(parseTeamUpdate(body))));
  app.get('/team/info', ADMIN, async ({ query }) => toTeamInfoAnswer(await teams.infoOf(teamOf(query))));
  app.get('/team/list', ADMIN, async ({ query }) => {
    parseRequest(query, { schema: NOTHING, hint: 'GET /team/list takes no parameters.' });
    return (await teams.list()).map(toTeamListRow);
  });
  app.post('/team/block', ADMIN, async ({ body }) => toTeamInfo(await teams.block(teamOf(body))));
  app.post('/team/unblock', ADMIN, async ({ body }) => toTeamInfo(await teams.unblock(teamOf(body))));
  app.post('/team/delete', ADMIN, async ({ body }) => {
    const { team_ids: ids } = parseRequest(body ?? {}, { schema: MANY_TEAMS, hint: 'Send {"team_ids": ["growth"]}.' });
    return toTeamDeleteAnswer(await teams.delete(ids));
  });
}

const NAME = z.string().min(1);
const NOTHING = z.strictObject({});
const ONE_TEAM = z.strictObject({ team_id: NAME });
const MANY_TEAMS = z.strictObject({ team_ids: z.array(NAME).min(1) });

function teamOf(request: unknown): string {
  return parseRequest(request ?? {}, { schema: ONE_TEAM, hint: 'Name the team by its team_id.' }).team_id;
}
