import type { ReactNode } from 'react';
import type { Costs, Timeseries } from '../../api/analytics.ts';
import { Sparkline } from '../../chart/sparkline.tsx';
import {
  costPerThousand,
  formatExactMoney,
  formatMoney,
  isZeroMoney,
  shareOf,
  UNKNOWN_AMOUNT,
} from '../../money/money.ts';
import { formatCompact, formatCount, formatLatency, formatShare } from '../../money/quantity.ts';
import { PlayMoney } from '../../ui/badge.tsx';

type KeyFiguresProps = { readonly costs: Costs; readonly whole: Timeseries; readonly dimension: string };

export function KeyFigures({ costs: { data, summary }, whole, dimension }: KeyFiguresProps) {
  const rate = costPerThousand(summary.total_cost_exact, summary.total_events);
  const untagged = data.find((row) => row.untagged);
  const tokens = summary.total_input_tokens + summary.total_output_tokens;
  return (
    <dl className="figures grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line shadow-card md:grid-cols-3 xl:grid-cols-5">
      <Figure
        label="Spend"
        value={formatMoney(summary.total_cost_exact)}
        exact={formatExactMoney(summary.total_cost_exact)}
        mark={summary.sandbox && <PlayMoney words="all" />}
      >
        <Sparkline values={whole.data.map((point) => point.total_cost)} />
      </Figure>
      <Figure label="Requests" value={formatCompact(summary.total_events)} exact={formatCount(summary.total_events)}>
        <Sparkline values={whole.data.map((point) => point.total_events)} />
      </Figure>
      <Figure label="Tokens" value={formatCompact(tokens)} exact={formatCount(tokens)}>
        {`${formatCompact(summary.total_input_tokens)} in · ${formatCompact(summary.total_output_tokens)} out`}
      </Figure>
      <Figure
        label="Cost per 1k requests"
        value={rate === undefined ? UNKNOWN_AMOUNT : formatMoney(rate)}
        exact={rate === undefined ? 'No requests' : formatExactMoney(rate)}
      >
        {typeof summary.avg_latency_ms === 'number' && `${formatLatency(summary.avg_latency_ms)} average latency`}
      </Figure>
      <Figure
        label="Untagged share"
        value={
          untagged === undefined ? '0%' : formatShare(shareOf(untagged.total_cost_exact, summary.total_cost_exact))
        }
        exact={
          untagged === undefined ? 'Every call is tagged' : `${formatExactMoney(untagged.total_cost_exact)} untagged`
        }
      >
        {untagged === undefined || isZeroMoney(untagged.total_cost_exact)
          ? `every dollar has a ${dimension}`
          : `${formatMoney(untagged.total_cost_exact)} without ${dimension}`}
      </Figure>
    </dl>
  );
}

type FigureProps = {
  readonly label: string;
  readonly value: string;
  readonly exact: string;
  readonly mark?: ReactNode;
  readonly children: ReactNode;
};

function Figure({ label, value, exact, mark, children }: FigureProps) {
  return (
    <div className="flex min-h-28 flex-col bg-surface px-4 pt-3 pb-3 last:col-span-2 md:last:col-span-2 xl:last:col-span-1">
      <dt className="flex min-h-5 flex-wrap items-center justify-between gap-x-2 text-xs text-ink-2">
        {label}
        {mark}
      </dt>
      <dd className="flex flex-1 flex-col">
        <span title={exact} className="mt-0.5 text-[22px]/8 font-semibold tracking-tight">
          {value}
        </span>
        <span className="mt-auto block pt-2 text-xs text-ink-3">{children}</span>
      </dd>
    </div>
  );
}
