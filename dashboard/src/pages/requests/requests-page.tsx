import { useQuery } from '@tanstack/react-query';
import { dimensionsQuery } from '../../api/dimensions.ts';
import { eventsQuery, type EventPage } from '../../api/events.ts';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { FilterBar } from '../../shell/filter-bar.tsx';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { DetailNote } from '../../shell/detail-note.tsx';
import { Pager } from '../../shell/pager.tsx';
import { PlayMoney } from '../../ui/badge.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { NothingFound } from '../overview/nothing-found.tsx';
import { tagKeysOf } from '../overview/dimension-options.ts';
import { CallDrawer } from './call-drawer.tsx';
import { RequestList, RequestListSkeleton } from './request-list.tsx';

export function RequestsPage() {
  const [search] = useSearchState();
  const events = useQuery(eventsQuery(search));
  const dimensions = useQuery(dimensionsQuery(search));
  const { data, error } = events;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader title="Requests" freshness={data && <Freshness asOf={data.as_of} problem={error} tz={search.tz} />} />
      <FilterBar tagKeys={tagKeysOf(dimensions.data)} />
      {error !== null && data === undefined && (
        <Problem title="The requests could not be read" error={error} onRetry={() => void events.refetch()} />
      )}
      {error === null && data === undefined && <RequestListSkeleton />}
      {data !== undefined && data.pagination.total === 0 && <NothingFound />}
      {data !== undefined && data.pagination.total > 0 && (
        <Outdated when={events.isPlaceholderData}>
          <div className="rounded-lg border border-line bg-surface shadow-card">
            <RequestList events={data.data} tz={search.tz} />
            <MatchFooter page={data} />
          </div>
          <DetailNote kept={data.detail_kept} tz={search.tz} words="Details" />
        </Outdated>
      )}
      <CallDrawer around={data?.data.flatMap(({ entry_id: id }) => id ?? []) ?? []} />
    </div>
  );
}

/** Over everything that matches, not the page of it on show. */
function MatchFooter({ page: { summary, pagination } }: { readonly page: EventPage }) {
  return (
    <footer className="figures sticky bottom-0 flex flex-wrap items-center justify-between gap-x-6 gap-y-2 rounded-b-lg border-t border-line bg-surface px-4 py-2.5 text-[13px]">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1" title={formatExactMoney(summary.total_cost_exact)}>
        <span>
          <b className="font-semibold">{plural(summary.total_events, 'request')}</b> matched,{' '}
          <b className="font-semibold">{formatMoney(summary.total_cost_exact)}</b> attributed
        </span>
        {summary.sandbox && <PlayMoney words="all" />}
        {summary.unpriced_events > 0 && <span className="text-warn">{summary.unpriced_events} unpriced</span>}
        {summary.in_doubt_events > 0 && (
          <span className="text-bad">
            {summary.in_doubt_events} in doubt, at most {formatMoney(summary.at_risk_exact)}
          </span>
        )}
      </p>
      <Pager of="requests" pagination={pagination} words={{ back: 'Newer', on: 'Older' }} />
    </footer>
  );
}
