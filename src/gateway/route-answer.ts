import { budgetRefusalWords, limitRefusalWords } from '#budgets';
import { formatUsd, usdNumber, type ApportionError, type PicoUsd } from '#terms';
import type { Refused } from './admission.ts';
import type { Plan } from './attempt.ts';
import { askedTexts } from './choose.ts';
import type { Reach, Step } from './route/itinerary.ts';
import { routeTagText, type TagMisfit } from './route/route-tags.ts';
import type { RoutedCall } from './routes.ts';
import type { Asking, Considered, Planned } from './routing.ts';

/** What would become of a call at one deployment. */
export type Prospect = {
  readonly step: Step;
  readonly finding:
    | { readonly kind: 'fits'; readonly plan: Plan }
    | { readonly kind: 'turned'; readonly plan: Plan; readonly by: Refused; readonly reach: Reach }
    | { readonly kind: 'unable'; readonly error: ApportionError };
};

/** Where the call goes; null where everything refuses it. */
export type Prediction = {
  readonly step: Step;
  /** What its output would be limited to; null for the caller's own limit. */
  readonly outputTokens: number | null;
  /** The cheaper model that a budget asks for instead; null for none. */
  readonly downgradeTo: string | null;
} | null;

export type Explained = {
  readonly path: string;
  readonly routed: RoutedCall;
  readonly asking: Asking;
  readonly planned: Planned;
  /** In the order they are tried. */
  readonly prospects: readonly Prospect[];
  readonly prediction: Prediction;
  /** Why the call would be refused before anything is tried, in OpenAI's envelope. */
  readonly error: { readonly error: unknown } | null;
};

type Reason = { readonly code: string; readonly message: string };

/** What `POST /v1/route/explain` answers. Money is a number, and exact text beside it. */
export function explanationAnswer(explained: Explained): unknown {
  const { path, routed, asking, planned, prospects, prediction, error } = explained;
  const { route, asked } = planned;
  const tried = prospects.map((prospect, at) => deploymentAnswer(explained, prospect, at));
  const left = planned.considered.filter(
    ({ place }) => !prospects.some(({ step }) => step.deployment === place.deployment),
  );
  return {
    ok: prediction !== null,
    path,
    dialect: routed.route.dialect,
    model: asking.model,
    route: route?.name ?? null,
    strategy: route?.strategy ?? null,
    tags: askedTexts(asked),
    chosen: prediction === null ? null : nameOf(prediction.step),
    output_limited_to: prediction?.outputTokens ?? null,
    downgraded_to: prediction?.downgradeTo ?? null,
    deployments: [...tried, ...left.map((considered) => leftOutAnswer(considered))],
    error: error?.error ?? null,
  };
}

function nameOf({ deployment, upstream, model }: Prospect['step']): string {
  return deployment?.id ?? `${upstream.name}/${model}`;
}

function deploymentAnswer({ planned, asking, prediction, routed }: Explained, prospect: Prospect, at: number): unknown {
  const { step, finding } = prospect;
  const considered = planned.considered.find(({ place }) => place.deployment === step.deployment);
  const isChosen = prediction !== null && prediction.step === step;
  const fits = finding.kind === 'fits' || isChosen;
  const plan = finding.kind === 'unable' ? null : finding.plan;
  return {
    deployment: nameOf(step),
    provider: step.upstream.name,
    model: step.model,
    role: roleOf(considered),
    tags: considered?.place.tags ?? [],
    order: at + 1,
    outcome: isChosen ? 'chosen' : fits ? 'next' : 'passed_over',
    reason: finding.kind === 'fits' ? orderReason(planned, considered, asking) : refusalReason(finding),
    translated: step.wire !== routed.route.wire,
    ...stateAnswer(considered),
    ...moneyAnswer('expected_cost', asking.expected(step)),
    ...moneyAnswer('most_cost', plan?.start.reserved ?? null),
  };
}

/** What no call of this kind goes to. */
function leftOutAnswer(considered: Considered): unknown {
  const { place, choice, misfit } = considered;
  const { id, provider, model } = place.deployment;
  const reason: Reason =
    choice === undefined
      ? { code: 'dialect', message: 'It cannot be called in this format.' }
      : { code: 'tags', message: misfit === null ? 'It stands in the list before.' : misfitWords(misfit) };
  return {
    deployment: id,
    provider,
    model,
    role: roleOf(considered),
    tags: place.tags,
    order: null,
    outcome: 'passed_over',
    reason,
    translated: false,
    ...stateAnswer(considered),
    ...moneyAnswer('expected_cost', null),
    ...moneyAnswer('most_cost', null),
  };
}

function roleOf(considered: Considered | undefined): string {
  if (considered === undefined) return 'model';
  return considered.role === 'own' ? 'deployment' : 'fallback';
}

function stateAnswer(considered: Considered | undefined): Readonly<Record<string, unknown>> {
  if (considered === undefined) return { state: 'closed', running: null, first_byte_ms: null };
  const { state, running, firstByteMs } = considered.place.deployment.state();
  return { state, running, first_byte_ms: firstByteMs };
}

function moneyAnswer(name: string, amount: PicoUsd | null): Readonly<Record<string, unknown>> {
  return {
    [name]: amount === null ? null : usdNumber(amount),
    [`${name}_exact`]: amount === null ? null : formatUsd(amount),
  };
}

function refusalReason(finding: Exclude<Prospect['finding'], { readonly kind: 'fits' }>): Reason {
  if (finding.kind === 'unable') return { code: 'translation', message: finding.error.message };
  const { by } = finding;
  if (by.kind === 'limited') return { code: 'limit', message: limitRefusalWords(by.answer).message };
  return { code: 'budget', message: budgetRefusalWords(by.by).message };
}

function misfitWords(misfit: TagMisfit): string {
  switch (misfit.kind) {
    case 'excluded':
      return `The call wants none tagged ${routeTagText(misfit.tag)}.`;
    case 'lacking':
      return `The call insists on ${routeTagText(misfit.tag)}.`;
    case 'unmatched':
      return 'Its tags are not those the call asks for.';
    case 'not_default':
      return 'No tag of the call asks for it, and others are the default.';
  }
}

/** Why a deployment stands where it does. */
function orderReason({ route }: Planned, considered: Considered | undefined, asking: Asking): Reason {
  if (route === null || considered === undefined) return { code: 'model', message: 'The call names this model.' };
  const { place, choice, isWell, isKept, role } = considered;
  const { deployment, weight } = place;
  if (!isWell) return { code: 'resting', message: 'It keeps failing: it is tried only for want of others.' };
  if (isKept) return { code: 'session', message: "The session's last call was answered here." };
  if (role === 'fallback') return { code: 'fallback', message: 'It stands in for the deployments of the route.' };
  const expected = choice === undefined ? null : asking.expected(choice);
  const firstByteMs = deployment.firstByteMs(asking.stream);
  const words: Readonly<Record<typeof route.strategy, string>> = {
    weighted: `Drawn by weight ${weight}: another call may go elsewhere.`,
    ordered: 'It stands here in the settings.',
    cheapest: expected === null ? 'It has no price.' : `It will probably cost ${formatUsd(expected)} USD.`,
    fastest: firstByteMs === null ? 'Nobody measured it lately.' : `${Math.round(firstByteMs)} ms to the first byte.`,
    least_busy: `${deployment.running} calls run there.`,
  };
  return { code: route.strategy, message: words[route.strategy] };
}
