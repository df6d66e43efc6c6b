import { budgetRefusalWords, limitRefusalWords, rateLimitHeaders, type Consumption, type Shortfall } from '#budgets';
import type { Reservation, Wish } from '#ledger';
import { ApportionError, inputTokens, outputTokens, type PicoUsd, type Usage } from '#terms';
import { attemptOf, draft, type Earlier, type Journey, type Made, type Plan } from './attempt.ts';
import type { CallDeps } from './call.ts';
import { headerText } from './headers.ts';
import { pricedAttempt } from './meter.ts';
import type { Step } from './routing.ts';

/** An attempt that every budget and limit admits: what is held for it is settled with its entry. */
export type Admitted = {
  readonly journey: Journey;
  readonly plan: Plan;
  /** Whether the call has taken from rate limits, and is to settle that at its end. */
  readonly took: boolean;
};

/** Each smaller or cheaper than the one before; between two of them others may take what was left. */
const MOST_TRIES = 8;

/** Fewer output tokens are no answer; OpenAI's Responses take no smaller limit. */
const LEAST_OUTPUT_TOKENS = 16;

/** What an answer is expected to have where nothing says how long it will be. */
const USUAL_OUTPUT_TOKENS = 500;

const BYTES_PER_TOKEN = 4;

type Asked = { readonly step: Step; readonly earlier: Earlier };

/**
 * reserve: the attempt and everything it can cost, in all budgets and limits at once. A budget with less room has the output limited to it, where the
 * dialect allows; one that asks for a cheaper model gets that. @throws ApportionError `budget_exceeded`, `rate_limited`
 */
export async function admit(deps: CallDeps, journey: Journey, { step, earlier }: Asked): Promise<Admitted> {
  let asked: { journey: Journey; step: Step; outputTokens: number | null } = { journey, step, outputTokens: null };
  const notes: Record<string, string> = {};
  for (let tries = 1; ; tries += 1) {
    const plan = draft(deps, asked.journey, { ...asked, earlier });
    const wish = wishOf(deps, plan, earlier);
    const reservation = await deps.recording.reserve(attemptOf(plan), plan.open, wish);
    if (reservation.kind === 'admitted') {
      Object.assign(notes, notesOf(reservation));
      const noted = { ...plan, notes: { ...plan.notes, ...notes } };
      return { journey: asked.journey, plan: noted, took: wish.takes !== null };
    }
    const next = tries < MOST_TRIES ? tryInstead(deps, { ...asked, plan }, reservation) : null;
    if (next === null) throw refusalOf(deps, plan, reservation);
    if (next.outputTokens !== null) notes['x-apportion-clamped'] = String(next.outputTokens);
    if (next.journey !== asked.journey) notes['x-apportion-downgraded'] = headerText(journey.asked.model);
    asked = next;
  }
}

type Trying = { readonly journey: Journey; readonly plan: Plan; readonly step: Step };

/** A smaller or cheaper attempt in place of one that does not fit; null when there is none. */
function tryInstead(
  deps: CallDeps,
  { journey, plan, step }: Trying,
  reservation: Exclude<Reservation, { readonly kind: 'admitted' }>,
): { journey: Journey; step: Step; outputTokens: number | null } | null {
  if (reservation.kind === 'limited') return null;
  if (reservation.kind === 'downgrade') {
    const itinerary = deps.routing.plan(reservation.model, plan.routed.route.wire);
    if (itinerary === undefined || journey.downgraded.includes(reservation.model)) return null;
    const cheaper = { ...journey, itinerary, downgraded: [...journey.downgraded, reservation.model] };
    return { journey: cheaper, step: { ...itinerary.first(), cause: step.cause }, outputTokens: null };
  }
  if (reservation.clamp === null || reservation.by.reason !== 'exceeded') return null;
  const smaller = fitting(deps, plan, reservation.clamp);
  return smaller === null ? null : { journey, step, outputTokens: smaller };
}

