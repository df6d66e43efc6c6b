import type { PartRowsAsked, Unit } from '#ledger/store';
import { createBindings, type Bindings } from './bindings.ts';
import { coarsestUnit } from './calendar.ts';
import { conditionsBesideTime } from './filter.ts';
import { withinTime } from './period.ts';
import { restOf, wholeUnits, type Asked, type SourceColumn } from './summed.ts';

/** What a report tells apart: columns of entries, and of the time not more than this. */
export type Told = { readonly columns: (bindings: Bindings) => readonly SourceColumn[]; readonly within: Unit };

/** Which cells to read, as `partRowsOf` is told, and whether what was read of them still counts. */
export type CellsUse = {
  rows(bindings: Bindings): NonNullable<PartRowsAsked['cells']>;
  stands(): boolean;
};

/**
 * Cells of what a report filters and groups by. Null where there are none: the store may make them if that is asked for again.
 *
 * @param most no more cells than these
 */
export function usableCells(asked: Asked, { columns, within }: Told, most: number): CellsUse | null {
  const { filter, asOf, store } = asked;
  const { period } = filter;
  const conditions = (bindings: Bindings): readonly string[] => conditionsBesideTime(filter, asOf, bindings);
  const looking = createBindings();
  const about = [...conditions(looking), ...columns(looking).map(({ entry }) => entry)].join(' ');
  // What the period has beyond whole units is read from entries.
  const cells = store.cells?.(about, coarsestUnit(within, [period.startMs, period.endMs]), asOf) ?? null;
  const inner = cells === null ? null : wholeUnits(period, cells.per);
  if (cells === null || inner === null || cells.count > most) return null;
  return {
    rows: (bindings) => ({
      table: cells.table,
      where: [cells.cells, withinTime(inner, bindings.bind, 'quarter'), ...conditions(bindings)].join(' AND '),
      rest: restOf(cells.rest, { period, inner })(bindings),
    }),
    stands: cells.stands,
  };
}
