import { type Selectable } from 'kysely';
import { z } from 'zod';
import { invariant, type TimestampMs } from '#std';
import { type BudgetPlanTable, type SubjectTable } from '../database.ts';
import { type ControlQueries } from '../key-table.ts';
import { SUBJECT_KINDS, type SubjectKind, type SubjectName } from './subject.ts';
import { NO_TERMS, termsSchema, type SubjectTerms } from './subject-terms.ts';

/** What is said of a customer or a user beside budgets and limits. */
export type SubjectProfile = {
  readonly alias: string | null;
  readonly email: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly blocked: boolean;
};

export type SubjectRecord = SubjectName & {
  readonly profile: SubjectProfile;
  readonly terms: SubjectTerms;
  readonly createdAt: TimestampMs;
  readonly updatedAt: TimestampMs;
  readonly createdBy: string;
};

/** Terms that several share, each counted by itself: what LiteLLM calls a budget. */
export type BudgetPlan = {
  readonly id: string;
  readonly terms: SubjectTerms;
  readonly createdAt: TimestampMs;
  readonly updatedAt: TimestampMs;
  readonly createdBy: string;
  readonly updatedBy: string;
};

/** A user that only keys name. */
export function ownerRecord(id: string, createdAt: TimestampMs): SubjectRecord {
  const profile = { alias: null, email: null, metadata: {}, blocked: false };
  return { kind: 'user', id, profile, terms: NO_TERMS, createdAt, updatedAt: createdAt, createdBy: '' };
}

const profileSchema = z.object({
  alias: z.string().nullable(),
  email: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  blocked: z.boolean(),
});

export async function putSubject(database: ControlQueries, subject: SubjectRecord): Promise<void> {
  const row: Selectable<SubjectTable> = {
    kind: subject.kind,
    id: subject.id,
    profile: JSON.stringify(subject.profile),
    terms: JSON.stringify(subject.terms),
    plan_id: subject.terms.planId,
    created_at: subject.createdAt,
    updated_at: subject.updatedAt,
    created_by: subject.createdBy,
  };
  await database
    .insertInto('subjects')
    .values(row)
    .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(row))
    .execute();
}

export async function removeSubject(database: ControlQueries, { kind, id }: SubjectName): Promise<void> {
  await database.deleteFrom('subjects').where('kind', '=', kind).where('id', '=', id).execute();
}

export async function findSubject(
  database: ControlQueries,
  { kind, id }: SubjectName,
): Promise<SubjectRecord | undefined> {
  const row = await database
    .selectFrom('subjects')
    .selectAll()
    .where('kind', '=', kind)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Oldest first. */
export async function listSubjects(database: ControlQueries, kind: SubjectKind): Promise<SubjectRecord[]> {
  const rows = await database
    .selectFrom('subjects')
    .selectAll()
    .where('kind', '=', kind)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

/** Those that a plan's terms hold for. */
export async function listSubjectsOfPlan(database: ControlQueries, plan: string): Promise<SubjectRecord[]> {
  return (await database.selectFrom('subjects').selectAll().where('plan_id', '=', plan).execute()).map(fromRow);
}

export async function putPlan(database: ControlQueries, plan: BudgetPlan): Promise<void> {
  const row: Selectable<BudgetPlanTable> = {
    id: plan.id,
    terms: JSON.stringify(plan.terms),
    created_at: plan.createdAt,
    updated_at: plan.updatedAt,
    created_by: plan.createdBy,
    updated_by: plan.updatedBy,
  };
  await database
    .insertInto('budget_plans')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
}

export async function removePlan(database: ControlQueries, id: string): Promise<void> {
  await database.deleteFrom('budget_plans').where('id', '=', id).execute();
}

export async function findPlan(database: ControlQueries, id: string): Promise<BudgetPlan | undefined> {
  const row = await database.selectFrom('budget_plans').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : planFromRow(row);
}

/** Oldest first. */
export async function listPlans(database: ControlQueries): Promise<BudgetPlan[]> {
  const rows = await database.selectFrom('budget_plans').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map(planFromRow);
}

function fromRow(row: Selectable<SubjectTable>): SubjectRecord {
  const kind = SUBJECT_KINDS.find((one) => one === row.kind);
  invariant(kind !== undefined, `this version knows no subject of the kind ${row.kind}`);
  return {
    kind,
    id: row.id,
    profile: profileSchema.parse(JSON.parse(row.profile)),
    terms: termsSchema.parse(JSON.parse(row.terms)),
    createdAt: Number(row.created_at) as TimestampMs,
    updatedAt: Number(row.updated_at) as TimestampMs,
    createdBy: row.created_by,
  };
}

function planFromRow(row: Selectable<BudgetPlanTable>): BudgetPlan {
  return {
    id: row.id,
    terms: termsSchema.parse(JSON.parse(row.terms)),
    createdAt: Number(row.created_at) as TimestampMs,
    updatedAt: Number(row.updated_at) as TimestampMs,
    createdBy: row.created_by,
    updatedBy: row.updated_by,
  };
}
