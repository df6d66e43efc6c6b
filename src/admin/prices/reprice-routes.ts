import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { RepriceRequest, Repricing } from '#jobs';
import type { Clock, TimestampMs } from '#std';
import { ApportionError, COST_STATES } from '#terms';
import { actorOf } from '../actor.ts';
import { parseRequest } from '../parse-request.ts';

const DAY_MS = 86_400_000;

const day = z.iso.date();
const instant = z.union([z.iso.datetime({ offset: true }), day], 'a day or an instant');

const fields = z.strictObject({
  mode: z.enum(['preview', 'apply']),
  from: instant,
  to: instant.optional(),
  provider: z.string().trim().min(1).nullish(),
  model: z.string().trim().min(1).nullish(),
  states: z.array(z.enum(COST_STATES)).min(1).default(['unpriced']),
  reason: z.string().trim().max(1000).default(''),
});

const HINT =
  'Send {"mode": "preview", "from": "2026-11-01", "to": "2026-11-30", "model": …, "states": ["unpriced"], "reason": …}.';

export function addRepriceRoutes(
  app: FastifyInstance,
  deps: { readonly repricing: Repricing; readonly clock: Clock },
): void {
  app.post('/v1/prices/reprice', (request) => {
    const { mode, ...asked } = parseRequest(request.body ?? {}, { schema: fields, hint: HINT });
    if (mode === 'apply' && asked.reason === '') throw reasonMissing();
    const job: RepriceRequest = {
      ...asked,
      from: Date.parse(asked.from) as TimestampMs,
      to: asked.to === undefined ? deps.clock.now() : endOf(asked.to),
      provider: asked.provider ?? null,
      model: asked.model ?? null,
      actor: actorOf(request),
    };
    if (job.from >= job.to) {
      throw new ApportionError('invalid_field', 'to: it is not after from.', { param: 'to', hint: HINT });
    }
    return deps.repricing[mode](job);
  });
}

function reasonMissing(): ApportionError {
  return new ApportionError('invalid_field', 'reason: what is changed in the ledger needs one.', {
    param: 'reason',
    hint: 'It stands in the audit log, for those who ask later why a cost changed.',
  });
}

/** A day is meant whole. */
function endOf(text: string): TimestampMs {
  const at = Date.parse(text);
  return (day.safeParse(text).success ? at + DAY_MS : at) as TimestampMs;
}
