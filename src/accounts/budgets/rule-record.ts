import { type Budget, type Pace, type RateLimit } from '#budgets';
import { invariant, type TimestampMs } from '#std';
import { parseUsd, type PicoUsd } from '#terms';

export const ORIGIN_KINDS = ['api', 'key', 'team', 'tag', 'customer', 'user'] as const;

/** What a rule was made for: by itself through the API, or as a part of a key, team, tag, customer or user, and gone with it. */
export type RuleOrigin = {
  readonly kind: (typeof ORIGIN_KINDS)[number];
  /** Empty for `api`. */
  readonly id: string;
};

/** What tables, snapshots and changes carry beside the rule itself. */
export type RuleRecord = {
  readonly origin: RuleOrigin;
  readonly createdAt: TimestampMs;
  readonly createdBy: string;
  readonly updatedAt: TimestampMs;
  readonly deletedAt: TimestampMs | null;
  /** The control-plane revision of its last change. */
  readonly revision: number;
};

/** A budget as plain JSON: money is decimal US dollars. */
export type BudgetTerms = Omit<Budget, 'limit' | 'raise'> & {
  readonly limit: string;
  readonly raise: { readonly by: string; readonly until: TimestampMs } | null;
};

export type BudgetRecord = BudgetTerms & RuleRecord;

type PaceTerms =
  | { readonly kind: 'bucket'; readonly perMs: number; readonly burst: string }
  | Extract<Pace, { readonly kind: 'window' }>;

/** A rate limit as plain JSON: `amount` and `burst` are whole numbers, or decimal US dollars where dollars are measured. */
export type LimitTerms = Pick<RateLimit, 'id' | 'name' | 'scope' | 'counts' | 'effectiveFrom' | 'effectiveTo'> & {
  readonly measure: RateLimit['measure'];
  readonly amount: string;
  /** Null for parallel calls, which time does not give back. */
  readonly pace: PaceTerms | null;
};

export type LimitRecord = LimitTerms & RuleRecord;

export function readBudget(terms: BudgetTerms): Budget {
  const { id, name, scope, counts, effectiveFrom, effectiveTo, window, mode, action, outage, thresholds } = terms;
  const raise = terms.raise === null ? null : { by: usdOf(terms.raise.by), until: terms.raise.until };
  const limit = usdOf(terms.limit);
  const rule = { id, name, scope, counts, effectiveFrom, effectiveTo };
  return { ...rule, window, mode, action, outage, thresholds, limit, raise };
}

export function readLimit(terms: LimitTerms): RateLimit {
  const { id, name, scope, counts, effectiveFrom, effectiveTo, measure, pace } = terms;
  const amount = unitsOf(terms.amount, measure);
  const rule = { id, name, scope, counts, effectiveFrom, effectiveTo, amount };
  if (measure === 'parallel') return { ...rule, measure };
  invariant(pace !== null, `limit ${id} has a pace`);
  if (pace.kind === 'window') return { ...rule, measure, pace };
  return { ...rule, measure, pace: { kind: 'bucket', perMs: pace.perMs, burst: unitsOf(pace.burst, measure) } };
}

function unitsOf(text: string, measure: RateLimit['measure']): bigint {
  return measure === 'usd' ? usdOf(text) : BigInt(text);
}

function usdOf(text: string): PicoUsd {
  const amount = parseUsd(text);
  invariant(amount !== undefined, `${text} is an amount of money`);
  return amount;
}
