import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { toBudgetFields, toLimitFields, type Accounts } from '#accounts';
import { parseRequest } from '../parse-request.ts';
import { editorOf, seesRule } from './rule-reach.ts';

const MOST_RULES = 10_000;

const FILE = z.strictObject({
  budgets: z.array(z.unknown()).max(MOST_RULES).default([]),
  limits: z.array(z.unknown()).max(MOST_RULES).default([]),
});

/** All budgets and limits that were made through the API, as one JSON file, and back. */
export function addRuleFileRoutes(app: FastifyInstance, { accounts }: { readonly accounts: Accounts }): void {
  app.get('/v1/rules/export', async (request) => {
    const [budgets, limits] = [await accounts.budgets.list(), await accounts.limits.list()];
    return {
      budgets: budgets
        .filter((one) => one.origin.kind === 'api' && seesRule(request, one, accounts))
        .map(toBudgetFields),
      limits: limits.filter((one) => one.origin.kind === 'api' && seesRule(request, one, accounts)).map(toLimitFields),
    };
  });
  app.post('/v1/rules/import', async (request) => {
    const file = parseRequest(request.body ?? {}, {
      schema: FILE,
      hint: 'Send what GET /v1/rules/export answered: {"budgets": […], "limits": […]}.',
    });
    const editor = editorOf(request, accounts);
    // All are read before the first is written.
    const asked = {
      budgets: accounts.budgets.parseAll(file.budgets),
      limits: accounts.limits.parseAll(file.limits),
    };
    const budgets = await accounts.budgets.import(asked.budgets, editor);
    const limits = await accounts.limits.import(asked.limits, editor);
    return { budgets: budgets.map(({ id }) => id), limits: limits.map(({ id }) => id) };
  });
}
