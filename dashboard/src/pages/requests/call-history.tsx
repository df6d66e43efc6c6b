import type { Adjustment, CallDetail, Correction } from '../../api/events.ts';
import { formatExactMoney, isZeroMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
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

/** What was moved by hand, with who did it and why. */
export function Adjustments({ call, tz }: { readonly call: CallDetail; readonly tz: string }) {
  const today = dayIn(tz, nowMs());
  return (
    <ol className="divide-y divide-line border-y border-line text-[13px]">
      {call.adjustments.map((adjustment) => (
        <li key={adjustment.id} className="flex items-baseline gap-3 py-1.5">
          <span className="min-w-0 flex-1">
            <span className="block break-words">{adjustment.reason}</span>
            <span className="block text-xs text-ink-3">
              {stampIn(tz, Date.parse(adjustment.recorded_at), today)}, {adjustment.actor.replaceAll('_', ' ')}
            </span>
          </span>
          <span className="text-right">
            {movedBy(adjustment).map(([name, amount]) => (
              <span key={name} className="block font-mono text-xs">
                {name} {signed(amount)}
              </span>
            ))}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** The amounts that it moved; the others are zero. */
function movedBy(adjustment: Adjustment): readonly (readonly [string, string])[] {
  const { cost_usd_exact: cost, billed_usd_exact: billed, list_cost_usd_exact: list } = adjustment;
  return [['cost', cost] as const, ['billed', billed] as const, ['list', list] as const].flatMap(([name, amount]) =>
    amount === null || isZeroMoney(amount) ? [] : [[name, amount] as const],
  );
}

const RESOLVED: Readonly<Record<string, string>> = {
  resolved_cost: 'cost stated',
  resolved_usage: 'usage stated',
  resolved_zero: 'declared not billed',
  resolved_at_risk: 'the reserved amount booked',
  resolved_estimate: 'estimated by policy',
};

function wordsOf({ reason, resolves, cost_state: state }: Correction): string {
  const what = RESOLVED[reason ?? ''] ?? (reason ?? 'corrected').replaceAll('_', ' ');
  return resolves === null ? what : `${what}: was ${costStateWords(resolves)}, is ${costStateWords(state)}`;
}

function differenceOf({ cost_usd_exact: cost }: Correction): string {
  if (cost === null) return UNKNOWN_AMOUNT;
  return signed(cost);
}

function signed(exact: string): string {
  return exact.startsWith('-') ? formatExactMoney(exact) : `+${formatExactMoney(exact)}`;
}
