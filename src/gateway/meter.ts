import type { AttemptEnd } from '#ledger';
import type { PricedAttempt } from '#pricing';
import { inputTokens, outputTokens, ZERO_USD, type RatedCost, type Usage } from '#terms';
import type { AnswerFacts } from '#wires';
import type { Plan } from './attempt.ts';
import type { CallDeps } from './call.ts';
import type { Outcome } from './outcome.ts';
import type { Relayed } from './relay.ts';

export type Ended = {
  readonly relayed: Relayed;
  readonly outcome: Outcome;
  /** No other attempt of the call follows. */
  readonly last: boolean;
};

/** Meters and rates a finished attempt: what was used, what it cost, and how sure that is. */
export async function endAttempt(deps: CallDeps, plan: Plan, ended: Ended): Promise<AttemptEnd> {
  const { relayed, outcome } = ended;
  const isMetered = outcome.billing === 'billed' && plan.routed.route.billing === 'metered';
  const usage = isMetered ? await usageOf(deps, plan, relayed.facts) : null;
  const prices = deps.prices();
  const responseModel = answeredModel(plan, relayed.facts);
  const rated =
    usage === null
      ? unmetered(plan, outcome)
      : prices.price(usage, { ...pricedAttempt(plan), answered: responseModel });
  return {
    endedAt: deps.clock.now(),
    status: outcome.status,
    httpStatus: relayed.httpStatus,
    errorCode: outcome.errorCode,
    upstreamId: relayed.facts?.id ?? '',
    responseModel,
    latencyMs: deps.clock.elapsedMs() - plan.startedMs,
    firstByteMs: relayed.firstByteMs,
    last: ended.last,
    usage,
    rated,
    priceBook: prices.version,
  };
}

/** The model that answered: as the operator says of a deployment, else as the answer says, where its word is good for a price. */
function answeredModel({ step: { upstream, model } }: Plan, facts: AnswerFacts | null): string {
  return upstream.deployments.get(model) ?? (upstream.pricedBy === 'request' ? '' : (facts?.model ?? ''));
}

/** What the price book needs to know of an attempt before it is answered. */
export function pricedAttempt({
  step,
  start,
}: Pick<Plan, 'step'> & { start: Omit<Plan['start'], 'reserved'> }): PricedAttempt {
  const { upstream, model } = step;
  return {
    provider: upstream.priceAs,
    account: upstream.name,
    answered: '',
    asked: upstream.deployments.get(model) ?? model,
    region: upstream.region,
    at: start.startedAt,
    payer: { key: start.key.id, team: start.key.team, dimensions: start.tags.dimensions },
  };
}

/** The provider's usage; what it left out, because it sent none or was broken off, is estimated from the text. */
async function usageOf(deps: CallDeps, plan: Plan, facts: AnswerFacts | null): Promise<Usage> {
  const known = facts?.usage ?? null;
  if (known !== null && facts?.usageComplete === true) return known;
  const estimate = await deps.estimator.estimate({
    input: known === null ? plan.step.wire.requestText(plan.call.body) : '',
    output: facts?.outputText ?? '',
    extraOutputChars: facts?.outputCharsBeyond ?? 0,
  });
  if (known === null) return estimate;
  const text = Math.max(known.meters.output_text ?? 0, estimate.meters.output_text ?? 0);
  return { ...known, meters: { ...known.meters, output_text: text }, origin: 'partly_estimated' };
}

function unmetered({ routed }: Plan, { billing, status }: Outcome): RatedCost {
  if (billing === 'unknown')
    return { ...UNKNOWN, state: 'in_doubt', reason: status === 'ok' ? 'answered_later' : 'answer_lost' };
  // A provider that stops its bill with us may still count the prompt: the zero is an estimate, and says why.
  if (billing === 'given_up') return { ...NOTHING, state: 'estimated', reason: 'given_up_before_answer' };
  if (billing === 'free') return { ...NOTHING, state: 'exact', reason: 'not_billed' };
  if (routed.route.billing === 'unpriced' && status === 'ok')
    return { ...UNKNOWN, state: 'unpriced', reason: 'route_without_price' };
  // The results say it, line by line; until then it is committed money, held and shown like all that is at risk.
  if (routed.route.billing === 'later' && status === 'ok')
    return { ...UNKNOWN, state: 'in_doubt', reason: 'batch_running' };
  return { ...NOTHING, state: 'exact', reason: 'free_route' };
}

const NO_LINES = { charges: [], unpricedMeters: [], terms: [] } as const;

const NOTHING = { ...NO_LINES, cost: ZERO_USD, listCost: ZERO_USD, billed: ZERO_USD, computedCost: ZERO_USD };

const UNKNOWN = { ...NO_LINES, cost: null, listCost: null, billed: null, computedCost: null };

/** Null where nobody knows. */
export function tokensOf(usage: Usage | null): number | null {
  if (usage === null) return null;
  const all = [usage.meters, ...(usage.others ?? []).map(({ meters }) => meters)];
  return all.reduce((sum, meters) => sum + inputTokens(meters) + outputTokens(meters), 0);
}
