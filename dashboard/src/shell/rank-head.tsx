import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Rank } from '../search/search.ts';
import { useSearchState } from '../search/use-search.ts';

type RankHeadProps = {
  /** What the column orders the list by. */
  readonly rank: Rank;
  /** What the list is ordered by now. */
  readonly by: Rank;
  readonly look: string;
  readonly children: ReactNode;
};

/** The head of a column that a list can be ordered by. The API knows one direction: the most first, names from A. */
export function RankHead({ rank, by, look, children }: RankHeadProps) {
  const [, change] = useSearchState();
  const ranked = by === rank;
  const Arrow = rank === 'value' ? ArrowUp : ArrowDown;
  const direction = rank === 'value' ? 'ascending' : 'descending';
  return (
    <th scope="col" aria-sort={ranked ? direction : undefined} className={`px-3 ${look}`}>
      <button type="button" onClick={() => change({ rank })} className="inline-flex items-center gap-1 hover:text-ink">
        {children}
        {ranked && <Arrow aria-hidden className="size-3" />}
      </button>
    </th>
  );
}
