import { type BudgetAction } from '#budgets';
import { type TimestampMs } from '#std';
import { toIso } from '../key-answer.ts';
import { type BudgetRecord, type LimitRecord, type RuleOrigin } from './rule-record.ts';
import { toScopeFields } from './scope-fields.ts';
import { toWindowFields } from './window-fields.ts';

/** What `POST /v1/budgets` reads: an answer's fields can be sent back. */
export function toBudgetFields(budget: BudgetRecord): Record<string, unknown> {
  return {
    ...toRuleFields(budget),
    limit_usd: budget.limit,
    window: toWindowFields(budget.window),
    mode: budget.mode,
    action: toActionFields(budget.action),
    outage: budget.outage,
    thresholds: budget.thresholds,
  };
}

/** A budget in every answer. */
export function toBudgetInfo(budget: BudgetRecord, now: TimestampMs): Record<string, unknown> {
  const { raise } = budget;
  const raised = raise !== null && raise.until > now;
  return {
    ...toBudgetFields(budget),
    raise: raised ? { by_usd: raise.by, until: toIso(raise.until) } : null,
    ...toRecordFields(budget),
  };
}

/** What `POST /v1/limits` reads. */
export function toLimitFields(limit: LimitRecord): Record<string, unknown> {
  const { pace } = limit;
  return {
    ...toRuleFields(limit),
    measure: limit.measure,
    amount: limit.amount,
    per: pace === null ? null : pace.kind === 'window' ? toWindowFields(pace.window) : `${pace.perMs / 1000}s`,
    burst: pace?.kind === 'bucket' ? pace.burst : null,
  };
}

/** A limit in every answer. */
export function toLimitInfo(limit: LimitRecord): Record<string, unknown> {
  return { ...toLimitFields(limit), ...toRecordFields(limit) };
}

function toRuleFields(rule: BudgetRecord | LimitRecord): Record<string, unknown> {
  return {
    id: rule.id,
    name: rule.name,
    scope: toScopeFields(rule.scope),
    counts: rule.counts,
    effective_from: toIso(rule.effectiveFrom),
    effective_to: toIso(rule.effectiveTo),
  };
}

function toRecordFields({ origin, ...record }: BudgetRecord | LimitRecord): Record<string, unknown> {
  return {
    origin: toOrigin(origin),
    created_at: toIso(record.createdAt),
    created_by: record.createdBy,
    updated_at: toIso(record.updatedAt),
    deleted_at: toIso(record.deletedAt),
  };
}

function toOrigin({ kind, id }: RuleOrigin): Record<string, unknown> | null {
  return kind === 'api' ? null : { kind, id };
}

function toActionFields(action: BudgetAction): unknown {
  return action.kind === 'downgrade' ? { downgrade_to: action.model } : action.kind;
}
