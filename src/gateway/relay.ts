import type { IncomingHttpHeaders } from 'node:http';
import { dialectOf, EVENT_STREAM, type AnswerContext, type AnswerFacts } from '#wires';
import { HeldAnswer, StreamedAnswer, type Answer, type AnswerHead } from './answer.ts';
import type { Plan } from './attempt.ts';
import type { CallDeps } from './call.ts';
import type { Client } from './client.ts';
import { forward, type Flow, type UpstreamEnd } from './forward.ts';
import { callerHeaders, upstreamHeaders } from './headers.ts';
import { signIn, SignInError } from './sign-in.ts';

/** One attempt as it went: how it ended, what was answered, and what the answer says of itself. */
export type Relayed = {
  readonly end: UpstreamEnd;
  /** 0 when the upstream never answered. */
  readonly httpStatus: number;
  readonly answer: Answer | null;
  readonly facts: AnswerFacts | null;
  /** Milliseconds from the attempt's start to the first byte of the answer's body; null when none came. */
  readonly firstByteMs: number | null;
  /** What the provider asked to wait before another attempt; null where it did not. */
  readonly retryAfterMs: number | null;
};

type RelayInput = { readonly plan: Plan; readonly client: Client; readonly headers: IncomingHttpHeaders };

type GivenHeaders = AnswerContext['headers'];

/** Sends the attempt and passes the answer on as it comes, all but its end. */
export async function relay(deps: CallDeps, { plan, client, headers }: RelayInput): Promise<Relayed> {
  const { upstream } = plan.step;
  const leaving = new Leaving(plan);
  let answer: Answer | null = null;
  let httpStatus = 0;
  let firstByteMs: number | null = null;
  let retryAfterMs: number | null = null;
  let flow: Flow | null = null;
  const request = await signIn(upstream, {
    method: plan.routed.method,
    path: plan.upstreamPath,
    headers: upstreamHeaders(headers, plan),
    body: plan.upstreamBody,
  });
  if (request instanceof SignInError) {
    deps.log.warn({ err: request, provider: upstream.name }, 'the gateway could not sign in to a provider');
    const end: UpstreamEnd = { kind: 'unsigned', error: request };
    return { end, httpStatus, answer, facts: null, firstByteMs, retryAfterMs };
  }
  const end = await forward(upstream, request, {
    open(opened) {
      flow = opened;
      plan.batch.follow(opened);
      client.follow(opened, () => leaving.begin(opened));
    },
    start(status, given) {
      httpStatus = status;
      retryAfterMs = readRetryAfter(given['retry-after']);
      answer = openAnswer(client, plan, { status, given });
    },
    data(chunk) {
      firstByteMs ??= deps.clock.elapsedMs() - plan.startedMs;
      if (httpStatus < 300) plan.batch.passed(chunk);
      answer?.data(chunk);
      if (client.gone) leaving.drained(chunk.length);
      // Some servers leave the connection open behind the terminal event: nothing of the answer is missing then.
      if (answer?.complete() === true) flow?.complete();
    },
  });
  leaving.end();
  client.unfollow();
  const given: Answer | null = answer;
  return { end, httpStatus, answer: given, facts: factsOf(given), firstByteMs, retryAfterMs };
}

/**
 * What happens upstream when the caller goes away. An answer that is no stream is read to its end: it is billed in full
 * whatever we do. A stream is given up, or read on to its usage within the provider's bounds.
 */
class Leaving {
  readonly #plan: Plan;
  #flow: Flow | null = null;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  begin(flow: Flow): void {
    const { asked, step, routed } = this.#plan;
    // A file that nobody waits for is read for nothing.
    if (routed.route.billing === 'free') flow.abandon();
    if (!asked.stream) return;
    this.#flow = flow;
    if (step.upstream.onDisconnect === 'abort') flow.abandon();
    else this.#timer = setTimeout(() => flow.abandon(), step.upstream.drain.maxMs);
  }

  drained(bytes: number): void {
    this.#bytes += bytes;
    if (this.#flow !== null && this.#bytes > this.#plan.step.upstream.drain.maxBytes) this.#flow.abandon();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

function openAnswer(client: Client, plan: Plan, { status, given }: { status: number; given: GivenHeaders }): Answer {
  const { wire } = plan.step;
  const words = wire.far?.words ?? null;
  const headers = { ...callerHeaders(given, plan.call.callId), ...plan.notes };
  const context: AnswerContext = {
    request: plan.asked,
    quirks: plan.step.upstream.quirks,
    headers: given,
    model: plan.step.upstream.deployments.get(plan.step.model) ?? plan.step.model,
  };
  const type = String(given['content-type']);
  const { dialect } = wire;
  const isEvents =
    words === null ? type.includes('text/event-stream') || type.includes(EVENT_STREAM) : words.isStream(type);
  if (status < 300 && plan.asked.stream && (isEvents || dialectOf(wire) === 'gemini')) {
    const head = { status, headers: words === null ? headers : { ...headers, 'content-type': 'text/event-stream' } };
    return new StreamedAnswer({ client, head, dialect, meter: wire.meterStream(context) });
  }
  const head: AnswerHead = {
    status,
    headers: words === null ? headers : { ...headers, 'content-type': 'application/json' },
  };
  // Sound, pictures and files are not kept in memory; neither is a stream that nobody asked for.
  const passes =
    words === null &&
    status < 300 &&
    (isEvents || plan.batch.passes || /^(?:audio|image|video)\/|octet-stream/.test(type));
  return new HeldAnswer({ client, head, wire, context, shown: plan.batch.shown }, passes ? 'pass' : 'hold');
}

function factsOf(answer: Answer | null): AnswerFacts | null {
  return answer === null ? null : answer.facts();
}

/** Seconds (RFC 9110, section 10.2.3); a date is rare, and no reason to wait longer than we would anyway. */
function readRetryAfter(value: string | string[] | undefined): number | null {
  return typeof value === 'string' && /^\d{1,9}(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : null;
}
