import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { POLICIES, type Resolution, type Resolutions } from '#jobs';
import { ApportionError } from '#terms';
import { actorOf } from './actor.ts';
import { parseRequest } from './parse-request.ts';
import { pathParameter } from './report-route.ts';
import { positiveUsd } from './usd-field.ts';

export type ResolutionRouteDeps = { readonly resolutions: Resolutions };

const text = z.string().trim().min(1).max(200);
const reason = z.string().trim().max(1000);

const one = z.strictObject({
  cost_usd: positiveUsd.optional(),
  usage: z.record(z.string(), z.unknown(), 'the usage object of the provider').optional(),
  reason: reason.min(1),
});

const ONE_HINT = 'Send {"cost_usd": "0.0123", "reason": …}, or {"usage": {…as the provider states it…}, "reason": …}.';

const many = z.strictObject({
  mode: z.enum(['preview', 'apply']),
  policy: z.enum(POLICIES),
  older_than_hours: z.number().min(0).max(87_600),
  provider: text.nullish(),
  model: text.nullish(),
  reason: reason.default(''),
});

const MANY_HINT =
  'Send {"mode": "preview", "policy": "at_risk" | "estimate" | "zero", "older_than_hours": 24, "provider": …, "reason": …}.';

const LIST = z.strictObject({
  older_than_hours: z.coerce.number().min(0).max(87_600).default(0),
  provider: text.optional(),
  model: text.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: text.optional(),
});

/** Calls of which nobody knows what they cost: the list of them, and how a doubt ends. */
export function addResolutionRoutes(app: FastifyInstance, { resolutions }: ResolutionRouteDeps): void {
  app.get('/v1/in-doubt', ({ query, signal }) => {
    const { older_than_hours, provider, model, limit, cursor } = parseRequest(query, {
      schema: LIST,
      hint: 'Parameters: older_than_hours, provider, model, limit, cursor.',
    });
    const filter = { olderThanHours: older_than_hours, provider: provider ?? null, model: model ?? null };
    return resolutions.inDoubt({ ...filter, limit, cursor: cursor ?? null }, signal);
  });
  app.post('/v1/in-doubt/resolve', (request) => {
    const { mode, ...asked } = parseRequest(request.body ?? {}, { schema: many, hint: MANY_HINT });
    if (mode === 'apply' && asked.reason === '') throw refuse('reason', 'what is changed in the ledger needs one');
    const job = {
      policy: asked.policy,
      olderThanHours: asked.older_than_hours,
      provider: asked.provider ?? null,
      model: asked.model ?? null,
      reason: asked.reason,
      actor: actorOf(request),
    };
    return mode === 'preview' ? resolutions.previewMany(job) : resolutions.applyMany(job);
  });
  app.post('/v1/events/:id/resolve', (request) => {
    const given = parseRequest(request.body ?? {}, { schema: one, hint: ONE_HINT });
    return resolutions.resolve({
      id: pathParameter(request, 'id'),
      resolution: resolutionOf(given),
      reason: given.reason,
      actor: actorOf(request),
    });
  });
}

function resolutionOf({ cost_usd: cost, usage }: z.infer<typeof one>): Resolution {
  if (cost !== undefined && usage !== undefined)
    throw refuse('usage', 'cost_usd and usage exclude each other', ONE_HINT);
  if (cost !== undefined) return { kind: 'cost', cost };
  if (usage !== undefined) return { kind: 'usage', usage };
  throw refuse('cost_usd', 'neither a cost nor a usage is said', ONE_HINT);
}

function refuse(param: string, why: string, hint = MANY_HINT): ApportionError {
  return new ApportionError('invalid_field', `${param}: ${why}.`, { param, hint });
}
