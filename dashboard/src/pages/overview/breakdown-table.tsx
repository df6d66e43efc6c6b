import { useTable } from '@tanstack/react-table';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { useState } from 'react';
import type { Costs } from '../../api/analytics.ts';
import type { Series } from '../../chart/spend-data.ts';
import { formatExactMoney, formatMoney } from '../../money/money.ts';
import { formatCompact, formatCount, formatLatency, plural } from '../../money/quantity.ts';
import { useSearchState } from '../../search/use-search.ts';
import { Button } from '../../ui/button.tsx';
import { CELL_LOOKS, columns, features, FIGURE_CELL, sortOf } from './breakdown-columns.tsx';
import { breakdownRows } from './breakdown-rows.ts';
import { useTree } from './use-tree.ts';

const FIRST_ROWS = 12;

type BreakdownTableProps = { readonly costs: Costs; readonly series: readonly Series[]; readonly dimension: string };

/** The chart's figures, and those of every value the chart has no room for. */
export function BreakdownTable({ costs, series, dimension }: BreakdownTableProps) {
  const [search, change] = useSearchState();
  const [all, setAll] = useState(false);
  const tree = useTree(search);
  const data = breakdownRows({ costs, series, search, change, tree });
  const sorting = [{ id: search.sort, desc: search.order === 'desc' }];
  const table = useTable({
    features,
    columns,
    data,
    getSubRows: (each) => each.below,
    // A node is read when it is opened, so one that has rows below it is open.
    state: { sorting, expanded: true },
    autoResetExpanded: false,
    enableSortingRemoval: false,
    onSortingChange: (update) => {
      const [next] = typeof update === 'function' ? update(sorting) : update;
      const sort = sortOf(next?.id);
      if (sort !== undefined) change({ sort, order: next?.desc === false ? 'asc' : 'desc' });
    },
  });
  const rows = table.getRowModel().rows;
  const roots = rows.filter((row) => row.depth === 0);
  const firstHidden = all ? undefined : roots[FIRST_ROWS];
  const shown = firstHidden === undefined ? rows : rows.slice(0, rows.indexOf(firstHidden));
  return (
    <div className="relative overflow-x-auto border-t border-line">
      <table className="w-full min-w-[640px] border-collapse text-[13px]">
        <caption className="sr-only">Spend by {dimension}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} className="h-8 border-b border-line text-xs text-ink-2">
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : undefined}
                    className={`font-medium ${CELL_LOOKS[header.id]}`}
                  >
                    {header.column.getCanSort() ? (
                      <button
                        type="button"
                        onClick={header.column.getToggleSortingHandler()}
                        className="inline-flex items-center gap-1 hover:text-ink"
                      >
                        {header.id === 'value' ? dimension : <table.FlexRender header={header} />}
                        {sorted === 'asc' && <ArrowUp aria-hidden className="size-3" />}
                        {sorted === 'desc' && <ArrowDown aria-hidden className="size-3" />}
                      </button>
                    ) : (
                      <table.FlexRender header={header} />
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr
              key={row.id}
              onClick={row.original.narrow}
              className={`group h-9 border-b border-line last:border-0 hover:bg-hover ${row.original.narrow === undefined ? '' : 'cursor-pointer'}`}
            >
              {row.getAllCells().map((cell) => (
                // oxlint-disable-next-line jsx-a11y/control-has-associated-label -- a cell is no control
                <td key={cell.id} className={CELL_LOOKS[cell.column.id]}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        <TotalRow costs={costs} />
      </table>
      {rows.length > shown.length && (
        <div className="border-t border-line px-4 py-2">
          <Button look="quiet" onClick={() => setAll(true)}>
            Show all {plural(roots.length, 'row')}
          </Button>
        </div>
      )}
    </div>
  );
}

function TotalRow({ costs: { summary, overlapping } }: { readonly costs: Costs }) {
  const tokens = summary.total_input_tokens + summary.total_output_tokens;
  return (
    <tfoot>
      <tr className="h-9 border-t border-line-strong font-medium">
        <th scope="row" className="sticky left-0 bg-surface pl-4 text-left font-medium">
          Total
        </th>
        <td className={FIGURE_CELL} title={formatExactMoney(summary.total_cost_exact)}>
          {formatMoney(summary.total_cost_exact)}
        </td>
        <td className="px-3 text-xs font-normal text-ink-3">{overlapping && 'each call once'}</td>
        <td className={FIGURE_CELL}>{formatCount(summary.total_events)}</td>
        <td className={FIGURE_CELL} title={formatCount(tokens)}>
          {formatCompact(tokens)}
        </td>
        <td className={`${FIGURE_CELL} pr-4`}>
          {typeof summary.avg_latency_ms === 'number' && formatLatency(summary.avg_latency_ms)}
        </td>
      </tr>
    </tfoot>
  );
}
