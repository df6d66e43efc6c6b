import type { Standing } from '../../api/budgets.ts';
import { formatMoney, isZeroMoney } from '../../money/money.ts';
import { minuteIn } from '../../time/zone.ts';

type BudgetBarProps = { readonly standing: Standing; readonly label: string; readonly zone: string };

/** Spent, held and at risk as parts of the limit, and where the window will end. */
export function BudgetBar({ standing, label, zone }: BudgetBarProps) {
  const [limit, spent] = [lengthOf(standing.limit_exact), lengthOf(standing.spent_exact)];
  const [held, risk] = [lengthOf(standing.reserved_exact), lengthOf(standing.at_risk_exact)];
  const used = spent + held + risk;
  const whole = Math.max(limit, used);
  const share = (part: number): string => `${whole === 0 ? 0 : (part / whole) * 100}%`;
  const tone = standing.exceeded ? 'bg-bad' : (standing.used_percent ?? 0) >= 80 ? 'bg-warn' : 'bg-accent';
  return (
    <div className="min-w-0">
      <div className="flex items-baseline justify-between gap-3 text-[13px]">
        <span>
          <span className="font-medium tabular-nums">{formatMoney(standing.spent_exact)}</span>
          <span className="text-ink-3 tabular-nums"> of {formatMoney(standing.limit_exact)}</span>
        </span>
        <span className={`tabular-nums ${standing.exceeded ? 'font-medium text-bad' : 'text-ink-2'}`}>
          {percentWords(standing)}
        </span>
      </div>
      <meter className="sr-only" aria-label={label} max={100} value={Math.min(100, standing.used_percent ?? 100)} />
      <div aria-hidden className="relative mt-1 flex h-2 overflow-hidden rounded-full bg-line">
        <span className={tone} style={{ width: share(spent) }} />
        <span className={`${tone} opacity-40`} style={{ width: share(held) }} />
        <span className="bg-series-1" style={{ width: share(risk) }} />
        {used > limit && (
          <span className="absolute inset-y-0 w-0.5 bg-surface" style={{ left: share(limit) }} title="the limit" />
        )}
      </div>
      <p className="mt-1 text-xs text-ink-3">{wordsOf(standing, zone).join(' · ')}</p>
    </div>
  );
}

function percentWords({ used_percent: used, spent_exact: spent }: Standing): string {
  if (used === null) return '';
  return used === 0 && !isZeroMoney(spent) ? '<0.1%' : `${used}%`;
}

/** For drawing only. A credit is no length. */
function lengthOf(exact: string): number {
  return Math.max(0, Number(exact));
}

function wordsOf(standing: Standing, zone: string): readonly string[] {
  const { reserved_exact: held, at_risk_exact: risk, resets_at: resets, forecast, unpriced_calls: unpriced } = standing;
  return [
    isZeroMoney(held) ? '' : `${formatMoney(held)} held for running calls`,
    isZeroMoney(risk) ? '' : `${formatMoney(risk)} at risk`,
    resets === null ? '' : `resets ${minuteIn(zone, Date.parse(resets))}`,
    forecast === null ? '' : forecastWords(forecast, { zone, exceeded: standing.exceeded }),
    unpriced === 0 ? '' : `${unpriced} without a price`,
  ].filter((words) => words !== '');
}

type Known = { readonly zone: string; readonly exceeded: boolean };

function forecastWords(forecast: NonNullable<Standing['forecast']>, { zone, exceeded }: Known): string {
  const end = `${formatMoney(forecast.at_end_exact)} by then at this pace`;
  const at = forecast.reaches_limit_at;
  return at === null || exceeded ? end : `${end}, used up ${minuteIn(zone, Date.parse(at))}`;
}
