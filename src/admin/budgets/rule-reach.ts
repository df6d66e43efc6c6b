import type { FastifyRequest } from 'fastify';
import type { Accounts, NamedRule, RuleEditor } from '#accounts';
import { ApportionError } from '#terms';
import { knownCaller } from '../access.ts';
import { seesTeam } from '../seen-teams.ts';

/** Whether a rule is only about what who asks may see: calls of their teams' keys. */
export function seesRule(request: FastifyRequest, { scope }: NamedRule, accounts: Accounts): boolean {
  if (knownCaller(request).reach.kind === 'everything') return true;
  return scope.some((condition) => {
    if (condition.on === 'label' || condition.values.kind !== 'is') return false;
    const { value } = condition.values;
    if (condition.on === 'team') return seesTeam(request, value);
    return condition.on === 'key' && seesTeam(request, accounts.ring.keyById(value)?.team ?? '');
  });
}

/** A team lead makes rules for their teams and changes their own: what others set for the team stands above them. */
export function editorOf(request: FastifyRequest, accounts: Accounts): RuleEditor {
  const { role, actor } = knownCaller(request);
  return {
    actor,
    mayEdit: (rule) => {
      if (role !== 'team_lead') return;
      if (!seesRule(request, rule, accounts)) {
        throw new ApportionError('not_allowed', 'A team lead makes budgets and limits for their own team.', {
          param: 'scope',
          hint: 'Say {"key.team": …} with your team, or {"key.id": …} with one of its keys, in "scope".',
        });
      }
      if (rule.createdBy === actor) return;
      throw new ApportionError('not_allowed', `${rule.id} was made by somebody else.`, {
        hint: 'A team lead changes only what they made; ask an admin.',
      });
    },
  };
}
