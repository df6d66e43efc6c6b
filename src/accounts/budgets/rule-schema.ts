import { z } from 'zod';
import { type TimestampMs } from '#std';
import { ORIGIN_KINDS } from './rule-record.ts';

/** Rules as they are stored: in tables and in the snapshot file. */

const timestamp = z.int().transform((ms) => ms as TimestampMs);

const values = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('is'), value: z.string() }),
  z.object({ kind: z.literal(['each', 'unlisted', 'none']) }),
]);

const condition = z.discriminatedUnion('on', [
  z.object({ on: z.literal(['key', 'team', 'owner', 'model', 'provider', 'route']), values }),
  z.object({ on: z.literal('dimension'), key: z.string(), values }),
  z.object({ on: z.literal('entity'), type: z.string(), values }),
  z.object({ on: z.literal('label'), label: z.string() }),
]);

const steadyWindow = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hour'), zone: z.string() }),
  z.object({ kind: z.literal('day'), count: z.int(), zone: z.string() }),
  z.object({ kind: z.literal('week'), startsOn: z.int(), zone: z.string() }),
  z.object({ kind: z.literal('month'), count: z.int(), startsOn: z.int(), zone: z.string() }),
  z.object({ kind: z.literal('year'), startsOnMonth: z.int(), zone: z.string() }),
  z.object({ kind: z.literal('fixed'), lengthMs: z.int() }),
  z.object({ kind: z.literal('total') }),
]);

const budgetWindow = z.union([steadyWindow, z.object({ kind: z.literal('rolling'), lengthMs: z.int() })]);

const rule = {
  id: z.string(),
  name: z.string(),
  scope: z.array(condition),
  counts: z.enum(['declared', 'proven', 'locked']),
  effectiveFrom: timestamp.nullable(),
  effectiveTo: timestamp.nullable(),
  origin: z.object({ kind: z.enum(ORIGIN_KINDS), id: z.string() }),
  createdAt: timestamp,
  createdBy: z.string(),
  updatedAt: timestamp,
  deletedAt: timestamp.nullable(),
  revision: z.int(),
};

const usd = z.string().regex(/^-?\d+(\.\d{1,12})?$/);

const action = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal(['block', 'warn']) }),
  z.object({ kind: z.literal('downgrade'), model: z.string() }),
]);

export const budgetRecordSchema = z.object({
  ...rule,
  limit: usd,
  window: budgetWindow,
  mode: z.enum(['strict', 'standard', 'observe']),
  action,
  // Budgets are older than their leases.
  outage: z.enum(['spend_lease', 'refuse']).default('spend_lease'),
  thresholds: z.array(z.int()),
  raise: z.object({ by: usd, until: timestamp }).nullable(),
});

const pace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bucket'), perMs: z.int(), burst: usd }),
  z.object({ kind: z.literal('window'), window: steadyWindow }),
]);

export const limitRecordSchema = z.object({
  ...rule,
  measure: z.enum(['requests', 'tokens', 'usd', 'parallel']),
  amount: usd,
  pace: pace.nullable(),
});
