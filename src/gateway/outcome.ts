import type { AttemptStatus } from '#ledger';
import { ApportionError } from '#terms';
import type { Plan } from './call.ts';
import type { Relayed } from './relay.ts';

/**
 * What an attempt came to, for money: `billed` by usage, `free` because the provider cannot have billed it, or `unknown`
 * because it may have been billed and nothing says how much.
 */
export type Billing = 'billed' | 'free' | 'unknown';

export type Outcome = { readonly status: AttemptStatus; readonly errorCode: string; readonly billing: Billing };

/**
 * A proxy before the provider answers with these when it gave up on a request that it had passed on: the model may have
 * worked, and been billed (RFC 9110, sections 15.6.3 and 15.6.5; Cloudflare's 520 to 524).
 */
const GIVEN_UP_ON_ORIGIN: ReadonlySet<number> = new Set([502, 504, 520, 522, 524]);

/** Providers do not bill an answer that is an error; they may well bill one that was cut, or never arrived. */
export function outcomeOf(relayed: Relayed): Outcome {
  const { end, httpStatus, facts } = relayed;
  if (end.kind === 'unreachable')
    return { status: 'upstream_unreachable', errorCode: errorCodeOf(end.error), billing: 'free' };
  if (httpStatus >= 300) {
    const billing = GIVEN_UP_ON_ORIGIN.has(httpStatus) ? 'unknown' : 'free';
    return { status: 'upstream_error', errorCode: `http_${httpStatus}`, billing };
  }
  const billing = relayed.answer !== null && (end.kind === 'complete' || relayed.answer.begun()) ? 'billed' : 'unknown';
  switch (end.kind) {
    case 'complete':
      return facts?.failed === true
        ? { status: 'upstream_error', errorCode: 'error_in_answer', billing }
        : { status: 'ok', errorCode: '', billing };
    case 'abandoned':
      return { status: 'client_closed', errorCode: '', billing };
    case 'timeout':
      return { status: 'upstream_timeout', errorCode: `${end.phase.replace(' ', '_')}_timeout`, billing };
    case 'broken':
      return { status: 'upstream_broken', errorCode: errorCodeOf(end.error), billing };
  }
}

/** What the caller is told instead of the answer; null when the answer stands. */
export function failureOf(relayed: Relayed, plan: Plan): ApportionError | null {
  const { end, httpStatus } = relayed;
  const provider = plan.choice.upstream.name;
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
