import { ClientGoneError, sendError } from '#http';
import { ApportionError, formatUsd, type RatedCost } from '#terms';
import type { Answer } from './answer.ts';
import type { CallDeps } from './call.ts';
import type { Client } from './client.ts';
import type { Relayed } from './relay.ts';

type Released = {
  readonly client: Client;
  readonly relayed: Relayed;
  /** What the caller is told instead of the answer. */
  readonly failure: ApportionError | null;
  readonly rated: RatedCost;
};

/** The entry is durable: let the end of the answer go. */
export function release({ client, relayed, failure, rated }: Released): void {
  if (client.gone) return;
  const headers = costHeaders(rated);
  const { answer } = relayed;
  if (failure === null && answer !== null) {
    answer.finish({ usd: rated.cost === null ? null : formatUsd(rated.cost), state: rated.state }, headers);
    return;
  }
  fail({
    client,
    answer,
    headers,
    error: failure ?? new ApportionError('internal_error', 'The provider gave no answer.'),
  });
}

/** The call ends in an error of ours: refused before it was sent, or lost on the way. */
export function refuse(deps: CallDeps, lost: { client: Client; answer: Answer | null; error: unknown }): void {
  const known = lost.error instanceof ApportionError ? lost.error : null;
  if (known?.code === 'journal_unavailable') {
    deps.metrics.journalFailed();
    deps.log.error({ err: known, call_id: lost.client.callId }, 'a call is refused because the journal cannot write');
  }
  if (lost.error instanceof ClientGoneError) return;
  if (known === null)
    deps.log.error({ err: lost.error, call_id: lost.client.callId }, 'a call failed by a fault of the gateway');
  const shown =
    known ?? new ApportionError('internal_error', 'The gateway failed.', { hint: 'Its log says why, by call id.' });
  fail({ client: lost.client, answer: lost.answer, headers: {}, error: shown });
}

type Failed = {
  readonly client: Client;
  readonly answer: Answer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: ApportionError;
};

function fail({ client, answer, headers, error }: Failed): void {
  if (client.gone) return;
  if (answer?.begun() === true) answer.fail(error);
  else
    sendError(
      client.response,
      error,
      client.callId === '' ? headers : { ...headers, 'x-apportion-call-id': client.callId },
    );
}

function costHeaders(rated: RatedCost): Record<string, string> {
  const headers: Record<string, string> = { 'x-apportion-cost-state': rated.state };
  if (rated.cost !== null) {
    const usd = formatUsd(rated.cost);
    headers['x-apportion-cost'] = usd;
    headers['x-litellm-response-cost'] = usd;
  }
  return headers;
}
