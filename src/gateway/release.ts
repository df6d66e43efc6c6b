import { ClientGoneError, sendError } from '#http';
import { addUsd, ApportionError, formatUsd, ZERO_USD, type CostState, type PicoUsd } from '#terms';
import type { Dialect } from '#wires';
import type { Answer } from './answer.ts';
import type { Made } from './attempt.ts';
import type { CallDeps } from './call.ts';
import type { Client } from './client.ts';
import { ERROR_BODIES } from './dialect-errors.ts';
import { failureOf } from './outcome.ts';

type Released = {
  readonly client: Client;
  readonly dialect: Dialect;
  /** All attempts of the call; the last one's answer is the call's. */
  readonly made: readonly Made[];
};

/** The entries are durable: let the end of the answer go. */
export function release({ client, dialect, made }: Released): void {
  const last = made.at(-1);
  if (client.gone || last === undefined) return;
  const usd = costOf(made);
  const state = stateOf(made, last);
  const headers = costHeaders(usd, state);
  if (made.some(({ recorded }) => recorded === 'unrecorded')) headers['x-apportion-recorded'] = 'false';
  const { answer } = last.relayed;
  const failure = failureOf(last.relayed, last.plan);
  if (failure === null && answer !== null) {
    answer.finish({ usd, state }, headers);
    return;
  }
  fail({
    client,
    dialect,
    answer,
    headers: { ...headers, ...last.plan.notes },
    error: failure ?? new ApportionError('internal_error', 'The provider gave no answer.'),
  });
}

/** The call ends in an error of ours: refused before it was sent, or lost on the way. */
export function refuse(
  deps: CallDeps,
  lost: { client: Client; dialect: Dialect; answer: Answer | null; error: unknown },
): void {
  const known = lost.error instanceof ApportionError ? lost.error : null;
  if (known?.code === 'journal_unavailable') deps.recording.refused(known, lost.client.callId);
  if (lost.error instanceof ClientGoneError) return;
  if (known === null)
    deps.log.error({ err: lost.error, call_id: lost.client.callId }, 'a call failed by a fault of the gateway');
  const shown =
    known ?? new ApportionError('internal_error', 'The gateway failed.', { hint: 'Its log says why, by call id.' });
  fail({ ...lost, headers: {}, error: shown });
}

type Failed = {
  readonly client: Client;
  readonly dialect: Dialect;
  readonly answer: Answer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: ApportionError;
};

function fail({ client, dialect, answer, headers, error }: Failed): void {
  if (client.gone) return;
  if (answer?.begun() === true) answer.fail(error);
  else
    sendError(client.response, error, {
      headers: client.callId === '' ? headers : { ...headers, 'x-apportion-call-id': client.callId },
      envelope: ERROR_BODIES[dialect],
    });
}

/** With an earlier attempt in doubt, the sum of what is known is no whole cost, whatever the last attempt's is. */
function stateOf(made: readonly Made[], last: Made): CostState {
  return made.some(({ end }) => end.rated.state === 'in_doubt') ? 'in_doubt' : last.end.rated.state;
}

/** What the call cost in all its attempts; null while the last one's is not known. */
function costOf(made: readonly Made[]): string | null {
  const costs = made.map(({ end }) => end.rated.cost);
  if (costs.at(-1) === null) return null;
  const known = costs.filter((cost): cost is PicoUsd => cost !== null);
  return formatUsd(known.reduce(addUsd, ZERO_USD));
}

function costHeaders(usd: string | null, state: string): Record<string, string> {
  const headers: Record<string, string> = { 'x-apportion-cost-state': state };
  if (usd !== null) {
    headers['x-apportion-cost'] = usd;
    headers['x-litellm-response-cost'] = usd;
  }
  return headers;
}
