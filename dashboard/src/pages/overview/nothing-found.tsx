import { filtersOf, NO_FILTERS } from '../../search/filters.ts';
import { useSearchState } from '../../search/use-search.ts';
import { describeRange } from '../../time/period.ts';
import { Button } from '../../ui/button.tsx';

/** No call matches, though there are calls: says which condition may be the one too many. */
export function NothingFound() {
  const [search, change] = useSearchState();
  const filtered = filtersOf(search).length > 0;
  return (
    <div className="rounded-lg border border-dashed border-line-strong px-6 py-16 text-center">
      <p className="font-medium">No calls match</p>
      <p className="mt-1 text-ink-2">
        Nothing was recorded for this period ({describeRange(search)}, {search.tz})
        {filtered ? ' with these filters' : ''}.
      </p>
      <div className="mt-4 flex justify-center gap-2">
        {filtered && <Button onClick={() => change(NO_FILTERS)}>Clear filters</Button>}
        {search.range !== '30d' && (
          <Button onClick={() => change({ range: '30d', from: '', to: '' })}>Show the last 30 days</Button>
        )}
      </div>
    </div>
  );
}
