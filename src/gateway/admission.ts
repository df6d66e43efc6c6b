import { budgetRefusalWords, limitRefusalWords, rateLimitHeaders, type Consumption, type Shortfall } from '#budgets';
import type { Reservation, Wish } from '#ledger';
import { ApportionError, type PicoUsd } from '#terms';
import { attemptOf, draft, type Earlier, type Journey, type Made, type Plan } from './attempt.ts';
import type { CallDeps } from './call.ts';
import { usualUse } from './expected.ts';
import { headerText } from './headers.ts';
import { pricedAttempt, tokensOf } from './meter.ts';
import type { Visit } from './route/deployment.ts';
import type { Reach, Step } from './route/itinerary.ts';
import type { RouteVisitor } from './routing.ts';

/** An attempt that every budget and limit admits: what is held for it is settled with its entry. */
export type Admitted = {
  readonly journey: Journey;
  readonly plan: Plan;
  /** Its place at the deployment, to be given back when it ends. */
  readonly visit: Visit;
  /** Whether the call has taken from rate limits, and is to settle that at its end. */
  readonly took: boolean;
};

/** Each smaller than the one before; between two of them others may take what was left. */
const MOST_TRIES = 8;

/** Fewer output tokens are no answer; OpenAI's Responses take no smaller limit. */
const LEAST_OUTPUT_TOKENS = 16;

export type AdmitDeps = Pick<
  CallDeps,
  'clock' | 'config' | 'governor' | 'prices' | 'recording' | 'refusals' | 'routing'
>;

type Asked = { readonly step: Step; readonly earlier: Earlier };

export type Refused = Exclude<Reservation, { readonly kind: 'admitted' }>;

/** An attempt that was not admitted, and what stood against it. */
type Turned = { readonly step: Step; readonly plan: Plan; readonly by: Refused };

/**
 * reserve: the attempt and everything it can cost, in all budgets and limits at once. Where a deployment has no room, or a budget has none for
 * it, the route's next one is asked. With room in none, the output is limited to what is left, where the dialect allows; a budget that asks for a
 * cheaper model gets that. @throws ApportionError `budget_exceeded`, `rate_limited`
 */
export async function admit(deps: AdmitDeps, journey: Journey, { step, earlier }: Asked): Promise<Admitted> {
  const turned: Turned[] = [];
  let unable: unknown = null;
  for (let at: Step | null = step; at !== null;) {
    const tried = await tryAt(deps, journey, { step: at, earlier, outputTokens: null });
    if (tried.kind === 'admitted') return tried.admitted;
    if (tried.kind === 'unable') unable ??= tried.error;
    if (tried.kind === 'turned') turned.push({ ...tried, step: at });
    if (tried.kind === 'turned' && tried.by.kind === 'downgrade') break;
    at = tried.kind === 'resting' ? journey.itinerary.insteadOfResting() : journey.itinerary.instead(tried.reach);
  }
  for (const one of turned) {
    const admitted = await settleForLess(deps, journey, { ...one, earlier });
    if (admitted !== null) return admitted;
  }
  const [first] = turned;
  if (first === undefined) throw unable;
  throw refusalOf(deps, first.plan, first.by);
}

/**
 * Where to go after a refusal. A budget of the deployment itself leaves all others; one of the key or of a tag the route's own, which may
 * cost less, and is not to be got round by a fallback; a rate limit of these is the same anywhere.
 */
export function reachAfter(by: Refused): Reach {
  if (by.kind === 'limited') return by.answer.by.ofDeployment ? 'any' : 'none';
  return by.by.ofDeployment ? 'any' : 'own';
}

type Tried =
  | { readonly kind: 'admitted'; readonly admitted: Admitted }
  | { readonly kind: 'turned'; readonly plan: Plan; readonly by: Refused; readonly reach: Reach }
  /** It is being asked whether it is well again. */
  | { readonly kind: 'resting' }
  /** It cannot do what the request asks for. */
  | { readonly kind: 'unable'; readonly error: ApportionError; readonly reach: Reach };

type Trying = Asked & { readonly outputTokens: number | null };

/** One deployment: its own limits first, then all budgets and limits. */
async function tryAt(deps: AdmitDeps, journey: Journey, trying: Trying): Promise<Tried> {
  const { step, earlier } = trying;
  let plan: Plan;
  try {
    plan = draft(deps, journey, trying);
  } catch (error) {
    // What a translation has no words for, another deployment may take as it is.
    if (error instanceof ApportionError && error.code === 'invalid_field')
      return { kind: 'unable', error, reach: 'any' };
    throw error;
  }
  const wish = wishOf(deps, plan, earlier);
  const entrance = deps.routing.enter(step, visitorOf(journey, plan));
  if (entrance.kind === 'resting') return entrance;
  if (entrance.kind === 'limited') return { kind: 'turned', plan, by: entrance, reach: 'any' };
  const { visit } = entrance;
  let reservation: Reservation | null = null;
  try {
    reservation = await deps.recording.reserve(attemptOf(plan), plan.open, wish);
  } finally {
    if (reservation?.kind !== 'admitted') visit.cancel();
  }
  if (reservation.kind !== 'admitted') return { kind: 'turned', plan, by: reservation, reach: reachAfter(reservation) };
  const admitted = { journey, plan, visit, took: wish.takes !== null };
  return { kind: 'admitted', admitted: noting(admitted, notesOf(reservation)) };
}

