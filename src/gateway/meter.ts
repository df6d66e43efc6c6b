import type { AttemptEnd } from '#ledger';
import { rate } from '#pricing';
import { ZERO_USD, type RatedCost, type Usage } from '#terms';
import type { CallDeps, Plan } from './call.ts';
import { outcomeOf, type Billing } from './outcome.ts';
import type { Relayed } from './relay.ts';

/** Meters and rates a finished attempt: what was used, what it cost, and how sure that is. */
export async function endAttempt(deps: CallDeps, plan: Plan, relayed: Relayed): Promise<AttemptEnd> {
  const outcome = outcomeOf(relayed);
  const usage = outcome.billing === 'billed' ? await usageOf(deps, plan, relayed) : null;
  const rated = rateUsage(deps, { plan, relayed, usage, billing: outcome.billing });
  return {
    endedAt: deps.clock.now(),
    status: outcome.status,
    httpStatus: relayed.httpStatus,
    errorCode: outcome.errorCode,
    upstreamId: relayed.facts?.id ?? '',
    responseModel: relayed.facts?.model ?? '',
    latencyMs: deps.clock.elapsedMs() - plan.call.startedMs,
    firstByteMs: relayed.firstByteMs,
    usage,
    rated,
    priceBook: deps.prices.version,
  };
}

async function usageOf(deps: CallDeps, plan: Plan, relayed: Relayed): Promise<Usage> {
  const { facts } = relayed;
  if (facts?.usage) return facts.usage;
  return deps.estimator.estimate({
    input: plan.wire.requestText(plan.call.body),
    output: facts?.outputText ?? '',
    extraOutputChars: facts?.outputCharsBeyond ?? 0,
  });
}

type Metered = {
  readonly plan: Plan;
  readonly relayed: Relayed;
  readonly usage: Usage | null;
  readonly billing: Billing;
};

function rateUsage(deps: CallDeps, { plan, relayed, usage, billing }: Metered): RatedCost {
  if (billing === 'free')
    return { state: 'exact', cost: ZERO_USD, charges: [], unpricedMeters: [], reason: 'not_billed' };
  if (billing === 'unknown' || usage === null) {
    return { state: 'in_doubt', cost: null, charges: [], unpricedMeters: [], reason: 'answer_lost' };
  }
  const provider = plan.choice.upstream.priceAs;
  const at = plan.start.startedAt;
  const answered = relayed.facts?.model ?? '';
  // What answered is what is billed; a name the price book does not know is an alias of what was asked for.
  const price =
    (answered === '' ? undefined : deps.prices.find({ provider, model: answered, at })) ??
    deps.prices.find({ provider, model: plan.choice.model, at });
  return rate(usage, price);
}
