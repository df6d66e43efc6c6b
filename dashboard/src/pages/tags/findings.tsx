import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { hygieneQuery, type Finding } from '../../api/tags.ts';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { formatCompact, formatCount, plural } from '../../money/quantity.ts';
import { withFilter } from '../../search/filters.ts';
import { parseSearch } from '../../search/search.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { findingWords } from './finding-words.ts';
import { UntaggedSenders } from './untagged-senders.tsx';

const FIRST_FINDINGS = 4;
const ITEMS_SHOWN = 8;
/** Of ids a few show what they are. */
const IDS_SHOWN = 3;

/** What could be tidier. None of it changes a figure, so it is said calmly. */
export function Findings() {
  const [search] = useSearchState();
  const [all, setAll] = useState(false);
  const { data, error, refetch } = useQuery(hygieneQuery(search));
  if (error !== null && data === undefined) {
    return <Problem title="The findings could not be read" error={error} onRetry={() => void refetch()} />;
  }
  if (data === undefined) return <Skeleton className="h-24 w-full rounded-lg" />;
  const shown = all ? data.data : data.data.slice(0, FIRST_FINDINGS);
  return (
    <>
      <section aria-labelledby="findings-heading" className="rounded-lg border border-line bg-surface shadow-card">
        <h2 id="findings-heading" className="px-4 py-3 text-[13px] font-semibold">
          Findings
          <span className="ml-2 font-normal text-ink-3">
            {data.data.length === 0
              ? 'nothing to tidy up'
              : `${formatCount(data.data.length)} to tidy up, dearest first`}
          </span>
        </h2>
        {shown.length > 0 && (
          <ul>
            {shown.map((finding) => (
              <FindingRow
                key={`${finding.kind} ${finding.at} ${finding.key} ${finding.items[0]?.text}`}
                finding={finding}
              />
            ))}
          </ul>
        )}
        {data.data.length > shown.length && (
          <div className="border-t border-line px-4 py-2">
            <Button look="quiet" onClick={() => setAll(true)}>
              Show all {plural(data.data.length, 'finding')}
            </Button>
          </div>
        )}
      </section>
      <UntaggedSenders senders={data.untagged.by_api_key} />
    </>
  );
}

function FindingRow({ finding }: { readonly finding: Finding }) {
  const { what, advice } = findingWords(finding);
  const items = finding.items.slice(0, finding.kind === 'many_values' ? IDS_SHOWN : ITEMS_SHOWN);
  const more = finding.total_items - items.length;
  return (
    <li className="flex gap-x-6 border-t border-line px-4 py-2.5 text-[13px]">
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-x-2">
          <span className="min-w-0 font-medium break-words">{what}</span>
          {finding.kind === 'personal_data' && <Badge tone="warn">personal data</Badge>}
        </p>
        <p className="mt-1 flex flex-wrap items-center gap-1">
          {items.map((item) => (
            <ItemLink key={item.text} item={item} suggested={item.text === finding.suggestion ? 'most' : 'not'} />
          ))}
          {more > 0 && <span className="px-1 text-xs text-ink-3">+{formatCompact(more)}</span>}
        </p>
        {advice !== '' && <p className="mt-1 text-xs text-ink-3">{advice}</p>}
      </div>
      <p className="figures text-right whitespace-nowrap">
        <span className="font-medium" title={formatExactMoney(finding.cost_exact)}>
          {formatMoney(finding.cost_exact)}
        </span>
        <span className="block text-xs text-ink-3">{plural(finding.calls, 'request')}</span>
      </p>
    </li>
  );
}

type ItemLinkProps = { readonly item: Finding['items'][number]; readonly suggested: 'most' | 'not' };

const CHIP =
  'inline-flex h-5 max-w-64 min-w-0 items-center gap-1.5 rounded border bg-sunken px-1.5 text-xs hover:border-line-strong hover:bg-surface';

/** To the calls that carry the text. A key has a page of its own. */
function ItemLink({ item: { text, calls, filter }, suggested }: ItemLinkProps) {
  const words = (
    <>
      <span className="truncate">{text}</span>
      <span className="text-ink-3 tabular-nums">{formatCompact(calls)}</span>
    </>
  );
  const look = `${CHIP} ${suggested === 'most' ? 'border-line-strong' : 'border-line'}`;
  const title = `${text}: ${plural(calls, 'request')}`;
  if (filter === null) {
    return (
      <Link
        to="/ui/tags/$key"
        params={{ key: text }}
        search={(previous) => ({ ...parseSearch(previous), page: 1, call: '' })}
        title={title}
        className={look}
      >
        {words}
      </Link>
    );
  }
  return (
    <Link
      to="/ui/requests"
      search={(previous) => {
        const search = parseSearch(previous);
        return { ...search, ...withFilter(search, filter), page: 1, call: '' };
      }}
      title={title}
      className={look}
    >
      {words}
    </Link>
  );
}
