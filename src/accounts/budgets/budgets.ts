import { type BudgetRequest, type RaiseRequest } from './budget-request.ts';
import { type BudgetRecord } from './rule-record.ts';
import { RuleRegister, type RuleDeps, type RuleEditor } from './rule-register.ts';
import { BUDGETS } from './rule-shapes.ts';

/** Budgets: those made through the API, and those that keys, teams, tags, customers and users have. */
export class Budgets extends RuleRegister<BudgetRecord, BudgetRequest> {
  constructor(deps: RuleDeps) {
    super(deps, BUDGETS);
  }

  /** For a time, in place of a raise that it has. Budgets of keys, teams and the like can be raised too. */
  async raise(id: string, { by, until, reason }: RaiseRequest, editor: RuleEditor): Promise<BudgetRecord> {
    return this.amend(id, 'raise', { edit: (budget) => ({ ...budget, raise: { by, until } }), editor, reason });
  }

  async endRaise(id: string, editor: RuleEditor): Promise<BudgetRecord> {
    return this.amend(id, 'end_raise', { edit: (budget) => ({ ...budget, raise: null }), editor, reason: null });
  }
}
