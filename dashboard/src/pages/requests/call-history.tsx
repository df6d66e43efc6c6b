import type { CallDetail, Correction } from '../../api/events.ts';
import { formatExactMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatLatency } from '../../money/quantity.ts';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { CostState, costStateWords, StatusMark } from './call-marks.tsx';

const CAUSES: Readonly<Record<string, string>> = {
  first: 'first attempt',
  retry: 'tried again',
  fallback: 'another model instead',
};

/** Every try of the call, each with an entry and a cost of its own. */
export function Attempts({ call }: { readonly call: CallDetail }) {
  return (
    <ol className="divide-y divide-line border-y border-line text-[13px]">
      {call.attempts.map((attempt) => (
        <li key={attempt.entry_id} className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-3 py-1.5">
          <span className="text-ink-3">#{attempt.attempt}</span>
          <span className="truncate">
            {attempt.provider}/{attempt.model}
          </span>
          <span className="text-right font-mono text-xs">
            {attempt.cost_usd_exact === null ? UNKNOWN_AMOUNT : formatExactMoney(attempt.cost_usd_exact)}
          </span>
          <span className="col-start-2 flex flex-wrap items-center gap-x-3 text-xs text-ink-3">
            <span>{attempt.cause === null ? 'attempt' : (CAUSES[attempt.cause] ?? attempt.cause)}</span>
            <StatusMark event={{ status: attempt.status, success: attempt.status === 'ok' }} />
            {attempt.error_code !== null && <span>{attempt.error_code.replaceAll('_', ' ')}</span>}
            <span>{formatLatency(attempt.latency_ms)}</span>
          </span>
          <span className="text-right">
            <CostState state={attempt.cost_state} />
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What became of the cost later: signed differences, as the ledger has them. */
export function Corrections({ call, tz }: { readonly call: CallDetail; readonly tz: string }) {
  const today = dayIn(tz, nowMs());
  return (
    <ol className="divide-y divide-line border-y border-line text-[13px]">
      {call.corrections.map((correction) => (
        <li key={correction.entry_id} className="flex items-baseline gap-3 py-1.5">
          <span className="min-w-0 flex-1">
            <span className="block">{wordsOf(correction)}</span>
            <span className="block text-xs text-ink-3">
              {stampIn(tz, Date.parse(correction.recorded_at), today)}
              {correction.price_book !== null && `, price book ${correction.price_book}`}
            </span>
          </span>
          <span className="font-mono text-xs">{differenceOf(correction)}</span>
        </li>
      ))}
    </ol>
  );
}

function wordsOf({ reason, resolves, cost_state: state }: Correction): string {
  const what = (reason ?? 'corrected').replaceAll('_', ' ');
  return resolves === null ? what : `${what}: was ${costStateWords(resolves)}, is ${costStateWords(state)}`;
}

function differenceOf({ cost_usd_exact: cost }: Correction): string {
  if (cost === null) return UNKNOWN_AMOUNT;
  return cost.startsWith('-') ? formatExactMoney(cost) : `+${formatExactMoney(cost)}`;
}
