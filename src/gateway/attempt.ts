import { closeEntry, closeInDoubt, openEntry, type AttemptEnd, type AttemptStart } from '#ledger';
import { ApportionError, ZERO_USD, type PicoUsd } from '#terms';
import { dialectOf, type RequestEdit, type Wire, type WireRequest } from '#wires';
import type { Accepted } from './accept.ts';
import type { BatchWork } from './batches/batch-work.ts';
import type { CallDeps, Exchange } from './call.ts';
import type { Client } from './client.ts';
import { usualUse } from './expected.ts';
import { headerText } from './headers.ts';
import type { Caller } from './identify.ts';
import { endAttempt, pricedAttempt, tokensOf } from './meter.ts';
import { OUR_FIELDS } from './our-fields.ts';
import { healthOf, outcomeOf, verdictOf, type Outcome } from './outcome.ts';
import { relay, type Relayed } from './relay.ts';
import { pathAtProvider, type RoutedCall } from './routes.ts';
import type { Visit, Visited } from './route/deployment.ts';
import type { Itinerary, Step } from './route/itinerary.ts';
import type { Asking } from './routing.ts';
import type { Tagged } from './tagging.ts';

/** A call that knows whom it is for and where it may go. */
export type Journey = {
  readonly call: Accepted;
  readonly caller: Caller;
  readonly tagged: Tagged;
  readonly routed: RoutedCall;
  readonly asked: WireRequest;
  readonly asking: Asking;
  readonly itinerary: Itinerary;
  /** Models that budgets asked for in place of the one before. */
  readonly downgraded: readonly string[];
  /** What is to be done where the call is about a batch. */
  readonly batch: BatchWork;
};

/** One attempt of a call, ready to go, and what it may cost at most. */
export type Plan = Pick<Journey, 'call' | 'routed' | 'asked' | 'batch'> & {
  readonly step: Step;
  readonly start: AttemptStart;
  readonly startedMs: number;
  /** Answer headers about the call's tags and its way. */
  readonly notes: Readonly<Record<string, string>>;
  /** The intent's text, which becomes the first half of the entry. */
  readonly open: string;
  readonly upstreamPath: string;
  readonly upstreamBody: Buffer | null;
  /** A lower output limit than the caller's, so that the attempt fits in a budget; null for the caller's own. */
  readonly outputTokens: number | null;
};

/** An attempt that is over and durable. */
export type Made = {
  readonly plan: Plan;
  readonly relayed: Relayed;
  readonly end: AttemptEnd;
  /** What is tried now; null when this attempt's answer is the call's. */
  readonly next: Step | null;
  readonly recorded: 'recorded' | 'unrecorded';
};

/** Attempts that came before in the same call. */
export type Earlier = readonly Made[];

export type Drafted = { readonly step: Step; readonly earlier: Earlier; readonly outputTokens: number | null };

/** The attempt as it would be: its upper bound, its intent, and what the provider would be sent. */
export function draft(
  deps: Pick<CallDeps, 'clock' | 'prices'>,
  journey: Journey,
  { step, earlier, outputTokens }: Drafted,
): Plan {
  const { call, caller, tagged, routed, itinerary } = journey;
  const read = askedIn(journey, step);
  const asked = outputTokens === null ? read : { ...read, maxOutputTokens: outputTokens };
  const { upstream, model } = step;
  const unbounded: Omit<AttemptStart, 'reserved'> = {
    callId: call.callId,
    attempt: earlier.length + 1,
    startedAt: earlier.length === 0 ? call.startedAt : deps.clock.now(),
    cause: step.cause,
    operation: routed.route.operation,
    wire: step.wire.name,
    stream: asked.stream,
    key: { id: caller.id, name: caller.name, team: caller.team, owner: caller.owner },
    tags: tagged.tags,
    requestModel: asked.model,
    route: itinerary.route,
    provider: upstream.name,
    priceAs: upstream.priceAs,
    region: upstream.region,
    model,
  };
  const start = {
    ...unbounded,
    reserved: boundOf(deps, { asked, routed, step, batch: journey.batch, start: unbounded }),
  };
  return {
    call,
    routed,
    asked,
    batch: journey.batch,
    step,
    start,
    startedMs: earlier.length === 0 ? call.startedMs : deps.clock.elapsedMs(),
    notes: { ...tagged.notes, ...wayNotes(itinerary, step, earlier) },
    open: openEntry(start),
    upstreamPath: pathAtProvider(routed, step, asked),
    upstreamBody: bodyFor(journey, step, outputTokens),
    outputTokens,
  };
}

