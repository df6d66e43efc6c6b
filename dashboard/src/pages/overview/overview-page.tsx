import { useQuery } from '@tanstack/react-query';
import { costsQuery, seriesQuery, totalsOverTimeQuery } from '../../api/analytics.ts';
import { dimensionsQuery } from '../../api/dimensions.ts';
import { filtersOf } from '../../search/filters.ts';
import { useSearchState } from '../../search/use-search.ts';
import { FilterBar } from '../../shell/filter-bar.tsx';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { FirstCall } from './first-call.tsx';
import { tagKeysOf } from './dimension-options.ts';
import { OverviewFigures } from './overview-figures.tsx';
import { OverviewSkeleton } from './overview-skeleton.tsx';
import { useFirstCall } from './use-first-call.ts';

export function OverviewPage() {
  const [search] = useSearchState();
  const costs = useQuery(costsQuery(search));
  const whole = useQuery(totalsOverTimeQuery(search));
  const parts = useQuery(seriesQuery(search));
  const dimensions = useQuery(dimensionsQuery(search));
  const nothingHere = costs.data?.summary.total_events === 0;
  const firstCall = useFirstCall(nothingHere && filtersOf(search).length === 0);
  const problem = costs.error ?? whole.error ?? parts.error;
  const retry = (): void => void Promise.all([costs.refetch(), whole.refetch(), parts.refetch()]);
  if (firstCall.state === 'waiting' || firstCall.state === 'arrived') {
    return <FirstCall event={firstCall.state === 'arrived' ? firstCall.event : null} onContinue={firstCall.leave} />;
  }
  const ready = costs.data !== undefined && whole.data !== undefined && parts.data !== undefined;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        title="Overview"
        freshness={ready && <Freshness asOf={costs.data.as_of} problem={problem} tz={search.tz} />}
      />
      <FilterBar tagKeys={tagKeysOf(dimensions.data)} />
      {problem !== null && !ready && <Problem title="The figures could not be read" error={problem} onRetry={retry} />}
      {problem === null && (!ready || firstCall.state === 'asking') && <OverviewSkeleton />}
      {ready && firstCall.state === 'none' && (
        <Outdated when={costs.isPlaceholderData || whole.isPlaceholderData || parts.isPlaceholderData}>
          <OverviewFigures costs={costs.data} whole={whole.data} parts={parts.data} dimensions={dimensions.data} />
        </Outdated>
      )}
    </div>
  );
}
