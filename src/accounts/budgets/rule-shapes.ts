import { toBudgetFields, toLimitFields } from './budget-answer.ts';
import { parseBudgetChange, parseBudgetNew, type BudgetRequest } from './budget-request.ts';
import { parseLimitChange, parseLimitNew, type LimitRequest } from './limit-request.ts';
import { type BudgetRecord, type LimitRecord } from './rule-record.ts';
import { type RuleShape } from './rule-register.ts';
import { findBudget, findLimit, listBudgets, listLimits } from './rule-table.ts';

export const BUDGETS: RuleShape<BudgetRecord, BudgetRequest> = {
  word: 'budget',
  parseNew: parseBudgetNew,
  parseChange: parseBudgetChange,
  record: (request, head, before) => ({ ...request, ...head, raise: before?.raise ?? null }),
  written: (budgets) => ({ budgets }),
  find: findBudget,
  list: async (queries) => listBudgets(queries),
  detail: (budget) => ({ ...toBudgetFields(budget), raise: budget.raise }),
};

export const LIMITS: RuleShape<LimitRecord, LimitRequest> = {
  word: 'limit',
  parseNew: parseLimitNew,
  parseChange: parseLimitChange,
  record: (request, head) => ({ ...request, ...head }),
  written: (limits) => ({ limits }),
  find: findLimit,
  list: async (queries) => listLimits(queries),
  detail: toLimitFields,
};
