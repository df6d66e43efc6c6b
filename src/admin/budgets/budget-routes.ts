import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseRaise, toBudgetInfo, type Accounts, type BudgetRecord } from '#accounts';
import type { Standing } from '#budgets';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { parseRequest } from '../parse-request.ts';
import { pathParameter } from '../report-route.ts';
import { editorOf, seesRule } from './rule-reach.ts';
import { standingsByBudget, toStandingInfo, usedOf, type Standings } from './standings.ts';

export type BudgetRouteDeps = {
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly standings: Standings;
};

/** Instances of one budget in one answer, the most used first. */
const MOST_INSTANCES = 1000;

const DETAIL = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MOST_INSTANCES).default(100),
  instance: z.string().min(1).optional(),
});

/** Budgets: what they are, how they stand, and how they are made and changed. */
export function addBudgetRoutes(app: FastifyInstance, deps: BudgetRouteDeps): void {
  const { accounts, clock } = deps;
  const { budgets } = accounts;
  app.get('/v1/budgets', async (request) => {
    const [seen, standings] = [await budgets.list(), await deps.standings()];
    const byBudget = standings === null ? null : standingsByBudget(standings);
    return {
      object: 'list',
      data: seen
        .filter((budget) => seesRule(request, budget, accounts))
        .map((budget) => summaryOf(budget, byBudget === null ? null : (byBudget.get(budget.id) ?? []), deps)),
    };
  });
  app.get('/v1/budgets/:id', async (request) => {
    const budget = await seenBudget(request, deps);
    const { limit, instance } = parseRequest(request.query, { schema: DETAIL, hint: 'Parameters: limit, instance.' });
    const standings = await deps.standings();
    if (standings === null) return { ...summaryOf(budget, null, deps), standings: null };
    const own = standingsByBudget(standings).get(budget.id) ?? [];
    const found = instance === undefined ? own : own.filter((one) => one.instance.includes(instance));
    const at = clock.now();
    return {
      ...summaryOf(budget, own, deps),
      standings: found.slice(0, limit).map((one) => toStandingInfo(one, { budget, at })),
    };
  });
  app.post('/v1/budgets', async (request) =>
    infoOf(await budgets.create(request.body, editorOf(request, accounts)), deps),
  );
  app.patch('/v1/budgets/:id', async (request) => {
    const { id } = await seenBudget(request, deps);
    return infoOf(await budgets.update(id, request.body, editorOf(request, accounts)), deps);
  });
  app.delete('/v1/budgets/:id', async (request) => {
    const { id } = await seenBudget(request, deps);
    return infoOf(await budgets.delete(id, editorOf(request, accounts)), deps);
  });
  app.post('/v1/budgets/:id/raise', async (request) => {
    const { id } = await seenBudget(request, deps);
    const raise = parseRaise(request.body, clock.now());
    return infoOf(await budgets.raise(id, raise, editorOf(request, accounts)), deps);
  });
  app.delete('/v1/budgets/:id/raise', async (request) => {
    const { id } = await seenBudget(request, deps);
    return infoOf(await budgets.endRaise(id, editorOf(request, accounts)), deps);
  });
}

function infoOf(budget: BudgetRecord, { clock }: BudgetRouteDeps): Record<string, unknown> {
  return toBudgetInfo(budget, clock.now());
}

/** `standing` is that of the most used instance; `{}` names the one instance of a budget without wildcards. */
function summaryOf(
  budget: BudgetRecord,
  own: readonly Standing[] | null,
  deps: BudgetRouteDeps,
): Record<string, unknown> {
  const [first] = own ?? [];
  return {
    ...infoOf(budget, deps),
    instances: own?.length ?? null,
    exceeded_instances: own?.filter((one) => usedOf(one) >= one.limit).length ?? null,
    standing: first === undefined ? null : toStandingInfo(first, { budget, at: deps.clock.now() }),
  };
}

/** What somebody may not see is not there for them. */
async function seenBudget(request: FastifyRequest, { accounts }: BudgetRouteDeps): Promise<BudgetRecord> {
  const id = pathParameter(request, 'id');
  const budget = await accounts.budgets.infoOf(id);
  if (seesRule(request, budget, accounts)) return budget;
  throw new ApportionError('not_found', `There is no budget ${id}.`, { hint: 'GET /v1/budgets lists those you see.' });
}
