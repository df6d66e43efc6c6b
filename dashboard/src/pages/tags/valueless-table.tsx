import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { formatCompact, plural } from '../../money/quantity.ts';
import { parseSearch } from '../../search/search.ts';
import { withTags } from '../../search/filters.ts';
import { nowMs } from '../../time/clock.ts';
import { dayIn, stampIn } from '../../time/zone.ts';
import { Button } from '../../ui/button.tsx';
import { Coverage } from './coverage.tsx';

const FIRST_ROWS = 10;

const WORDS = {
  paths: {
    title: 'Paths',
    by: 'path',
    aside: 'a call may carry many',
    none: 'No call carries a path, such as US/California.',
  },
  labels: {
    title: 'Labels',
    by: 'label',
    aside: 'a call may carry many',
    none: 'No call carries a flat label, such as beta.',
  },
} as const;

type Valueless = {
  readonly name: string;
  readonly tags: string;
  readonly calls: number;
  readonly cost_exact: string;
  readonly cost_share: number | null;
  readonly last_seen: string | null;
};

type ValuelessTableProps = {
  readonly kind: keyof typeof WORDS;
  readonly tags: readonly Valueless[];
  readonly tz: string;
};

/** Tags without a value. Their rows overlap, so there is no total below them. */
export function ValuelessTable({ kind, tags, tz }: ValuelessTableProps) {
  const [all, setAll] = useState(false);
  const words = WORDS[kind];
  const today = dayIn(tz, nowMs());
  const shown = all ? tags : tags.slice(0, FIRST_ROWS);
  return (
    <section aria-labelledby={`${kind}-heading`} className="rounded-lg border border-line bg-surface shadow-card">
      <div className="flex items-baseline gap-2 px-4 pt-3 pb-2">
        <h2 id={`${kind}-heading`} className="text-[13px] font-semibold">
          {words.title}
        </h2>
        <span className="mr-auto text-[13px] text-ink-3">{words.aside}</span>
        <Link
          to="/ui/overview"
          search={(previous) => ({ ...parseSearch(previous), by: words.by, page: 1, call: '' })}
          className="text-xs text-accent underline-offset-4 hover:underline"
        >
          Spend by {words.by}
        </Link>
      </div>
      {tags.length === 0 ? (
        <p className="border-t border-line px-4 py-3 text-[13px] text-ink-2">{words.none}</p>
      ) : (
        <table className="w-full border-collapse border-t border-line text-[13px]">
          <caption className="sr-only">{words.title}</caption>
          <thead className="sr-only">
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Coverage</th>
              <th scope="col">Requests</th>
              <th scope="col">Cost</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((tag) => (
              <tr key={tag.name} className="group relative h-9 border-b border-line last:border-0 hover:bg-hover">
                <td className="w-[40%] max-w-0 pl-4">
                  <Link
                    to="/ui/requests"
                    search={(previous) => {
                      const search = parseSearch(previous);
                      return { ...search, ...withTags(search, tag.tags), page: 1, call: '' };
                    }}
                    title={
                      tag.last_seen === null
                        ? tag.name
                        : `${tag.name}, last seen ${stampIn(tz, Date.parse(tag.last_seen), today)}`
                    }
                    className="block truncate rounded-sm decoration-line-strong underline-offset-4 group-hover:underline after:absolute after:inset-0"
                  >
                    {tag.name}
                  </Link>
                </td>
                <td className="px-3">
                  <Coverage share={tag.cost_share} title={`${formatExactMoney(tag.cost_exact)} of the spend`} />
                </td>
                <td className="hidden px-3 text-right text-ink-2 sm:table-cell" title={plural(tag.calls, 'request')}>
                  {formatCompact(tag.calls)}
                </td>
                <td className="pr-4 pl-3 text-right font-medium" title={formatExactMoney(tag.cost_exact)}>
                  {formatMoney(tag.cost_exact)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {tags.length > shown.length && (
        <div className="border-t border-line px-4 py-2">
          <Button look="quiet" onClick={() => setAll(true)}>
            Show all {plural(tags.length, kind === 'paths' ? 'path' : 'label')}
          </Button>
        </div>
      )}
    </section>
  );
}