/** The most output tokens with which the attempt provably costs no more than `room`; null when it cannot be limited so far. */
function fitting(deps: CallDeps, plan: Plan, room: PicoUsd): number | null {
  const { wire } = plan.step;
  const { start, asked } = plan;
  if (start.reserved === null || asked.maxInputTokens === null) return null;
  if ((wire.outputLimitNames?.(plan.call.body).length ?? 0) === 0) return null;
  const prices = deps.prices();
  const inputs = asked.maxInputTokens;
  const fits = (outputTokensEach: number): boolean => {
    const bound = prices.bound(pricedAttempt(plan), {
      inputTokens: inputs,
      outputTokens: outputTokensEach,
      n: asked.choices,
    });
    return bound !== null && bound <= room;
  };
  if (!fits(LEAST_OUTPUT_TOKENS)) return null;
  let [low, high] = [LEAST_OUTPUT_TOKENS, plan.outputTokens ?? asked.maxOutputTokens ?? MOST_OUTPUT_TOKENS];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** No model writes as much. */
const MOST_OUTPUT_TOKENS = 2 ** 24;

/** What the attempt will probably cost, and what its call takes from limits. Nothing where no rule asks. */
function wishOf(deps: CallDeps, plan: Plan, earlier: Earlier): Wish {
  if (!deps.governor.governs) return NO_WISH;
  const { asked, call } = plan;
  const inputs = Math.ceil((asked.maxInputTokens ?? call.body.bytes.length) / BYTES_PER_TOKEN);
  const outputs = Math.min(plan.outputTokens ?? asked.maxOutputTokens ?? USUAL_OUTPUT_TOKENS, USUAL_OUTPUT_TOKENS);
  const usual = { inputTokens: inputs, outputTokens: outputs, n: asked.choices };
  const expected = plan.start.reserved === null ? null : deps.prices().bound(pricedAttempt(plan), usual);
  const tokens = plan.routed.route.billing === 'metered' ? inputs + outputs * asked.choices : 0;
  // A call takes once, however many attempts it makes.
  return { expected, takes: earlier.length > 0 || !deps.governor.limits ? null : { tokens, usd: expected } };
}

const NO_WISH: Wish = { expected: null, takes: null };

function notesOf({ over, limits }: Extract<Reservation, { readonly kind: 'admitted' }>): Record<string, string> {
  const notes: Record<string, string> = { ...rateLimitHeaders(limits) };
  if (over.length > 0)
    notes['x-apportion-budget-warning'] = headerText(over.map((one) => budgetRefusalWords(one).message).join(' '));
  return notes;
}

function refusalOf(
  deps: CallDeps,
  plan: Plan,
  refused: Exclude<Reservation, { readonly kind: 'admitted' }>,
): ApportionError {
  if (refused.kind !== 'limited') {
    const by = reasoned(deps, plan, refused.by);
    const { message, hint, fields } = budgetRefusalWords(by);
    deps.refusals.refused({ by: 'budget', rule: by.budgetId, scope: by.scope });
    // OpenAI's and Anthropic's clients try a 429 again unless they are told that it does not help.
    const headers = { 'x-should-retry': 'false' };
    if (by.reason === 'unreachable') return new ApportionError('budgets_unavailable', message, { hint });
    const { budgetStatus: status } = deps.config;
    return new ApportionError('budget_exceeded', message, {
      hint,
      status,
      headers,
      facts: { about: 'budget', fields },
    });
  }
  const { message, hint, fields } = limitRefusalWords(refused.answer);
  const { by, standings, retryAfterMs } = refused.answer;
  deps.refusals.refused({ by: 'limit', rule: by.limitId, scope: by.scope });
  const wait: Record<string, string> =
    retryAfterMs === null ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
  return new ApportionError('rate_limited', message, {
    hint,
    headers: { ...rateLimitHeaders(standings), ...wait },
    facts: { about: 'limit', fields },
  });
}

/** Counters see only that there is no bound; here it is known whether there is a price. */
function reasoned(deps: CallDeps, plan: Plan, by: Shortfall): Shortfall {
  if (by.reason === 'exceeded' || plan.routed.route.billing !== 'metered') return by;
  const priced = deps.prices().bound(pricedAttempt(plan), { inputTokens: 1, outputTokens: 1, n: 1 }) !== null;
  return { ...by, reason: priced ? 'unbounded' : 'unpriced' };
}

/** What a call took in truth, all its attempts together. */
export function consumedBy(made: readonly Made[]): Consumption {
  let tokens = 0;
  let usd = 0n;
  for (const { end } of made) {
    tokens += tokensOf(end.usage);
    // What nobody knows is not taken from a limit: a budget holds it, as money at risk.
    if (end.rated.cost !== null) usd += end.rated.cost;
  }
  return { tokens, usd: usd as PicoUsd };
}

function tokensOf(usage: Usage | null): number {
  if (usage === null) return 0;
  const all = [usage.meters, ...(usage.others ?? []).map(({ meters }) => meters)];
  return all.reduce((sum, meters) => sum + inputTokens(meters) + outputTokens(meters), 0);
}
