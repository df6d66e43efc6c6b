import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KeyRing } from '#accounts';
import type { Config } from '#config';
import { readBody } from '#http';
import { closeEntry, closeInDoubt, openEntry, type AttemptEnd, type AttemptStart, type Journal } from '#ledger';
import type { CallEnd, Log, Metrics } from '#observe';
import { upperBound, type PriceBook } from '#pricing';
import type { Estimator, RequestBody, Wire, WireRequest } from '#wires';
import { scanJsonObject, type Clock, type JsonMember, type Random, type TimestampMs } from '#std';
import { ApportionError, makeCallId, type CallId, type PicoUsd } from '#terms';
import type { Answer } from './answer.ts';
import { Client } from './client.ts';
import { identify, type Caller } from './identify.ts';
import { endAttempt } from './meter.ts';
import { OUR_FIELDS } from './our-fields.ts';
import { failureOf } from './outcome.ts';
import { refuse, release } from './release.ts';
import { relay } from './relay.ts';
import type { Tagged, Tagging } from './tagging.ts';
import type { Choice, Upstreams } from './upstreams.ts';

export type CallDeps = {
  readonly config: Pick<Config, 'limits' | 'timeouts'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: () => KeyRing;
  readonly tagging: Tagging;
  readonly upstreams: Upstreams;
  readonly prices: PriceBook;
  readonly journal: Journal;
  readonly estimator: Estimator;
  readonly metrics: Metrics;
  readonly log: Log;
};

/** What a route adds to a call: its OpenTelemetry operation name, its path at the provider, and its format. */
export type CallRoute = { readonly operation: string; readonly upstreamPath: string; readonly wire: Wire };

export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

type Accepted = {
  readonly callId: CallId;
  readonly startedAt: TimestampMs;
  readonly startedMs: number;
  readonly body: RequestBody;
};

/** A call that knows whom it is for, where it goes, and what it may cost at most. */
export type Plan = {
  readonly call: Accepted;
  readonly wire: Wire;
  readonly asked: WireRequest;
  readonly choice: Choice;
  readonly start: AttemptStart;
  /** Answer headers about the call's tags. */
  readonly notes: Readonly<Record<string, string>>;
  /** The intent's text, which becomes the first half of the entry. */
  readonly open: string;
  readonly upstreamBody: Buffer;
};

/**
 * The life of a call, in order: accept → identify → tag → choose → reserve → forward → meter → rate → record → settle.
 * Whatever fails, the caller gets one error in its dialect; what was spent by then is in the ledger.
 */
export async function handleCall(deps: CallDeps, route: CallRoute, exchange: Exchange): Promise<void> {
  const client = new Client(exchange.response, { stalledMs: deps.config.timeouts.idleMs });
  let answer: Answer | null = null;
  let begun: Plan | null = null;
  deps.metrics.callStarted();
  let ended: CallEnd = { provider: '', model: '', status: 'refused', state: 'exact', cost: null };
  try {
    const call = await accept(deps, exchange.request);
    client.callId = call.callId;
    const { headers, headersDistinct } = exchange.request;
    const caller = identify(deps.keys(), headers);
    const tagged = deps.tagging.tag({ body: call.body, headers: headersDistinct, caller });
    const plan = reserve(deps, choose(deps, { call, caller, tagged, route }));
    ended = { ...ended, provider: plan.start.provider, model: plan.start.model, status: 'lost', state: 'in_doubt' };
    await deps.journal.begin(attemptOf(plan), plan.open);
    begun = plan;
    const relayed = await relay(deps, { plan, client, route, headers });
    answer = relayed.answer;
    const end = await endAttempt(deps, plan, relayed);
    await record(deps, plan, end);
    begun = null;
    ended = { ...ended, status: end.status, state: end.rated.state, cost: end.rated.cost };
    release({ client, relayed, failure: failureOf(relayed, plan), rated: end.rated });
  } catch (error) {
    if (begun !== null) await recordLost(deps, begun);
    refuse(deps, { client, answer, error });
  } finally {
    deps.metrics.callEnded(ended);
  }
}

async function record(deps: CallDeps, plan: Plan, end: AttemptEnd): Promise<void> {
  const startedMs = deps.clock.elapsedMs();
  await deps.journal.settle(attemptOf(plan), closeEntry(plan.open, plan.start, end));
  deps.metrics.journalSynced((deps.clock.elapsedMs() - startedMs) / 1000);
}