/** forward → meter → rate → record, of an attempt that is admitted. Whatever fails, the attempt is in the ledger when this returns. */
export async function makeAttempt(
  deps: CallDeps,
  given: { readonly journey: Journey; readonly plan: Plan; readonly visit: Visit },
  { client, exchange }: { readonly client: Client; readonly exchange: Exchange },
): Promise<Made> {
  const { journey, plan, visit } = given;
  try {
    const relayed = await relay(deps, { plan, client, headers: exchange.request.headers });
    await plan.batch.answered(relayed);
    const outcome = afterLeaving(client, outcomeOf(relayed, plan.step.upstream.onDisconnect));
    const used = tokensOf(relayed.facts?.usage ?? null);
    // Before another attempt is looked for: its place may be the one that is free now.
    visit.end({ ...relayed, health: healthOf({ relayed, outcome }), tokens: used });
    const next = client.gone ? null : nextStep({ journey, plan, relayed, outcome });
    const end = await endAttempt(deps, plan, { relayed, outcome, last: next === null });
    const recorded = await record(deps, plan, end);
    return { plan, relayed, end, next, recorded };
  } catch (error) {
    visit.end(LOST);
    await recordLost(deps, plan);
    throw error;
  }
}

/** A fault of ours says nothing of the deployment. */
const LOST: Visited = { health: 'unknown', firstByteMs: null, retryAfterMs: null, tokens: null };

/** An answer that was read to its end for nobody is whole for money, and not for the caller. */
function afterLeaving(client: Client, outcome: Outcome): Outcome {
  return client.gone && outcome.status === 'ok' ? { ...outcome, status: 'client_closed' } : outcome;
}

type Finished = {
  readonly journey: Journey;
  readonly plan: Plan;
  readonly relayed: Relayed;
  readonly outcome: Outcome;
};

function nextStep({ journey, plan, relayed, outcome }: Finished): Step | null {
  const { step } = plan;
  if (asksForUsage(journey, step) && refusesUsage(relayed)) {
    step.upstream.refusesUsageOption = true;
    return { ...step, cause: 'retry', waitMs: 0 };
  }
  const verdict = verdictOf({ relayed, outcome }, journey.itinerary.whenUnknown);
  return firstAble(journey, journey.itinerary.next(verdict));
}

/** Deployments to which this request cannot be translated, or that have taken as much as they may, are passed over. */
function firstAble(journey: Journey, step: Step | null): Step | null {
  let next = step;
  while (next !== null && !canBeAsked(journey, next)) next = journey.itinerary.instead('any');
  return next;
}

function canBeAsked(journey: Journey, step: Step): boolean {
  const { inputTokens, outputTokens, n } = usualUse(journey.asked, journey.call.body.bytes.length);
  const visitor = { attempt: 'next', tokens: inputTokens + outputTokens * n, stream: journey.asked.stream };
  if (step.deployment?.peek(visitor)?.kind === 'limited') return false;
  try {
    askedIn(journey, step);
    return true;
  } catch (error) {
    if (error instanceof ApportionError && error.code === 'invalid_field') return false;
    throw error;
  }
}

/** Servers of OpenAI's dialect that do not know the option say so by its name. */
function refusesUsage({ httpStatus, answer }: Relayed): boolean {
  return (httpStatus === 400 || httpStatus === 422) && answer?.mentions('stream_options') === true;
}

function asksForUsage({ asked }: Pick<Journey, 'asked'>, { upstream, wire }: Step): boolean {
  return (
    asked.stream &&
    dialectOf(wire) === 'openai' &&
    upstream.quirks.streamUsage === 'ask' &&
    !upstream.refusesUsageOption
  );
}

/** The request as the provider will read it: a translation may say what the caller left open. */
function askedIn({ asked, routed, call }: Journey, { wire }: Step): WireRequest {
  return wire === routed.route.wire ? asked : wire.readRequest(call.body);
}

