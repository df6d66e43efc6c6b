import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { tagKeyQuery, type TagKeyPage as TagKeyAnswer } from '../../api/tags.ts';
import { formatExactMoney, formatMoney, isZeroMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatCount, formatShare, plural } from '../../money/quantity.ts';
import { withTags } from '../../search/filters.ts';
import { asTagList } from '../../search/group-by.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { FilterBar } from '../../shell/filter-bar.tsx';
import { Freshness, PageHeader } from '../../shell/page-header.tsx';
import { UpLink } from '../../shell/up-link.tsx';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { PlayMoney } from '../../ui/badge.tsx';
import { Figure, Figures } from '../../ui/figure.tsx';
import { Outdated } from '../../ui/outdated.tsx';
import { Problem } from '../../ui/problem.tsx';
import { OverviewSkeleton } from '../overview/overview-skeleton.tsx';
import { KeyNote } from './key-note.tsx';
import { provenanceWords } from './provenance-words.ts';
import { senderWords } from './sender-words.ts';
import { ValueTable } from './value-table.tsx';

const route = getRouteApi('/app/ui/tags/$key');

/** One key: what it means, whose it is, its values, and what it does not cover. */
export function TagKeyPage() {
  const { key } = route.useParams();
  const [search] = useSearchState();
  const tag = useQuery(tagKeyQuery(key, search));
  const { data, error } = tag;
  const known = data !== undefined && data.key === key ? data : undefined;
  return (
    <div className="mx-auto w-full max-w-[1240px] space-y-4 px-4 py-5 sm:px-6 lg:px-8">
      <PageHeader
        above={<UpLink to="/ui/tags">Tags</UpLink>}
        title={<span className="break-all">{key}</span>}
        freshness={known && <Freshness asOf={known.as_of} problem={error} tz={search.tz} />}
      />
      <FilterBar tagKeys={[key]} />
      {error !== null && known === undefined && (
        <Problem title={`The key ${key} could not be read`} error={error} onRetry={() => void tag.refetch()} />
      )}
      {error === null && known === undefined && <OverviewSkeleton />}
      {known !== undefined && (
        <Outdated when={tag.isPlaceholderData}>
          <KeyNote key={key} tag={known} />
          <KeyFigures tag={known} tz={search.tz} />
          <section aria-labelledby="values-heading" className="rounded-lg border border-line bg-surface shadow-card">
            <div className="flex items-baseline gap-2 px-4 pt-3 pb-2">
              <h2 id="values-heading" className="mr-auto text-[13px] font-semibold">
                Values
              </h2>
              <Link
                to="/ui/overview"
                search={(previous) => ({ ...parseSearch(previous), by: asTagList(key), page: 1, call: '' })}
                className="text-xs text-accent underline-offset-4 hover:underline"
              >
                Spend by {key} over time
              </Link>
            </div>
            <ValueTable tag={known} tz={search.tz} />
          </section>
        </Outdated>
      )}
    </div>
  );
}

function KeyFigures({ tag, tz }: { readonly tag: TagKeyAnswer; readonly tz: string }) {
  const { untagged, summary } = tag;
  const today = dayIn(tz, nowMs());
  const seen = (at: string | null): string => (at === null ? 'never' : stampIn(tz, Date.parse(at), today));
  return (
    <Figures>
      <Figure
        label="Coverage"
        value={tag.cost_share === null ? UNKNOWN_AMOUNT : formatShare(tag.cost_share)}
        exact={`${formatExactMoney(tag.cost_exact)} of ${formatExactMoney(summary.total_cost_exact)}`}
      >
        {isZeroMoney(untagged.cost_exact) ? (
          `every dollar has a ${tag.key}`
        ) : (
          <Link
            to="/ui/requests"
            search={(previous) => {
              const search = parseSearch(previous);
              return { ...search, ...withTags(search, untagged.tags), page: 1, call: '' };
            }}
            className="underline decoration-line-strong underline-offset-4 hover:text-ink"
          >
            {formatMoney(untagged.cost_exact)} without {tag.key}
          </Link>
        )}
      </Figure>
      <Figure
        label="Cost"
        value={formatMoney(tag.cost_exact)}
        exact={formatExactMoney(tag.cost_exact)}
        mark={summary.sandbox && <PlayMoney words="short" />}
      >
        {provenanceWords(tag.provenance)}
      </Figure>
      <Figure label="Values" value={formatCompact(tag.distinct_values)} exact={plural(tag.distinct_values, 'value')}>
        {`last seen ${seen(tag.last_seen)}`}
      </Figure>
      <Figure label="Requests" value={formatCompact(tag.calls)} exact={formatCount(tag.calls)}>
        {`first seen ${seen(tag.first_seen)}`}
      </Figure>
      <Figure
        label="Sent by"
        value={tag.senders === 0 ? UNKNOWN_AMOUNT : plural(tag.senders, 'key')}
        exact={tag.sent_by.map((each) => `${each.key_name}: ${plural(each.calls, 'request')}`).join('\n')}
      >
        <span className="block truncate">{tag.senders === 0 ? 'no key sends it' : senderWords(tag)}</span>
      </Figure>
    </Figures>
  );
}