export function visitorOf({ itinerary, tagged }: Journey, plan: Plan): RouteVisitor {
  const { inputTokens: inputs, outputTokens: outputs, n } = usualUse(plan.asked, plan.call.body.bytes.length);
  return {
    attempt: attemptOf(plan),
    tokens: inputs + outputs * n,
    stream: plan.asked.stream,
    route: itinerary.route,
    session: tagged.tags.sessionId,
  };
}

/** A smaller or cheaper attempt in place of one that does not fit; null when there is none. */
async function settleForLess(
  deps: AdmitDeps,
  journey: Journey,
  { step, earlier, ...turned }: Turned & Asked,
): Promise<Admitted | null> {
  let { plan, by } = turned;
  for (let tries = 1; tries < MOST_TRIES; tries += 1) {
    if (by.kind === 'downgrade') return downgraded(deps, journey, { step, earlier, model: by.model });
    const outputTokens = fittingIn(deps, plan, by);
    if (outputTokens === null) return null;
    const tried = await tryAt(deps, journey, { step: { ...step, as: 'resting' }, earlier, outputTokens });
    if (tried.kind === 'admitted') return noting(tried.admitted, { 'x-apportion-clamped': String(outputTokens) });
    if (tried.kind !== 'turned') return null;
    ({ plan, by } = tried);
  }
  return null;
}

type Downgrade = Asked & { readonly model: string };

/** The model that a budget asks for in place of this one. */
async function downgraded(
  deps: AdmitDeps,
  journey: Journey,
  { step, earlier, model }: Downgrade,
): Promise<Admitted | null> {
  const asking = { ...journey.asking, model };
  const { itinerary } = deps.routing.plan(asking);
  if (itinerary === null || journey.downgraded.includes(model)) return null;
  const cheaper = { ...journey, asking, itinerary, downgraded: [...journey.downgraded, model] };
  const admitted = await admit(deps, cheaper, { step: { ...itinerary.first(), cause: step.cause }, earlier });
  return noting(admitted, { 'x-apportion-downgraded': headerText(journey.asked.model) });
}

function noting(admitted: Admitted, notes: Readonly<Record<string, string>>): Admitted {
  const { plan } = admitted;
  return { ...admitted, plan: { ...plan, notes: { ...plan.notes, ...notes } } };
}

export function fittingIn(deps: AdmitDeps, plan: Plan, by: Refused): number | null {
  if (by.kind === 'limited' || by.clamp === null || by.by.reason !== 'exceeded') return null;
  return fitting(deps, plan, by.clamp);
}

/** The most output tokens with which the attempt provably costs no more than `room`; null when it cannot be limited so far. */
function fitting(deps: AdmitDeps, plan: Plan, room: PicoUsd): number | null {
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
export function wishOf(deps: AdmitDeps, plan: Plan, earlier: Earlier): Wish {
  if (!deps.governor.governs) return NO_WISH;
  // `asked` has the limit that the output was given.
  const usual = usualUse(plan.asked, plan.call.body.bytes.length);
  const expected = plan.start.reserved === null ? null : deps.prices().bound(pricedAttempt(plan), usual);
  const tokens = plan.routed.route.billing === 'metered' ? usual.inputTokens + usual.outputTokens * usual.n : 0;
  // A call takes once, however many attempts it makes.
  return { expected, takes: earlier.length > 0 || !deps.governor.limits ? null : { tokens, usd: expected } };
}

type Weighed = Pick<Plan, 'routed' | 'step' | 'start'>;

const NO_WISH: Wish = { expected: null, takes: null };

function notesOf({ over, limits }: Extract<Reservation, { readonly kind: 'admitted' }>): Record<string, string> {
  const notes: Record<string, string> = { ...rateLimitHeaders(limits) };
  if (over.length > 0)
    notes['x-apportion-budget-warning'] = headerText(over.map((one) => budgetRefusalWords(one).message).join(' '));
  return notes;
}

/** What the caller is told of a budget or limit that has no room. */
export function refusalOf(deps: AdmitDeps, plan: Weighed, refused: Refused): ApportionError {
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
function reasoned(deps: AdmitDeps, plan: Weighed, by: Shortfall): Shortfall {
  if (by.reason === 'exceeded' || plan.routed.route.billing !== 'metered') return by;
  const priced = deps.prices().bound(pricedAttempt(plan), { inputTokens: 1, outputTokens: 1, n: 1 }) !== null;
  return { ...by, reason: priced ? 'unbounded' : 'unpriced' };
}

/** What a call took in truth, all its attempts together. */
export function consumedBy(made: readonly Made[]): Consumption {
  let tokens = 0;
  let usd = 0n;
  for (const { end } of made) {
    tokens += tokensOf(end.usage) ?? 0;
    // What nobody knows is not taken from a limit: a budget holds it, as money at risk.
    if (end.rated.cost !== null) usd += end.rated.cost;
  }
  return { tokens, usd: usd as PicoUsd };
}
