import type { Selectable } from 'kysely';
import { invariant, type TimestampMs } from '#std';
import { formatUsd, picoUsd } from '#terms';
import type { RuleTable } from './database.ts';
import { parseRule, type AlertRule } from './rule.ts';

export type RuleRecord = {
  readonly id: string;
  readonly rule: AlertRule;
  readonly mutedUntil: TimestampMs | null;
  readonly evaluatedAt: TimestampMs;
  readonly createdAt: TimestampMs;
  readonly createdBy: string;
  readonly updatedAt: TimestampMs;
};

export function fromRowRule(row: Selectable<RuleTable>): RuleRecord {
  return {
    id: row.id,
    rule: parseRule(JSON.parse(row.body)),
    mutedUntil: row.muted_until === null ? null : (Number(row.muted_until) as TimestampMs),
    evaluatedAt: Number(row.evaluated_at) as TimestampMs,
    createdAt: Number(row.created_at) as TimestampMs,
    createdBy: row.created_by,
    updatedAt: Number(row.updated_at) as TimestampMs,
  };
}

export function toWireRule({ id, rule, mutedUntil, createdAt, createdBy, updatedAt }: RuleRecord): object {
  return {
    object: 'alert_rule',
    id,
    ...bodyOf(rule),
    muted_until: mutedUntil === null ? null : new Date(mutedUntil).toISOString(),
    created_at: new Date(createdAt).toISOString(),
    created_by: createdBy,
    updated_at: new Date(updatedAt).toISOString(),
  };
}

/** The rule as the API takes it, all defaults filled in. What is a bigint in it is money. */
export function bodyOf(rule: AlertRule): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(rule, (_, value: unknown) =>
    typeof value === 'bigint' ? formatUsd(picoUsd(value)) : value,
  );
  const body: unknown = JSON.parse(text);
  invariant(typeof body === 'object' && body !== null, 'a rule is an object');
  return { ...body };
}
