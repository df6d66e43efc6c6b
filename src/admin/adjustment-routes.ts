import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ADJUSTED_AMOUNTS } from '#ledger';
import type { AdjustmentAbout, Adjustments } from '#jobs';
import type { TimestampMs } from '#std';
import { ApportionError } from '#terms';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';
import { signedUsd } from './usd-field.ts';

export type AdjustmentRouteDeps = { readonly adjustments: Adjustments };

const text = z.string().trim().min(1);

const fields = z.strictObject({
  amount_usd: signedUsd.refine((amount) => amount !== 0n, 'an adjustment of nothing'),
  fields: z.array(z.enum(ADJUSTED_AMOUNTS)).min(1).default(['cost', 'billed']),
  reason: text.max(1000),
  idempotency_key: text.max(200),
  call_id: text.max(200).optional(),
  entry_id: text.max(200).optional(),
  entity_type: text.optional(),
  entity_id: text.optional(),
  tags: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())], 'a list of tags or an object').optional(),
  labels: z.array(text).default([]),
  provider: text.max(200).optional(),
  model: text.max(200).optional(),
  key_id: text.optional(),
  team: text.max(200).optional(),
  effective_at: z.union([z.iso.datetime({ offset: true }), z.iso.date()], 'a day or an instant').optional(),
});

type Given = z.infer<typeof fields>;

const HINT =
  'Send {"amount_usd": "-12.34", "reason": …, "idempotency_key": …} with a call_id, or with entity_type, entity_id, tags, provider, …; docs/adjustments.md.';

const LIST = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: text.optional(),
  call_id: text.optional(),
});

/** Money that is moved by hand, and the list of it. */
export function addAdjustmentRoutes(app: FastifyInstance, { adjustments }: AdjustmentRouteDeps): void {
  app.post('/v1/adjustments', (request) => {
    const given = parseRequest(request.body ?? {}, { schema: fields, hint: HINT });
    return adjustments.add({
      amount: given.amount_usd,
      moves: ADJUSTED_AMOUNTS.filter((name) => given.fields.includes(name)),
      reason: given.reason,
      idempotencyKey: given.idempotency_key,
      about: aboutOf(given),
      actor: actorOf(request),
    });
  });
  app.get('/v1/adjustments', ({ query }) => {
    const { limit, cursor, call_id } = parseRequest(query, {
      schema: LIST,
      hint: 'Parameters: limit, cursor, call_id.',
    });
    return adjustments.list({ limit, cursor: cursor ?? null, callId: call_id ?? null });
  });
}

const OWN_DIMENSIONS = [
  'entity_type',
  'entity_id',
  'tags',
  'provider',
  'model',
  'key_id',
  'team',
  'effective_at',
] as const;

function aboutOf(given: Given): AdjustmentAbout {
  const { call_id: callId, entry_id: entryId, labels } = given;
  const id = entryId ?? callId;
  if (id !== undefined) {
    const other =
      OWN_DIMENSIONS.find((name) => given[name] !== undefined) ?? (labels.length > 0 ? 'labels' : undefined);
    if (other !== undefined) throw refuse(other, 'what is about a call has the dimensions and the time of the call');
    if (entryId !== undefined && callId !== undefined && entryId.split('.')[0] !== callId)
      throw refuse('entry_id', 'it is an entry of another call than call_id');
    return { kind: 'call', id };
  }
  return {
    kind: 'dimensions',
    entity: entityOf(given),
    tags: given.tags,
    labels,
    provider: given.provider ?? '',
    model: given.model ?? '',
    key: given.key_id ?? '',
    team: given.team ?? null,
    effectiveAt: given.effective_at === undefined ? null : (Date.parse(given.effective_at) as TimestampMs),
  };
}

function entityOf({ entity_type: type, entity_id: id }: Given): { readonly type: string; readonly id: string } | null {
  if (type === undefined && id === undefined) return null;
  if (type === undefined) throw refuse('entity_type', 'entity_id needs one');
  if (id === undefined) throw refuse('entity_id', 'entity_type needs one');
  return { type, id };
}

function refuse(param: string, why: string): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint: HINT });
}
