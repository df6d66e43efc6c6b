import type { AttemptStatus } from '#ledger';
import { ApportionError } from '#terms';
import type { AnswerFacts } from '#wires';
import type { Plan } from './attempt.ts';
import type { Relayed } from './relay.ts';
import type { Health } from './route/breaker.ts';
import type { Verdict } from './route/itinerary.ts';
import type { Upstream } from './upstreams.ts';

/**
 * What an attempt came to, for money: `billed` by usage, `free` because the provider cannot have billed it, `unknown`
 * because it may have been billed and nothing says how much, or `given_up` before the answer began at a provider that
 * then stops its bill.
 */
export type Billing = 'billed' | 'free' | 'unknown' | 'given_up';

export type Outcome = { readonly status: AttemptStatus; readonly errorCode: string; readonly billing: Billing };

/**
 * A proxy before the provider answers with these when it gave up on a request that it had passed on: the model may have
 * worked, and been billed (RFC 9110, sections 15.6.3 and 15.6.5; Cloudflare's 520 to 524).
 */
const GIVEN_UP_ON_ORIGIN: ReadonlySet<number> = new Set([502, 504, 520, 522, 524]);

/**
 * Providers do not bill an answer that is an error; they may well bill one that was cut, or never arrived.
 * @param onDisconnect whether the provider stops its bill when we give up (`abort`), or works on
 */
export function outcomeOf(relayed: Relayed, onDisconnect: Upstream['onDisconnect']): Outcome {
  const { end, httpStatus, facts } = relayed;
  if (end.kind === 'unreachable')
    return { status: 'upstream_unreachable', errorCode: errorCodeOf(end.error), billing: 'free' };
  if (end.kind === 'unsigned') return { status: 'upstream_unreachable', errorCode: 'sign_in_failed', billing: 'free' };
  if (httpStatus >= 300) {
    const billing = GIVEN_UP_ON_ORIGIN.has(httpStatus) ? 'unknown' : 'free';
    return { status: 'upstream_error', errorCode: `http_${httpStatus}`, billing };
  }
  const billing = relayed.answer !== null && (end.kind === 'complete' || relayed.answer.begun()) ? 'billed' : 'unknown';
  switch (end.kind) {
    case 'complete':
      // To price what came so far would call the rest free.
      if (facts?.unfinished === true) return { status: 'ok', errorCode: '', billing: 'unknown' };
      return facts?.failed === true
        ? { status: 'upstream_error', errorCode: 'error_in_answer', billing: wroteNothing(facts) ? 'free' : billing }
        : { status: 'ok', errorCode: '', billing };
    case 'abandoned':
      if (relayed.answer !== null) return { status: 'client_closed', errorCode: '', billing: 'billed' };
      return { status: 'client_closed', errorCode: '', billing: onDisconnect === 'abort' ? 'given_up' : 'unknown' };
    case 'timeout':
      return { status: 'upstream_timeout', errorCode: `${end.phase.replace(' ', '_')}_timeout`, billing };
    case 'broken':
      return { status: 'upstream_broken', errorCode: errorCodeOf(end.error), billing };
  }
}

/** An error before any output is not billed. */
function wroteNothing(facts: AnswerFacts): boolean {
  return facts.usage === null && facts.outputText === '' && facts.outputCharsBeyond === 0;
}

/** Answers after which the same request may succeed: too many at once, or a fault of the moment. */
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 409, 425, 429, 500, 503, 529]);

/** Answers about this deployment, its key or its models, which another deployment may not give. */
const ELSEWHERE_STATUS: ReadonlySet<number> = new Set([401, 402, 403, 404]);

/** Whether a failed attempt may be followed by another. Nothing is sent twice that may have been billed, unless so wished. */
export function verdictOf(
  { relayed, outcome }: { readonly relayed: Relayed; readonly outcome: Outcome },
  whenUnknown: 'stop' | 'retry',
): Verdict {
  const { end, httpStatus, answer, retryAfterMs } = relayed;
  const shown = answer?.begun() === true;
  const mayBeBilled = outcome.billing === 'billed' || outcome.billing === 'given_up';
  const tolerable = outcome.billing === 'free' || (outcome.billing === 'unknown' && whenUnknown === 'retry');
  const passing =
    end.kind === 'unreachable' ||
    end.kind === 'unsigned' ||
    PASSING_STATUS.has(httpStatus) ||
    (outcome.billing === 'unknown' && tolerable);
  return {
    // What was answered with a receipt runs, however unknown its cost is.
    worthAnother:
      !shown && outcome.status !== 'ok' && !mayBeBilled && tolerable && (passing || ELSEWHERE_STATUS.has(httpStatus)),
    passing,
    retryAfterMs,
  };
}

/** What an attempt says of its deployment. A request that is refused for its own sake was answered well. */
export function healthOf({ relayed, outcome }: { readonly relayed: Relayed; readonly outcome: Outcome }): Health {
  const { httpStatus, end } = relayed;
  if (outcome.status === 'ok') return 'well';
  if (outcome.status === 'client_closed') return 'unknown';
  if (end.kind !== 'complete') return 'failed';
  if (httpStatus < 300) return 'unknown';
  return httpStatus >= 500 || PASSING_STATUS.has(httpStatus) || ELSEWHERE_STATUS.has(httpStatus) ? 'failed' : 'well';
}

/** What the caller is told instead of the answer; null when the answer stands. */
export function failureOf(relayed: Relayed, plan: Plan): ApportionError | null {
  const { end, httpStatus } = relayed;
  const provider = plan.step.upstream.name;
  if (httpStatus === 401 || httpStatus === 403) {
    // Passed on as it is, the caller would look for the fault in its own key.
    return new ApportionError(
      'upstream_unauthorized',
      `The provider ${provider} refused the gateway's credentials (${httpStatus}).`,
      {
        hint: `Check the API key that is configured for ${provider}.`,
      },
    );
  }
  switch (end.kind) {
    case 'complete':
    case 'abandoned':
      return null;
    case 'unsigned':
      return new ApportionError(
        'upstream_unauthorized',
        `The gateway could not sign in to the provider ${provider} (${end.error.message}). Nothing was sent.`,
        { hint: `Check the credentials that are configured for ${provider}; the gateway's log says more.` },
      );
    case 'unreachable':
      return new ApportionError(
        'upstream_unreachable',
        `The provider ${provider} could not be reached (${errorCodeOf(end.error)}). Nothing was sent.`,
        {
          hint: 'The call can be made again without being paid twice.',
        },
      );
    case 'timeout':
      return new ApportionError('upstream_timeout', `The provider ${provider} did not answer in time (${end.phase}).`, {
        hint: 'It may still bill the call; the ledger lists it with the money at risk.',
      });
    case 'broken':
      return new ApportionError('upstream_broken', `The provider ${provider} broke off (${errorCodeOf(end.error)}).`, {
        hint: 'It may still bill the call; the ledger says what is known of its cost.',
      });
  }
}

function errorCodeOf(error: Error): string {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error.name;
}
