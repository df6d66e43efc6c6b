import { findBudgetFault, findLimitFault } from '#budgets';
import { type TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { refuseFault } from '../budgets/rule-fields.ts';
import { readBudget, readLimit, type BudgetRecord, type LimitRecord, type RuleRecord } from '../budgets/rule-record.ts';
import { listBudgets, listLimits } from '../budgets/rule-table.ts';
import { type WriteQueries } from '../control-writes.ts';
import { deriveRules, MAX, type DerivedRules } from './derive-rules.ts';
import { ruleIdOf, type SubjectName } from './subject.ts';
import {
  effectiveTerms,
  mergeTerms,
  NO_TERMS,
  readRaise,
  type StatedSpending,
  type StatedTerms,
  type TermsRaise,
} from './subject-terms.ts';
import {
  findPlan,
  findSubject,
  putSubject,
  removeSubject,
  type SubjectProfile,
  type SubjectRecord,
} from './subject-table.ts';

/** Who writes, when, and at which revision of the control plane. */
export type Occasion = { readonly actor: string; readonly now: TimestampMs; readonly revision: number };

/** Rules to write with the subject, in the same transaction. */
export type RuleChange = { readonly budgets: readonly BudgetRecord[]; readonly limits: readonly LimitRecord[] };

export type SubjectChange = SubjectName & {
  readonly label: string;
  readonly stated: StatedTerms;
  readonly raise?: TermsRaise;
  readonly profile?: SubjectProfile;
};

export const NO_PROFILE: SubjectProfile = { alias: null, email: null, metadata: {}, blocked: false };

/** Stores what is said of a subject; what it does not say stays. @returns the rules that follow from it */
export async function changeSubject(
  queries: WriteQueries,
  change: SubjectChange,
  occasion: Occasion,
): Promise<RuleChange & { readonly subject: SubjectRecord }> {
  const { kind, id, label, stated, raise } = change;
  const before = await findSubject(queries, { kind, id });
  const subject: SubjectRecord = {
    kind,
    id,
    profile: change.profile ?? before?.profile ?? NO_PROFILE,
    terms: mergeTerms(before?.terms ?? NO_TERMS, stated),
    createdAt: before?.createdAt ?? occasion.now,
    updatedAt: occasion.now,
    createdBy: before?.createdBy ?? occasion.actor,
  };
  await putSubject(queries, subject);
  return { subject, ...(await rulesFor(queries, { subject, label, raise }, occasion)) };
}

export type Governed = SubjectName & {
  readonly label: string;
  readonly spending: StatedSpending;
  /** Deleted. */
  readonly gone: boolean;
};

/** What follows for a key or a team from a change of it. One of which nothing was ever said has no row and no rules. */
export async function governSubject(
  queries: WriteQueries,
  { gone, spending, ...change }: Governed,
  occasion: Occasion,
): Promise<RuleChange> {
  const before = await findSubject(queries, change);
  if (gone) return before === undefined ? NO_RULES : dropSubject(queries, change, occasion);
  const raise = readRaise(spending, occasion.now);
  if (before === undefined && raise === undefined && Object.values(spending).every((value) => value === null))
    return NO_RULES;
  const { budgets, limits } = await changeSubject(queries, { ...change, stated: spending, raise }, occasion);
  return { budgets, limits };
}

const NO_RULES: RuleChange = { budgets: [], limits: [] };

/** The rules of a subject as its terms and its plan are now; only those that changed. */
export async function rulesFor(
  queries: WriteQueries,
  { subject, label, raise }: { readonly subject: SubjectRecord; readonly label: string; readonly raise?: TermsRaise },
  occasion: Occasion,
): Promise<RuleChange> {
  const { kind, id, terms, profile } = subject;
  const plan = terms.planId === null ? undefined : await findPlan(queries, terms.planId);
  if (plan === undefined && terms.planId !== null) throw unknownPlan(terms.planId);
  const holds = effectiveTerms(terms, plan?.terms ?? null);
  const derived = deriveRules({ kind, id, label, terms: holds, blocked: profile.blocked });
  for (const budget of derived.budgets) refuseFault(findBudgetFault(readBudget(budget)));
  for (const limit of derived.limits) refuseFault(findLimitFault(readLimit(limit)));
  const change = await changed(queries, { subject: { kind, id }, derived, occasion });
  return raise === undefined ? change : withRaise(change, ruleIdOf(subject, MAX), { raise, occasion });
}

/** Forgets a subject. @returns its rules, taken away */
export async function dropSubject(
  queries: WriteQueries,
  subject: SubjectName,
  occasion: Occasion,
): Promise<RuleChange> {
  await removeSubject(queries, subject);
  return changed(queries, { subject, derived: { budgets: [], limits: [] }, occasion });
}

/** Forgets several. @returns their rules, taken away */
export async function dropSubjects(
  queries: WriteQueries,
  subjects: readonly SubjectName[],
  occasion: Occasion,
): Promise<RuleChange> {
  const changes: RuleChange[] = [];
  for (const subject of subjects) changes.push(await dropSubject(queries, subject, occasion));
  return joinRules(changes);
}

export function joinRules(changes: readonly RuleChange[]): RuleChange {
  return {
    budgets: changes.flatMap(({ budgets }) => budgets),
    limits: changes.flatMap(({ limits }) => limits),
  };
}

type Derivation = { readonly subject: SubjectName; readonly derived: DerivedRules; readonly occasion: Occasion };

async function changed(queries: WriteQueries, { subject, derived, occasion }: Derivation): Promise<RuleChange> {
  const { kind, id } = subject;
  const [budgets, limits] = [await listBudgets(queries, { kind, id }), await listLimits(queries, { kind, id })];
  const headOf = (before: RuleRecord | undefined): RuleRecord => ({
    origin: { kind, id },
    createdAt: before?.createdAt ?? occasion.now,
    createdBy: before?.createdBy ?? occasion.actor,
    updatedAt: occasion.now,
    deletedAt: null,
    revision: occasion.revision,
  });
  const gone = { deletedAt: occasion.now, updatedAt: occasion.now, revision: occasion.revision };
  const kept = new Set([...derived.budgets, ...derived.limits].map((rule) => rule.id));
  return {
    budgets: [
      ...derived.budgets.map((budget) => {
        const before = budgets.find((one) => one.id === budget.id);
        return { ...budget, ...headOf(before), raise: before?.raise ?? null };
      }),
      ...budgets.filter((one) => !kept.has(one.id)).map((one) => ({ ...one, ...gone })),
    ],
    limits: [
      ...derived.limits.map((limit) => ({ ...limit, ...headOf(limits.find((one) => one.id === limit.id)) })),
      ...limits.filter((one) => !kept.has(one.id)).map((one) => ({ ...one, ...gone })),
    ],
  };
}

function withRaise(
  change: RuleChange,
  id: string,
  { raise, occasion }: { readonly raise: TermsRaise; readonly occasion: Occasion },
): RuleChange {
  const isThere = change.budgets.some((budget) => budget.id === id && budget.deletedAt === null);
  if (!isThere && raise !== null) {
    throw new ApportionError('invalid_field', 'temp_budget_increase: there is no max_budget to increase.', {
      param: 'temp_budget_increase',
      hint: 'Set max_budget too.',
    });
  }
  const { revision } = occasion;
  const budgets = change.budgets.map((one) => (one.id === id ? { ...one, raise: raise ?? null, revision } : one));
  return { ...change, budgets };
}

function unknownPlan(id: string): ApportionError {
  return new ApportionError('invalid_field', `budget_id: there is no budget ${id}.`, {
    param: 'budget_id',
    hint: 'POST /budget/new makes one; GET /budget/list lists them.',
  });
}
