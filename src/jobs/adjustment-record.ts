import { z } from 'zod';
import { movedBy, statementOf, type EntryRecord } from '#ledger';
import { formatUsd } from '#terms';
import type { WireAdjustment } from './adjustment-request.ts';

const text = z.string();

/** The fields of an entry that only adjustments show. */
const dimensionsSchema = z.object({
  posted_at: text,
  effective_at: text,
  entity_type: text,
  entity_id: text,
  labels: z.array(text),
  paths: z.array(text),
  key_name: text,
});

export function toWireAdjustment(entry: EntryRecord): WireAdjustment {
  const fields = dimensionsSchema.parse(entry.fields);
  const { key, actor, reason } = statementOf(entry.usageRaw);
  const { amount, moves } = movedBy(entry);
  return {
    object: 'adjustment',
    id: entry.entryId,
    idempotency_key: key,
    amount_usd: formatUsd(amount),
    fields: moves,
    reason,
    actor,
    call_id: entry.corrects === '' ? null : entry.callId,
    entry_id: filled(entry.corrects),
    effective_at: fields.effective_at,
    recorded_at: fields.posted_at,
    entity_type: filled(fields.entity_type),
    entity_id: filled(fields.entity_id),
    tags: entry.tags,
    labels: fields.labels,
    paths: fields.paths,
    provider: filled(entry.provider),
    model: filled(entry.model),
    key_id: filled(entry.keyId),
    key_name: filled(fields.key_name),
    key_team: filled(entry.keyTeam),
  };
}

function filled(value: string): string | null {
  return value === '' ? null : value;
}
