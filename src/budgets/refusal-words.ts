import { formatUsd, picoUsd } from '#terms';
import { type Shortfall } from './admission.ts';
import { type LimitAnswer, type LimitStanding } from './limit-book.ts';

/** What a caller is told: a sentence, what to do, and the same in fields. Money is decimal text in US dollars. */
export type RefusalWords = {
  readonly message: string;
  readonly hint: string;
  readonly fields: Readonly<Record<string, string | null>>;
};

/** For 402 `budget_exceeded`. */
export function budgetRefusalWords(by: Shortfall): RefusalWords {
  const resetsAt = by.resetsAt === null ? null : new Date(by.resetsAt).toISOString();
  const fields = {
    budget_id: by.budgetId,
    budget: by.budgetName,
    scope: by.scope,
    reason: by.reason,
    spent: formatUsd(by.spent),
    reserved: formatUsd(by.reserved),
    elsewhere: formatUsd(by.elsewhere),
    at_risk: formatUsd(by.atRisk),
    limit: formatUsd(by.limit),
    needed: by.needed === null ? null : formatUsd(by.needed),
    window: by.windowId,
    resets_at: resetsAt,
  };
  const budget = `Budget "${by.budgetName}" (${by.scope})`;
  switch (by.reason) {
    case 'unbounded':
      return {
        message: `${budget} admits only calls whose cost has an upper bound, and this one has none.`,
        hint: 'Set max_tokens.',
        fields,
      };
    case 'unpriced':
      return {
        message: `${budget} admits only calls with a known price, and this model has none.`,
        hint: 'Ask the operator to add a price for the model, or use another one.',
        fields,
      };
    case 'unreachable':
      return {
        message: `${budget} is shared between machines, and what is left of it cannot be asked for.`,
        hint: 'Try again in a few seconds; the operator finds the reason in the log.',
        fields,
      };
    case 'exceeded': {
      const held = [
        by.reserved > 0n ? `, ${formatUsd(by.reserved)} held for running calls` : '',
        by.elsewhere > 0n ? `, ${formatUsd(by.elsewhere)} leased to other machines` : '',
        by.atRisk > 0n ? `, ${formatUsd(by.atRisk)} in doubt` : '',
        by.needed === null ? '' : `; this call needs up to ${formatUsd(by.needed)}`,
      ].join('');
      return {
        message: `${budget} is exceeded: ${formatUsd(by.spent)} of ${formatUsd(by.limit)} USD spent${held}.`,
        hint: resetsAt === null ? 'Ask the operator to raise it.' : `It resets at ${resetsAt}.`,
        fields,
      };
    }
  }
}

/** For 429 `rate_limited`; `retry_after` in whole seconds, for the header of that name. */
export function limitRefusalWords(answer: Extract<LimitAnswer, { readonly kind: 'refused' }>): RefusalWords {
  const { by, needed, retryAfterMs } = answer;
  const retryAfter = retryAfterMs === null ? null : String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const fits = needed <= by.limit;
  const fields = {
    limit_id: by.limitId,
    limit: by.limitName,
    scope: by.scope,
    measure: by.measure,
    amount: amountText(by.limit, by.measure),
    remaining: amountText(by.remaining, by.measure),
    needed: amountText(needed, by.measure),
    retry_after: retryAfter,
  };
  const what = by.measure === 'parallel' ? 'calls at the same time' : by.measure === 'usd' ? 'USD' : by.measure;
  return {
    message: `Limit "${by.limitName}" (${by.scope}) is reached: ${fields.amount} ${what}, ${fields.remaining} left.`,
    hint: hintFor(retryAfter, fits),
    fields,
  };
}

function hintFor(retryAfter: string | null, fits: boolean): string {
  if (retryAfter !== null) return `Try again in ${retryAfter} s.`;
  return fits ? 'Try again when a call has ended.' : 'The call is larger than the limit.';
}

function amountText(amount: bigint, measure: LimitStanding['measure']): string {
  return measure === 'usd' ? formatUsd(picoUsd(amount)) : amount.toString();
}

/** OpenAI's `x-ratelimit-*` of the requests and tokens limits with the least left. Resets are written as OpenAI does: `6m0s`. */
export function rateLimitHeaders(standings: readonly LimitStanding[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const measure of ['requests', 'tokens'] as const) {
    const [tightest] = standings
      .filter((one) => one.measure === measure)
      .toSorted((left, right) => (left.remaining < right.remaining ? -1 : 1));
    if (tightest === undefined) continue;
    headers[`x-ratelimit-limit-${measure}`] = tightest.limit.toString();
    headers[`x-ratelimit-remaining-${measure}`] = tightest.remaining.toString();
    if (tightest.resetMs !== null) headers[`x-ratelimit-reset-${measure}`] = durationText(tightest.resetMs);
  }
  return headers;
}

function durationText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = Math.ceil(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const first = parts.findIndex((part) => part > 0);
  return parts
    .map((part, at) => `${part}${'hms'[at] ?? ''}`)
    .slice(first)
    .join('');
}
