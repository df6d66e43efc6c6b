import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parsePlan, toPlanInfo, type Accounts } from '#accounts';
import type { Clock } from '#std';
import { actorOf } from '../actor.ts';
import { parseRequest } from '../parse-request.ts';

type PlanRouteDeps = { readonly accounts: Accounts; readonly clock: Clock };

/** LiteLLM's budgets: terms that several customers, keys, teams, tags or users share, each counted by itself. */
export function addPlanRoutes(app: FastifyInstance, { accounts, clock }: PlanRouteDeps): void {
  const { subjects } = accounts;
  app.post('/budget/new', async (request) => {
    const plan = parsePlan(request.body, `budget_${randomBytes(10).toString('hex')}`);
    return toPlanInfo(await subjects.putPlan(plan, 'new', actorOf(request)), clock.now());
  });
  app.post('/budget/update', async (request) =>
    toPlanInfo(await subjects.putPlan(parsePlan(request.body, null), 'change', actorOf(request)), clock.now()),
  );
  app.post('/budget/info', async ({ body }) => {
    const { budgets } = parseRequest(body ?? {}, { schema: SOME, hint: 'Send {"budgets": ["free-tier"]}.' });
    const plans = await Promise.all(budgets.map((id) => subjects.plan(id)));
    return plans.map((plan) => toPlanInfo(plan, clock.now()));
  });
  app.get('/budget/list', async () => (await subjects.plans()).map((plan) => toPlanInfo(plan, clock.now())));
  app.get('/budget/settings', async ({ query }) => {
    const { budget_id: id } = parseRequest(query, { schema: ONE, hint: 'Parameter: budget_id.' });
    const info = toPlanInfo(await subjects.plan(id), clock.now());
    return SETTINGS.map(([name, type, description]) => ({
      field_name: name,
      field_type: type,
      field_description: description,
      field_value: info[name] ?? null,
      stored_in_db: (info[name] ?? null) !== null,
      field_default_value: null,
    }));
  });
  app.post('/budget/delete', async (request) => {
    const { id } = parseRequest(request.body ?? {}, { schema: NAMED, hint: 'Send {"id": "free-tier"}.' });
    return toPlanInfo(await subjects.deletePlan(id, actorOf(request)), clock.now());
  });
}

const NAME = z.string().min(1);
const SOME = z.strictObject({ budgets: z.array(NAME).min(1) });
const ONE = z.strictObject({ budget_id: NAME });
const NAMED = z.strictObject({ id: NAME });

const SETTINGS = [
  ['max_budget', 'Float', 'US dollars; calls beyond are refused.'],
  ['soft_budget', 'Float', 'US dollars; calls beyond are told of, not refused.'],
  ['budget_duration', 'String', 'The window, such as "1d" or "1mo"; without one, all time.'],
  ['max_parallel_requests', 'Integer', 'Calls at the same time.'],
  ['tpm_limit', 'Integer', 'Tokens in a minute.'],
  ['rpm_limit', 'Integer', 'Requests in a minute.'],
  ['model_max_budget', 'Object', 'Budgets by model.'],
] as const;
