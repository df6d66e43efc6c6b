import {
  createColumnHelper,
  createExpandedRowModel,
  createSortedRowModel,
  rowExpandingFeature,
  rowSortingFeature,
  tableFeatures,
  type Row,
} from '@tanstack/react-table';
import { ChevronRight } from 'lucide-react';
import type { CostRow } from '../../api/totals.ts';
import { Swatch } from '../../chart/swatch.tsx';
import type { SeriesKind } from '../../chart/spend-data.ts';
import { formatExactMoney, formatMoney, UNKNOWN_AMOUNT } from '../../money/money.ts';
import { formatCompact, formatCount, formatLatency, formatShare } from '../../money/quantity.ts';
import { SORTS, type Sort } from '../../search/search.ts';
import { Badge, PlayMoney } from '../../ui/badge.tsx';

export type BreakdownRow = {
  readonly row: CostRow;
  readonly share: number;
  readonly colour: string;
  readonly kind: SeriesKind;
  /** Filters by the row; absent where the API has no words for such a filter. */
  readonly narrow?: () => void;
  /** What the row is called: of a node below another, its last segment. */
  readonly label: string;
  readonly depth: number;
  /** Of a node with others below it. */
  readonly branch?: { readonly state: 'closed' | 'loading' | 'open'; readonly toggle: () => void };
  readonly below: readonly BreakdownRow[];
};

export const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  rowExpandingFeature,
  expandedRowModel: createExpandedRowModel(),
});

/** From a node to those below it; the first step also makes up for the colour, which only roots have. */
const INDENT_PX = 20;

const helper = createColumnHelper<typeof features, BreakdownRow>();

export const FIGURE_CELL = 'px-3 py-0 text-right whitespace-nowrap';

/** What a column's head and cells look like, by the column's id. */
export const CELL_LOOKS: Readonly<Record<string, string>> = {
  value: 'sticky left-0 z-[1] bg-surface group-hover:bg-hover pl-4 pr-3 text-left max-w-72 min-w-40',
  share: 'px-3 text-left w-[26%] min-w-36',
  requests: FIGURE_CELL,
  tokens: FIGURE_CELL,
  latency: `${FIGURE_CELL} pr-4`,
  cost: FIGURE_CELL,
};

export const columns = helper.columns([
  helper.accessor((each) => each.row.value, {
    id: 'value',
    header: 'Value',
    sortDescFirst: false,
    sortFn: (left, right) => left.original.row.value.localeCompare(right.original.row.value),
    cell: ({ row }) => <ValueCell each={row.original} />,
  }),
  helper.accessor((each) => each.row.total_cost, {
    id: 'cost',
    header: 'Cost',
    sortDescFirst: true,
    sortFn: byNumber((each) => each.row.total_cost),
    cell: ({ row: { original } }) => <CostCell row={original.row} />,
  }),
  helper.accessor((each) => each.share, {
    id: 'share',
    header: 'Share',
    enableSorting: false,
    cell: ({ row }) => <ShareBar share={row.original.share} colour={row.original.colour} />,
  }),
  helper.accessor((each) => each.row.total_events, {
    id: 'requests',
    header: 'Requests',
    sortDescFirst: true,
    sortFn: byNumber((each) => each.row.total_events),
    cell: ({ row }) => formatCount(row.original.row.total_events),
  }),
  helper.accessor((each) => tokensOf(each), {
    id: 'tokens',
    header: 'Tokens',
    sortDescFirst: true,
    sortFn: byNumber(tokensOf),
    cell: ({ row: { original } }) => (
      <span
        title={`${formatCount(original.row.total_input_tokens)} in, ${formatCount(original.row.total_output_tokens)} out`}
      >
        {formatCompact(tokensOf(original))}
      </span>
    ),
  }),
  helper.accessor((each) => each.row.avg_latency_ms, {
    id: 'latency',
    header: 'Avg latency',
    sortDescFirst: true,
    sortFn: byNumber((each) => each.row.avg_latency_ms ?? -1),
    cell: ({ row: { original } }) =>
      typeof original.row.avg_latency_ms === 'number' ? formatLatency(original.row.avg_latency_ms) : UNKNOWN_AMOUNT,
  }),
]);