function bodyFor(journey: Journey, step: Step, outputTokens: number | null): Buffer | null {
  const { call, routed, tagged } = journey;
  if (call.body.bytes.length === 0 && routed.method !== 'POST') return null;
  return step.wire.writeRequest(call.body, {
    model: step.model,
    askUsage: asksForUsage(journey, step),
    drop: OUR_FIELDS,
    ...limitField(step),
    // Gemini's, Cohere's and Converse's requests have no metadata of their own.
    metadata: hasNoMetadata(step.wire) ? { action: 'drop' } : tagged.declared.forwardMetadata,
    ...(outputTokens === null
      ? {}
      : { outputLimit: { tokens: outputTokens, names: step.wire.outputLimitNames?.(call.body) ?? [] } }),
  });
}

function limitField({ upstream }: Step): Pick<RequestEdit, 'limitField'> {
  const { limitField: name } = upstream.quirks;
  return name === undefined ? {} : { limitField: name };
}

function hasNoMetadata(wire: Wire): boolean {
  return dialectOf(wire) === 'gemini' || dialectOf(wire) === 'cohere' || wire.name === 'bedrock.converse';
}

type Bounded = Pick<Plan, 'asked' | 'routed' | 'step' | 'batch'> & { readonly start: Omit<AttemptStart, 'reserved'> };

function boundOf(deps: Pick<CallDeps, 'prices'>, { asked, routed, step, batch, start }: Bounded): PicoUsd | null {
  if (routed.route.billing === 'free') return ZERO_USD;
  if (routed.route.billing === 'later') return batch.reserved;
  if (routed.route.billing === 'unpriced' || asked.maxInputTokens === null) return null;
  return deps.prices().bound(pricedAttempt({ step, start }), {
    inputTokens: asked.maxInputTokens,
    outputTokens: asked.maxOutputTokens,
    n: asked.choices,
  });
}

/** What the caller is told of the way its call took. LiteLLM's names stand beside ours. */
function wayNotes(itinerary: Itinerary, step: Step, earlier: Earlier): Record<string, string> {
  const notes: Record<string, string> = { 'x-apportion-provider': step.upstream.name };
  if (step.model !== '') notes['x-apportion-model'] = headerText(step.model);
  if (itinerary.route !== '') notes['x-apportion-route'] = headerText(itinerary.route);
  if (step.deployment !== null) {
    notes['x-apportion-deployment'] = step.deployment.id;
    notes['x-litellm-model-id'] = step.deployment.id;
  }
  if (earlier.length === 0) return notes;
  const fallbacks = step.cause === 'fallback' ? 1 : 0;
  notes['x-apportion-attempts'] = String(earlier.length + 1);
  notes['x-apportion-failed'] = earlier
    .map(({ plan, end }) => headerText(`${plan.start.provider}/${plan.start.model} ${end.errorCode || end.status}`))
    .join(', ');
  notes['x-litellm-attempted-retries'] = String(earlier.length - fallbacks);
  notes['x-litellm-attempted-fallbacks'] = String(fallbacks);
  return notes;
}

async function record(deps: CallDeps, plan: Plan, end: AttemptEnd): Promise<Made['recorded']> {
  const startedMs = deps.clock.elapsedMs();
  const entry = closeEntry(plan.open, plan.start, end);
  const recorded = await deps.recording.settle(attemptOf(plan), entry, end.rated.cost);
  deps.metrics.journalSynced((deps.clock.elapsedMs() - startedMs) / 1000);
  return recorded;
}

/** A fault of ours between intent and entry must not hide money: the attempt is in doubt from now on, not from the next start. */
async function recordLost(deps: CallDeps, plan: Plan): Promise<void> {
  const entry = closeInDoubt(plan.open, deps.clock.now(), 'gateway_failed');
  await deps.recording.settle(attemptOf(plan), entry, null).catch((error: unknown) => {
    deps.log.error({ err: error, call_id: plan.call.callId }, 'a lost attempt stays open until the next start');
  });
}

/** As the journal names it. */
export function attemptOf(plan: Plan): string {
  return `${plan.start.callId}.${plan.start.attempt}`;
}
