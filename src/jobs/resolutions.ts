import { audited } from './audited.ts';
import { inDoubtPages, listInDoubt } from './in-doubt.ts';
import { TOGETHER, type JobDeps, type NewEntry } from './job-deps.ts';
import { ResolutionFigures } from './resolution-figures.ts';
import { assume, sharesFor, type PolicyDeps } from './resolution-policy.ts';
import type { ResolveManyRequest, Resolutions, WireManyResolved } from './resolution-request.ts';
import { correctionOf, resolveOne } from './resolve-one.ts';

export function createResolutions(deps: JobDeps): Resolutions {
  return {
    resolve: (request) => deps.inTurn(() => resolveOne(deps, request)),
    previewMany: (request) => deps.inTurn(async () => runMany(deps, await planOf(deps, request), 'preview')),
    applyMany: (request) => deps.inTurn(() => applyMany(deps, request)),
    inDoubt: (request, signal) => listInDoubt(deps.store, { request, now: deps.clock.now() }, signal),
  };
}

/** A request with what it is worked out by: the same for its preview and for what is done. */
type Plan = PolicyDeps & { readonly request: ResolveManyRequest; readonly now: ReturnType<JobDeps['clock']['now']> };

async function planOf(deps: JobDeps, request: ResolveManyRequest): Promise<Plan> {
  await deps.untilStored();
  const now = deps.clock.now();
  const { policy } = request;
  return { request, now, policy, prices: deps.prices(), shares: await sharesFor(deps.store, { policy, now }) };
}

/** Written down before the first correction with what it will do, and after the last with what it did. */
async function applyMany(deps: JobDeps, request: ResolveManyRequest): Promise<WireManyResolved> {
  const plan = await planOf(deps, request);
  const preview = await runMany(deps, plan, 'preview');
  const { olderThanHours: older_than_hours, provider, model, policy, reason, actor } = request;
  const detail = { policy, older_than_hours, provider, model, reason, preview };
  return audited(
    deps,
    { actor, action: 'in_doubt', target: preview.id, detail },
    {
      work: async () => ({ ...(await runMany(deps, plan, 'apply')), id: preview.id }),
      outcome: (applied) => ({ applied }),
    },
  );
}

async function runMany(deps: JobDeps, plan: Plan, mode: 'preview' | 'apply'): Promise<WireManyResolved> {
  const figures = new ResolutionFigures();
  const asOf = deps.store.asOf();
  let applied = 0;
  for await (const page of inDoubtPages(deps.store, { filter: plan.request, asOf, now: plan.now })) {
    const corrections: NewEntry[] = [];
    for (const stood of page) {
      const assumed = assume(plan, stood);
      if (assumed.is !== 'resolved') {
        figures.leave(assumed.is);
        continue;
      }
      figures.add(stood.entry, stood.standing, assumed.resolved);
      corrections.push(
        correctionOf(stood, assumed.resolved, { priceBook: plan.prices.version, now: deps.clock.now() }),
      );
    }
    if (mode === 'preview') continue;
    for (let at = 0; at < corrections.length; at += TOGETHER) {
      const some = corrections.slice(at, at + TOGETHER);
      await deps.append(some);
      applied += some.length;
    }
  }
  // Who asks for a report next finds what was said to be done.
  if (applied > 0) await deps.untilStored();
  const id = deps.newId('resolve');
  return { object: 'resolutions', id, mode, policy: plan.policy, ...figures.toWire(), applied };
}