export function sortOf(columnId: string | undefined): Sort | undefined {
  return SORTS.find((sort) => sort === columnId);
}

function byNumber(read: (each: BreakdownRow) => number) {
  return (left: Row<typeof features, BreakdownRow>, right: Row<typeof features, BreakdownRow>): number =>
    read(left.original) - read(right.original);
}

function tokensOf({ row }: BreakdownRow): number {
  return row.total_input_tokens + row.total_output_tokens;
}

function ValueCell({ each }: { readonly each: BreakdownRow }) {
  const { row, colour, kind, narrow, label, depth } = each;
  const plain = kind === 'value' && row.is_direct !== true;
  const text = <span className={`truncate ${plain ? '' : 'text-ink-2 italic'}`}>{label}</span>;
  return (
    <span className="flex min-w-0 items-center gap-2.5" style={{ paddingLeft: depth * INDENT_PX }}>
      {depth === 0 && <Swatch colour={colour} kind={kind} />}
      {narrow === undefined ? (
        text
      ) : (
        <button
          type="button"
          title={row.value}
          aria-label={`Filter by ${row.value}`}
          onClick={(event) => {
            event.stopPropagation();
            narrow();
          }}
          className="min-w-0 truncate rounded-sm text-left decoration-line-strong underline-offset-4 group-hover:underline"
        >
          {text}
        </button>
      )}
      <Branch each={each} />
      {row.sandbox && <PlayMoney words="short" />}
    </span>
  );
}

/** Opens what is below a node. */
function Branch({ each: { row, branch } }: { readonly each: BreakdownRow }) {
  if (branch === undefined) return null;
  return (
    <button
      type="button"
      aria-expanded={branch.state !== 'closed'}
      aria-busy={branch.state === 'loading'}
      aria-label={`What is below ${row.value}`}
      onClick={(event) => {
        event.stopPropagation();
        branch.toggle();
      }}
      className="-ml-1.5 grid size-6 shrink-0 place-items-center rounded text-ink-3 hover:bg-sunken hover:text-ink aria-busy:opacity-50"
    >
      <ChevronRight
        aria-hidden
        className={`size-3.5 transition-transform ${branch.state === 'open' ? 'rotate-90' : ''}`}
      />
    </button>
  );
}

function ShareBar({ share, colour }: { readonly share: number; readonly colour: string }) {
  return (
    <span className="flex items-center gap-2.5">
      <span aria-hidden className="h-1.5 min-w-12 flex-1 overflow-hidden rounded-full bg-sunken">
        <span
          className="block h-full rounded-full"
          style={{ width: `${Math.min(100, share * 100)}%`, minWidth: share > 0 ? 2 : 0, background: colour }}
        />
      </span>
      <span className="w-11 text-right text-xs text-ink-2">{formatShare(share)}</span>
    </span>
  );
}

function CostCell({ row }: { readonly row: CostRow }) {
  return (
    <span className="inline-flex items-center justify-end gap-2">
      {row.in_doubt_events > 0 && (
        <Badge tone="bad" title={`${formatExactMoney(row.at_risk_exact)} at risk, not part of the cost`}>
          {row.in_doubt_events} in doubt
        </Badge>
      )}
      {row.unpriced_events > 0 && (
        <Badge tone="warn" title="No price is known for these calls; they are not part of the cost">
          {row.unpriced_events} unpriced
        </Badge>
      )}
      <span className="font-medium" title={formatExactMoney(row.total_cost_exact)}>
        {row.unpriced_events === row.total_events && row.total_events > 0
          ? UNKNOWN_AMOUNT
          : formatMoney(row.total_cost_exact)}
      </span>
    </span>
  );
}
