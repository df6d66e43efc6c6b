import type { IncomingHttpHeaders } from 'node:http';
import type { AnswerFacts } from '#wires';
import { HeldAnswer, StreamedAnswer, type Answer } from './answer.ts';
import type { CallDeps, CallRoute, Plan } from './call.ts';
import type { Client } from './client.ts';
import { forward, type Flow, type UpstreamEnd } from './forward.ts';
import { callerHeaders, upstreamHeaders } from './headers.ts';

/** One attempt as it went: how it ended, what was answered, and what the answer says of itself. */
export type Relayed = {
  readonly end: UpstreamEnd;
  /** 0 when the upstream never answered. */
  readonly httpStatus: number;
  readonly answer: Answer | null;
  readonly facts: AnswerFacts | null;
  /** Milliseconds from the call's start to the first byte of the answer's body; null when none came. */
  readonly firstByteMs: number | null;
};

type RelayInput = {
  readonly plan: Plan;
  readonly client: Client;
  readonly route: CallRoute;
  readonly headers: IncomingHttpHeaders;
};

/** Sends the attempt and passes the answer on as it comes, all but its end. */
export async function relay(deps: CallDeps, { plan, client, route, headers }: RelayInput): Promise<Relayed> {
  const { upstream } = plan.choice;
  let answer: Answer | null = null;
  let httpStatus = 0;
  let firstByteMs: number | null = null;
  let flow: Flow | null = null;
  const end = await forward(
    upstream,
    {
      path: route.upstreamPath,
      headers: upstreamHeaders(headers, upstream),
      body: plan.upstreamBody,
      totalTimeoutMs: deps.config.timeouts.totalMs,
    },
    {
      start(status, given, started) {
        flow = started;
        httpStatus = status;
        const head = { status, headers: { ...callerHeaders(given, plan.call.callId), ...plan.notes } };
        const streams =
          plan.asked.stream && status < 300 && String(given['content-type']).includes('text/event-stream');
        answer = streams
          ? new StreamedAnswer(client, plan.wire.meterStream({ wantsUsage: plan.asked.wantsUsage }), head)
          : new HeldAnswer(client, plan.wire, head);
        client.follow(started, () => {
          if (upstream.onDisconnect === 'abort') started.abandon();
        });
      },
      data(chunk) {
        firstByteMs ??= deps.clock.elapsedMs() - plan.call.startedMs;
        answer?.data(chunk);
        // Some servers leave the connection open behind the terminal event: nothing of the answer is missing then.
        if (answer?.complete() === true) flow?.complete();
      },
    },
  );
  const given: Answer | null = answer;
  return { end, httpStatus, answer: given, facts: factsOf(given), firstByteMs };
}

function factsOf(answer: Answer | null): AnswerFacts | null {
  return answer === null ? null : answer.facts();
}
