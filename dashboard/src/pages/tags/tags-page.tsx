import { useQuery } from '@tanstack/react-query';
import { tagsQuery, type Tags } from '../../api/tags.ts';
import { formatExactMoney, formatMoney, isZeroMoney, UNKNOWN_AMOUNT, shareOf } from '../../money/money.ts';
import { formatCompact, formatCount, formatShare, plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { FilterBar } from '../../shell/filter-bar.tsx';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { PlayMoney } from '../../ui/badge.tsx';
import { Figure, Figures } from '../../ui/figure.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { NothingFound } from '../overview/nothing-found.tsx';
import { OverviewSkeleton } from '../overview/overview-skeleton.tsx';
import { Findings } from './findings.tsx';
import { KeyTable } from './key-table.tsx';
import { ValuelessTable } from './valueless-table.tsx';

/** Which tags there are, how many of the dollars they cover, and what is wrong with them. */
export function TagsPage() {
  const [search] = useSearchState();
  const tags = useQuery(tagsQuery(search));
  const { data, error } = tags;
  const nothing = data !== undefined && data.summary.total_events === 0 && data.data.length === 0;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader title="Tags" freshness={data && <Freshness asOf={data.as_of} problem={error} tz={search.tz} />} />
      <FilterBar tagKeys={data?.data.map(({ key }) => key) ?? []} />
      {error !== null && data === undefined && (
        <Problem title="The tags could not be read" error={error} onRetry={() => void tags.refetch()} />
      )}
      {error === null && data === undefined && <OverviewSkeleton />}
      {nothing && <NothingFound />}
      {data !== undefined && !nothing && (
        <Outdated when={tags.isPlaceholderData}>
          <TagFigures tags={data} />
          <Findings />
          <KeyTable keys={data.data} tz={search.tz} />
          <div className="grid items-start gap-4 xl:grid-cols-2">
            <ValuelessTable
              kind="paths"
              tz={search.tz}
              tags={data.paths.map((path) => ({ ...path, name: path.path }))}
            />
            <ValuelessTable
              kind="labels"
              tz={search.tz}
              tags={data.labels.map((label) => ({ ...label, name: label.label }))}
            />
          </div>
          {data.truncated && (
            <p className="text-xs text-ink-2">There are more tags than are listed here: these are the dearest.</p>
          )}
        </Outdated>
      )}
    </div>
  );
}

function TagFigures({ tags: { data, labels, paths, summary } }: { readonly tags: Tags }) {
  const { untagged } = summary;
  const described = data.filter((key) => key.description !== null).length;
  const used = data.filter((key) => key.calls > 0).length;
  return (
    <Figures>
      <Figure
        label="Tagged spend"
        value={
          untagged.percent === null
            ? UNKNOWN_AMOUNT
            : formatShare(1 - shareOf(untagged.cost_exact, summary.total_cost_exact))
        }
        exact={`${formatExactMoney(untagged.cost_exact)} of ${formatExactMoney(summary.total_cost_exact)} carries no tag at all`}
        mark={summary.sandbox && <PlayMoney words="short" />}
      >
        {isZeroMoney(untagged.cost_exact)
          ? 'every dollar carries a tag'
          : `${formatMoney(untagged.cost_exact)} without any tag`}
      </Figure>
      <Figure label="Keys" value={formatCount(used)} exact={plural(used, 'key')}>
        {`${described} of ${data.length} described`}
      </Figure>
      <Figure label="Paths" value={formatCount(paths.length)} exact={plural(paths.length, 'root')}>
        roots such as US in US/California
      </Figure>
      <Figure label="Labels" value={formatCount(labels.length)} exact={plural(labels.length, 'label')}>
        flat tags without a value
      </Figure>
      <Figure label="Requests" value={formatCompact(summary.total_events)} exact={formatCount(summary.total_events)}>
        {untagged.calls === 0 ? 'all of them tagged' : `${formatCompact(untagged.calls)} without any tag`}
      </Figure>
    </Figures>
  );
}
