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
import { Figure, Figures } from '../../ui/figure.tsx';

type KeyFiguresProps = { readonly costs: Costs; readonly whole: Timeseries; readonly dimension: string };

export function KeyFigures({ costs: { data, summary }, whole, dimension }: KeyFiguresProps) {
  const rate = costPerThousand(summary.total_cost_exact, summary.total_events);
  const untagged = data.find((row) => row.untagged);
  const tokens = summary.total_input_tokens + summary.total_output_tokens;
  return (
    <Figures>
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
        label={`Without ${dimension}`}
        value={
          untagged === undefined ? '0%' : formatShare(shareOf(untagged.total_cost_exact, summary.total_cost_exact))
        }
        exact={
          untagged === undefined
            ? `Every call has a ${dimension}`
            : `${formatExactMoney(untagged.total_cost_exact)} without ${dimension}`
        }
      >
        {untagged === undefined || isZeroMoney(untagged.total_cost_exact)
          ? `every dollar has a ${dimension}`
          : `${formatMoney(untagged.total_cost_exact)} of the spend`}
      </Figure>
    </Figures>
  );
}