/** A fault of ours between intent and entry must not hide money: the attempt is in doubt from now on, not from the next start. */
async function recordLost(deps: CallDeps, plan: Plan): Promise<void> {
  if (deps.journal.state() !== 'open') return;
  const entry = closeInDoubt(plan.open, deps.clock.now(), 'gateway_failed');
  await deps.journal.settle(attemptOf(plan), entry).catch((error: unknown) => {
    deps.log.error({ err: error, call_id: plan.call.callId }, 'a lost attempt stays open until the next start');
  });
}

function attemptOf(plan: Plan): string {
  return `${plan.start.callId}.${plan.start.attempt}`;
}

export async function accept(
  deps: Pick<CallDeps, 'config' | 'clock' | 'random'>,
  request: IncomingMessage,
): Promise<Accepted> {
  const startedMs = deps.clock.elapsedMs();
  const bytes = await readBody(request, {
    limitBytes: deps.config.limits.maxBodyBytes,
    timeoutMs: deps.config.timeouts.bodyMs,
  });
  const startedAt = deps.clock.now();
  return {
    callId: makeCallId(startedAt, deps.random(10)),
    startedAt,
    startedMs,
    body: { bytes, members: membersOf(bytes) },
  };
}

function membersOf(bytes: Buffer): ReadonlyMap<string, JsonMember> {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) {
    throw new ApportionError(
      'body_not_json',
      `The request body is not valid JSON: ${scan.problem}, at byte ${scan.at}.`,
      {
        hint: 'Send one JSON object.',
      },
    );
  }
  const members = new Map<string, JsonMember>();
  for (const member of scan.members) {
    // Parsers differ in which of two they read: what is metered must be what the provider does.
    if (members.has(member.key)) {
      throw new ApportionError('duplicate_field', `The field ${member.key} is in the request twice.`, {
        param: member.key,
        hint: 'Send each field once.',
      });
    }
    members.set(member.key, member);
  }
  return members;
}

type Chosen = Omit<Plan, 'start' | 'open'> & { readonly start: Omit<AttemptStart, 'reserved'> };

function choose(deps: CallDeps, given: { call: Accepted; caller: Caller; tagged: Tagged; route: CallRoute }): Chosen {
  const { call, caller, tagged, route } = given;
  const { wire } = route;
  const asked = wire.readRequest(call.body);
  const choice = deps.upstreams.choose(asked.model);
  if (choice === undefined) throw modelNotFound(asked.model, deps.upstreams);
  if (caller.models.length > 0 && !caller.models.includes(asked.model)) {
    throw new ApportionError('not_allowed', `This key may not call the model ${asked.model}.`, {
      param: 'model',
      hint: `It may call ${caller.models.join(', ')}.`,
    });
  }
  return {
    call,
    wire,
    asked,
    choice,
    notes: tagged.notes,
    upstreamBody: wire.writeRequest(call.body, {
      model: choice.model,
      stream: asked.stream,
      drop: OUR_FIELDS,
      metadata: tagged.declared.forwardMetadata,
    }),
    start: {
      callId: call.callId,
      attempt: 1,
      startedAt: call.startedAt,
      operation: route.operation,
      stream: asked.stream,
      key: { id: caller.id, name: caller.name, team: caller.team, owner: caller.owner },
      tags: tagged.tags,
      requestModel: asked.model,
      provider: choice.upstream.name,
      model: choice.model,
    },
  };
}

function modelNotFound(model: string, upstreams: Upstreams): ApportionError {
  const providers = upstreams.names();
  return new ApportionError('model_not_found', `No configured provider serves the model ${model}.`, {
    param: 'model',
    hint:
      providers.length === 1 && providers[0] === 'sandbox'
        ? 'Only the sandbox is configured: call sandbox-mini, or set OPENAI_API_KEY and start again.'
        : `Configured providers: ${providers.join(', ')}. GET /v1/models lists their models; provider/model names one directly.`,
  });
}

function reserve(deps: CallDeps, chosen: Chosen): Plan {
  const start = { ...chosen.start, reserved: boundOf(deps, chosen) };
  return { ...chosen, start, open: openEntry(start) };
}

function boundOf(deps: CallDeps, { asked, choice, call }: Chosen): PicoUsd | null {
  if (asked.maxInputTokens === null) return null;
  const price = deps.prices.find({ provider: choice.upstream.priceAs, model: choice.model, at: call.startedAt });
  return upperBound(price, {
    inputTokens: asked.maxInputTokens,
    outputTokens: asked.maxOutputTokens,
    n: asked.choices,
  });
}
