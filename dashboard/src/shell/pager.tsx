import type { Pagination } from '../api/totals.ts';
import { formatCount } from '../money/quantity.ts';
import { useSearchState } from '../search/use-search.ts';
import { Button } from '../ui/button.tsx';

type PagerProps = {
  /** What is counted, as in `requests`. */
  readonly of: string;
  readonly pagination: Pagination;
  readonly words: { readonly back: string; readonly on: string };
};

/** Goes through a list page by page; the page is in the address. */
export function Pager({ of, pagination: { total, limit, offset, has_more }, words }: PagerProps) {
  const [search, change] = useSearchState();
  return (
    <nav aria-label={`Pages of ${of}`} className="flex items-center gap-2">
      <span className="text-ink-3">
        {formatCount(Math.min(total, offset + 1))}–{formatCount(Math.min(total, offset + limit))} of{' '}
        {formatCount(total)}
      </span>
      <Button disabled={search.page <= 1} onClick={() => change({ page: search.page - 1 })}>
        {words.back}
      </Button>
      <Button disabled={!has_more} onClick={() => change({ page: search.page + 1 })}>
        {words.on}
      </Button>
    </nav>
  );
}
