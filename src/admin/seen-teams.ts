import type { FastifyRequest } from 'fastify';
import { ApportionError } from '#terms';
import { knownCaller } from './access.ts';

/** Whether who asks may know of a team and its keys. What they may not know of is not there for them. */
export function seesTeam(request: FastifyRequest, team: string): boolean {
  const { reach } = knownCaller(request);
  return reach.kind === 'everything' || (reach.teams !== null && reach.teams.includes(team));
}

export function unknownTeam(): ApportionError {
  return new ApportionError('not_found', 'No such team.', {
    param: 'team_id',
    hint: 'GET /team/list lists those you see.',
  });
}
