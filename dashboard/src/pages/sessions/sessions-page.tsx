import { useQuery } from '@tanstack/react-query';
import { dimensionsQuery } from '../../api/dimensions.ts';
import { sessionsQuery } from '../../api/sessions.ts';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { plural } from '../../money/quantity.ts';
import { filtersOf } from '../../search/filters.ts';
import { useSearchState } from '../../search/use-search.ts';
import { FilterBar } from '../../shell/filter-bar.tsx';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { DetailNote } from '../../shell/detail-note.tsx';
import { Pager } from '../../shell/pager.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { tagKeysOf } from '../overview/dimension-options.ts';
import { NothingFound } from '../overview/nothing-found.tsx';
import { OverviewSkeleton } from '../overview/overview-skeleton.tsx';
import { NoSessions } from './no-sessions.tsx';
import { SessionFigures } from './session-figures.tsx';
import { SessionList } from './session-list.tsx';

export function SessionsPage() {
  const [search] = useSearchState();
  const sessions = useQuery(sessionsQuery(search));
  const dimensions = useQuery(dimensionsQuery(search));
  const { data, error } = sessions;
  const empty = data !== undefined && data.pagination.total === 0;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader title="Sessions" freshness={data && <Freshness asOf={data.as_of} problem={error} tz={search.tz} />} />
      <FilterBar tagKeys={tagKeysOf(dimensions.data)} />
      {error !== null && data === undefined && (
        <Problem title="The sessions could not be read" error={error} onRetry={() => void sessions.refetch()} />
      )}
      {error === null && data === undefined && <OverviewSkeleton />}
      {empty && (filtersOf(search).length > 0 ? <NothingFound /> : <NoSessions />)}
      {data !== undefined && !empty && (
        <Outdated when={sessions.isPlaceholderData}>
          <SessionFigures summary={data.summary} />
          <div className="rounded-lg border border-line bg-surface shadow-card">
            <SessionList sessions={data.data} tz={search.tz} />
            <footer className="figures sticky bottom-0 z-[2] flex flex-wrap items-center justify-between gap-x-6 gap-y-2 rounded-b-lg border-t border-line bg-surface px-4 py-2.5 text-[13px]">
              <p title={formatExactMoney(data.summary.total_cost_exact)}>
                <b className="font-semibold">{plural(data.summary.sessions, 'session')}</b>,{' '}
                <b className="font-semibold">{formatMoney(data.summary.total_cost_exact)}</b>
              </p>
              <Pager of="sessions" pagination={data.pagination} words={{ back: 'Back', on: 'Next' }} />
            </footer>
          </div>
        </Outdated>
      )}
      {data !== undefined && <DetailNote kept={data.detail_kept} tz={search.tz} words="Sessions" />}
    </div>
  );
}
