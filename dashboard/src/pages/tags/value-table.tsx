import { Link } from '@tanstack/react-router';
import { valueRank, type TagKeyPage, type TagValue } from '../../api/tags.ts';
import { formatExactMoney, formatMoney, shareOf } from '../../money/money.ts';
import { formatCompact, plural } from '../../money/quantity.ts';
import { withTags } from '../../search/filters.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Pager } from '../../shell/pager.tsx';
import { RankHead } from '../../shell/rank-head.tsx';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { Coverage } from './coverage.tsx';

type ValueTableProps = { readonly tag: TagKeyPage; readonly tz: string };

/** The key's values with their share of all dollars; with what has none they are the whole. */
export function ValueTable({ tag, tz }: ValueTableProps) {
  const [search] = useSearchState();
  const by = valueRank(search);
  const today = dayIn(tz, nowMs());
  const stamp = (at: string): string => stampIn(tz, Date.parse(at), today);
  return (
    <>
      <div className="relative overflow-x-auto">
        <table className="w-full border-collapse text-[13px]">
          <caption className="sr-only">Values of {tag.key}</caption>
          <thead>
            <tr className="h-8 border-b border-line text-left text-xs text-ink-2 [&>th]:font-medium [&>th]:whitespace-nowrap">
              <RankHead rank="value" by={by} look="pl-4">
                Value
              </RankHead>
              <th scope="col" className="px-3">
                Share
              </th>
              <RankHead rank="calls" by={by} look="hidden text-right sm:table-cell">
                Requests
              </RankHead>
              <th scope="col" className="hidden px-3 text-right lg:table-cell">
                First seen
              </th>
              <RankHead rank="recent" by={by} look="hidden text-right md:table-cell">
                Last seen
              </RankHead>
              <RankHead rank="cost" by={by} look="pr-4 text-right">
                Cost
              </RankHead>
            </tr>
          </thead>
          <tbody>
            {tag.data.map((value) => (
              <ValueRow
                key={value.value}
                value={value}
                seen={{ first: stamp(value.first_seen), last: stamp(value.last_seen) }}
              />
            ))}
            {tag.untagged.calls > 0 && <UntaggedRow tag={tag} />}
          </tbody>
        </table>
      </div>
      {tag.pagination.total > tag.pagination.limit && (
        <footer className="figures flex justify-end rounded-b-lg border-t border-line px-4 py-2.5 text-[13px]">
          <Pager of="values" pagination={tag.pagination} words={{ back: 'Back', on: 'Next' }} />
        </footer>
      )}
    </>
  );
}

type ValueRowProps = { readonly value: TagValue; readonly seen: { readonly first: string; readonly last: string } };

function ValueRow({ value, seen }: ValueRowProps) {
  const aside = [value.description, value.owner].filter((text) => text !== null).join(' · ');
  return (
    <tr className="group relative border-b border-line last:border-0 hover:bg-hover">
      <td className="w-full max-w-0 min-w-28 py-2 pl-4 align-top md:w-[34%]">
        <RequestsLink tags={value.tags} look="">
          {value.value}
        </RequestsLink>
        {aside !== '' && <span className="block truncate text-xs text-ink-3">{aside}</span>}
      </td>
      <td className="w-28 min-w-28 px-3 py-2 align-top leading-5 md:w-[22%] md:min-w-40">
        <Coverage share={value.cost_share} title={`${formatExactMoney(value.cost_exact)} of the spend`} />
      </td>
      <td
        className="hidden px-3 py-2 text-right align-top leading-5 sm:table-cell"
        title={plural(value.calls, 'request')}
      >
        {formatCompact(value.calls)}
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 lg:table-cell">
        {seen.first}
      </td>
      <td className="hidden px-3 py-2 text-right align-top leading-5 whitespace-nowrap text-ink-2 md:table-cell">
        {seen.last}
      </td>
      <td
        className="py-2 pr-4 pl-3 text-right align-top leading-5 font-medium"
        title={formatExactMoney(value.cost_exact)}
      >
        {formatMoney(value.cost_exact)}
      </td>
    </tr>
  );
}

function UntaggedRow({ tag: { untagged, summary } }: { readonly tag: TagKeyPage }) {
  return (
    <tr className="group relative border-b border-line last:border-0 hover:bg-hover">
      <td className="max-w-0 py-2 pl-4 align-top">
        <RequestsLink tags={untagged.tags} look="text-ink-2 italic">
          (untagged)
        </RequestsLink>
      </td>
      <td className="px-3 py-2 align-top leading-5">
        <Coverage
          share={shareOf(untagged.cost_exact, summary.total_cost_exact)}
          title={`${formatExactMoney(untagged.cost_exact)} of the spend`}
        />
      </td>
      <td
        className="hidden px-3 py-2 text-right align-top leading-5 sm:table-cell"
        title={plural(untagged.calls, 'request')}
      >
        {formatCompact(untagged.calls)}
      </td>
      <td aria-hidden className="hidden lg:table-cell" />
      <td aria-hidden className="hidden md:table-cell" />
      <td
        className="py-2 pr-4 pl-3 text-right align-top leading-5 font-medium"
        title={formatExactMoney(untagged.cost_exact)}
      >
        {formatMoney(untagged.cost_exact)}
      </td>
    </tr>
  );
}

type RequestsLinkProps = { readonly tags: string; readonly look: string; readonly children: string };

/** To the calls that carry it; its area is the whole row. */
function RequestsLink({ tags, look, children }: RequestsLinkProps) {
  return (
    <Link
      to="/ui/requests"
      search={(previous) => {
        const search = parseSearch(previous);
        return { ...search, ...withTags(search, tags), page: 1, call: '' };
      }}
      title={children}
      className={`block truncate rounded-sm leading-5 decoration-line-strong underline-offset-4 group-hover:underline after:absolute after:inset-0 ${look}`}
    >
      {children}
    </Link>
  );
}
