import type { Costs } from '../../api/analytics.ts';
import type { CostRow } from '../../api/totals.ts';
import type { Series } from '../../chart/spend-data.ts';
import { shareOf } from '../../money/money.ts';
import { narrowTo } from '../../search/filters.ts';
import type { Search } from '../../search/search.ts';
import type { ChangeSearch } from '../../search/use-search.ts';
import type { BreakdownRow } from './breakdown-columns.tsx';
import type { TreeState } from './use-tree.ts';

type Breakdown = {
  readonly costs: Costs;
  readonly series: readonly Series[];
  readonly search: Search;
  readonly change: ChangeSearch;
  readonly tree: TreeState;
};

/** The rows of a breakdown, and below those that are open what is in them. */
export function breakdownRows(breakdown: Breakdown): readonly BreakdownRow[] {
  return breakdown.costs.data.map((row) =>
    breakdownRow(breakdown, row, { depth: 0, parent: '', sign: signOf(row, breakdown.series) }),
  );
}

type Sign = Pick<BreakdownRow, 'colour' | 'kind'>;

type Place = { readonly depth: number; readonly parent: string; readonly sign: Sign };

function breakdownRow(breakdown: Breakdown, row: CostRow, { depth, parent, sign }: Place): BreakdownRow {
  const { costs, search, change, tree } = breakdown;
  const patch = narrowTo(search, row);
  const node = row.has_children === true ? row.value : undefined;
  const below = node === undefined || !tree.isOpen(node) ? undefined : tree.below(node);
  return {
    row,
    share: shareOf(row.total_cost_exact, costs.summary.total_cost_exact),
    ...sign,
    ...(patch === undefined ? {} : { narrow: () => change(patch) }),
    label: parent !== '' && row.value.startsWith(`${parent}/`) ? row.value.slice(parent.length + 1) : row.value,
    depth,
    ...(node === undefined
      ? {}
      : {
          branch: {
            state: tree.isOpen(node) ? (below === undefined ? 'loading' : 'open') : 'closed',
            toggle: () => tree.toggle(node),
          },
        }),
    below: (below ?? []).map((each) => breakdownRow(breakdown, each, { depth: depth + 1, parent: row.value, sign })),
  };
}

/** The sign a row has in the chart; values the chart folds into “other” have that sign. */
function signOf(row: CostRow, series: readonly Series[]): Pick<BreakdownRow, 'colour' | 'kind'> {
  const drawn = series.find((each) => each.value === row.value);
  if (drawn !== undefined) return { colour: drawn.colour, kind: drawn.kind };
  return { colour: 'var(--series-other)', kind: row.untagged ? 'untagged' : row.other ? 'other' : 'value' };
}
