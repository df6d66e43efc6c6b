import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { runQuery, type Run } from '../../api/sessions.ts';
import { formatExactMoney, formatMoney, isZeroMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatCount, formatLatency, plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { UpLink } from '../../shell/up-link.tsx';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Figure, Figures } from '../../ui/figure.tsx';
import { Problem } from '../../ui/problem.tsx';
import { OverviewSkeleton } from '../overview/overview-skeleton.tsx';
import { CallDrawer } from '../requests/call-drawer.tsx';
import { TagChips } from '../requests/tag-chips.tsx';
import { RunTable } from './run-table.tsx';
import { modelWords, SessionEntity } from './session-words.tsx';

const route = getRouteApi('/app/ui/sessions/$id');

/** One conversation or agent run: what it cost, call by call and step by step. */
export function SessionPage() {
  const { id } = route.useParams();
  const [search] = useSearchState();
  const run = useQuery(runQuery(id));
  const { data, error } = run;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        above={<UpLink to="/ui/sessions">Sessions</UpLink>}
        title={
          <span className="flex items-center gap-1">
            <span className="break-all">{id}</span>
            <CopyButton text={id} label="Copy the session id" />
          </span>
        }
        freshness={data && <Freshness asOf={data.as_of} problem={error} tz={search.tz} />}
        period="whole"
      />
      {error !== null && data === undefined && (
        <Problem title="This session could not be read" error={error} onRetry={() => void run.refetch()} />
      )}
      {error === null && data === undefined && <OverviewSkeleton />}
      {data !== undefined && (
        <>
          <RunFigures run={data} tz={search.tz} />
          <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-[13px]">
            <SessionEntity of={data} />
            <TagChips event={{ ...data, labels: [], paths: [] }} chips="plain" none="no tags in common" />
          </div>
          <RunTable key={id} run={data} />
        </>
      )}
      <CallDrawer around={data?.calls.toReversed().flatMap(({ entry_id: entryId }) => entryId ?? []) ?? []} />
    </div>
  );
}

function RunFigures({ run, tz }: { readonly run: Run; readonly tz: string }) {
  const today = dayIn(tz, nowMs());
  const tokens = run.input_tokens + run.output_tokens;
  const unknown = isZeroMoney(run.cost_exact) && run.unpriced_events + run.in_doubt_events >= run.turns;
  return (
    <Figures>
      <Figure
        label="Cost"
        value={unknown ? UNKNOWN_AMOUNT : formatMoney(run.cost_exact)}
        exact={formatExactMoney(run.cost_exact)}
        mark={run.sandbox && <PlayMoney words="all" />}
      >
        {doubtOf(run)}
      </Figure>
      <Figure label="Turns" value={formatCount(run.turns)} exact={plural(run.turns, 'call')}>
        {run.steps === 0 ? 'a conversation without steps' : `in ${plural(run.steps, 'step')}`}
      </Figure>
      <Figure label="Tokens" value={formatCompact(tokens)} exact={formatCount(tokens)}>
        {`${formatCompact(run.input_tokens)} in · ${formatCompact(run.output_tokens)} out`}
      </Figure>
      <Figure label="Duration" value={formatLatency(run.duration_ms)} exact={`${formatCount(run.duration_ms)} ms`}>
        {`began ${stampIn(tz, Date.parse(run.first_at), today)}`}
      </Figure>
      <Figure label="Models" value={formatCount(run.models.length)} exact={run.models.join(', ')}>
        <span className="block truncate" title={run.models.join(', ')}>
          {modelWords(run.models)}
        </span>
      </Figure>
    </Figures>
  );
}

function doubtOf(run: Run): string {
  const parts = [
    run.unpriced_events > 0 ? `${run.unpriced_events} unpriced` : '',
    run.in_doubt_events > 0 ? `${run.in_doubt_events} in doubt, at most ${formatMoney(run.at_risk_exact)}` : '',
  ].filter((part) => part !== '');
  if (parts.length > 0) return `without ${parts.join(' and ')}`;
  return run.turns === 0 ? '' : 'all of its calls';
}
