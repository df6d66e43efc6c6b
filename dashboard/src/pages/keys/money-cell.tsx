import type { Figures } from '../../api/keys.ts';
import { formatCompact } from '../../money/quantity.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';

type MoneyCellProps = { readonly of: Figures; readonly label: string };

/** What it spent, of what it may. */
export function MoneyCell({ of, label }: MoneyCellProps) {
  const { spend_exact: exact, max_budget: most, budget_duration: over } = of;
  const spent = exact === null ? UNKNOWN_AMOUNT : formatMoney(exact);
  if (most === null) {
    return (
      <span className="tabular-nums" title={exact === null ? undefined : formatExactMoney(exact)}>
        {spent} <span className="text-ink-3">in all</span>
      </span>
    );
  }
  const used = exact === null || most === 0 ? 0 : Math.min(1, Math.max(0, Number(exact) / most));
  return (
    <div className="w-full min-w-36">
      <span className="tabular-nums" title={exact === null ? undefined : formatExactMoney(exact)}>
        {spent}
        <span className="text-ink-3">
          {' '}
          of {formatMoney(String(most))} {durationWords(over)}
        </span>
      </span>
      <meter className="sr-only" aria-label={label} max={1} value={used} />
      <div aria-hidden className="mt-1 h-1.5 overflow-hidden rounded-full bg-line">
        <div
          className={`h-full ${used >= 1 ? 'bg-bad' : used >= 0.8 ? 'bg-warn' : 'bg-accent'}`}
          style={{ width: `${used * 100}%` }}
        />
      </div>
    </div>
  );
}

const DURATION_WORDS: Readonly<Record<string, string>> = {
  '1h': 'an hour',
  '1d': 'a day',
  '7d': 'a week',
  '30d': 'a month',
  '1mo': 'a month',
};

/** A duration as budgets read it: those of a calendar are its days, weeks and months. */
function durationWords(duration: string | null): string {
  return duration === null ? 'in all' : (DURATION_WORDS[duration] ?? `every ${duration}`);
}

/** `60 requests, 1K tokens a minute; 2 at once`. */
export function paceWords({ rpm_limit: rpm, tpm_limit: tpm, max_parallel_requests: parallel }: Figures): string {
  const counted = [
    rpm === null ? '' : `${formatCompact(rpm)} requests`,
    tpm === null ? '' : `${formatCompact(tpm)} tokens`,
  ].filter((words) => words !== '');
  const minute = counted.length === 0 ? '' : `${counted.join(', ')} a minute`;
  const atOnce = parallel === null ? '' : `${parallel} at once`;
  return [minute, atOnce].filter((words) => words !== '').join('; ');
}
