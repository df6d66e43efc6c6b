import type { SessionPage } from '../../api/sessions.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatCount, formatLatency } from '../../money/quantity.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { Figure, Figures } from '../../ui/figure.tsx';

/** What a conversation costs, and how many turns it takes. */
export function SessionFigures({ summary }: { readonly summary: SessionPage['summary'] }) {
  const { avg_cost_per_session_exact: average, median_cost_per_session_exact: median } = summary;
  const { max_cost_per_session_exact: dearest, without_session: alone } = summary;
  return (
    <Figures>
      <Figure
        label="Average cost per session"
        value={moneyOrUnknown(average)}
        exact={average === null ? 'No sessions' : formatExactMoney(average)}
      >
        {median !== null && `${formatMoney(median)} median`}
      </Figure>
      <Figure
        label="Turns per session"
        value={summary.avg_turns_per_session === null ? UNKNOWN_AMOUNT : String(summary.avg_turns_per_session)}
        exact={`${formatCount(summary.total_events)} calls in ${formatCount(summary.sessions)} sessions`}
      >
        {summary.avg_duration_ms !== null && `${formatLatency(summary.avg_duration_ms)} average duration`}
      </Figure>
      <Figure label="Sessions" value={formatCompact(summary.sessions)} exact={formatCount(summary.sessions)}>
        {`${formatCompact(summary.total_events)} ${summary.total_events === 1 ? 'call' : 'calls'}`}
      </Figure>
      <Figure
        label="Spend in sessions"
        value={formatMoney(summary.total_cost_exact)}
        exact={formatExactMoney(summary.total_cost_exact)}
        mark={summary.sandbox && <PlayMoney words="short" />}
      >
        {alone.events === 0
          ? 'every call is in a session'
          : `${formatMoney(alone.cost_exact)} in ${formatCompact(alone.events)} ${alone.events === 1 ? 'call' : 'calls'} without one`}
      </Figure>
      <Figure
        label="Dearest session"
        value={moneyOrUnknown(dearest)}
        exact={dearest === null ? 'No sessions' : formatExactMoney(dearest)}
      >
        {`${formatCompact(summary.total_input_tokens + summary.total_output_tokens)} tokens in all sessions`}
      </Figure>
    </Figures>
  );
}

function moneyOrUnknown(exact: string | null): string {
  return exact === null ? UNKNOWN_AMOUNT : formatMoney(exact);
}
