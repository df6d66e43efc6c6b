import { type TimestampMs } from '#std';
import { type Dimension, type Provenance } from '#terms';
import { type Cell } from './counter.ts';
import { type Hold } from './hold.ts';
import { type ScopedCall } from './scope.ts';

/**
 * All that a book knows, as plain data for JSON, a table or a message. Money is text of integer pico-dollars: JSON has no
 * integers of that size.
 */
export type BookRows = {
  /** Every series that was counted: one that is missing here has to be told what was spent. */
  readonly series: readonly string[];
  readonly cells: readonly CellRow[];
  readonly holds: readonly HoldRow[];
};

export type CellRow = {
  readonly series: string;
  readonly instance: readonly string[];
  readonly start: number;
  readonly spent: string;
  readonly overrun: string;
  readonly unpriced: number;
};

export type HoldRow = {
  readonly id: string;
  readonly state: Hold['state'];
  readonly at: number;
  readonly most: string | null;
  readonly likely: string | null;
  readonly call: Omit<ScopedCall, 'tags'> & {
    readonly dimensions: readonly (readonly [string, string, Provenance])[];
    readonly labels: readonly string[];
    readonly paths: readonly string[];
  };
  readonly cells: readonly { readonly series: string; readonly instance: readonly string[]; readonly start: number }[];
};

export function toCellRow({ counter, span, tally }: Cell): CellRow {
  return {
    series: counter.seriesKey,
    instance: counter.instance,
    start: span.start,
    spent: tally.spent.toString(),
    overrun: tally.overrun.toString(),
    unpriced: tally.unpriced,
  };
}

export function toHoldRow({ id, state, at, most, likely, call, cells }: Hold): HoldRow {
  const { tags, key, team, owner, model, provider, route } = call;
  return {
    id,
    state,
    at,
    most: most === null ? null : most.toString(),
    likely: likely === null ? null : likely.toString(),
    call: {
      key,
      team,
      owner,
      model,
      provider,
      route,
      dimensions: Array.from(tags.dimensions, ([name, { value, provenance }]) => [name, value, provenance] as const),
      labels: tags.labels,
      paths: tags.paths,
    },
    cells: cells.map(({ counter, span }) => ({
      series: counter.seriesKey,
      instance: counter.instance,
      start: span.start,
    })),
  };
}

/** The hold of a row, in no cell yet. */
export function fromHoldRow(row: HoldRow): Hold {
  const { dimensions, labels, paths, ...call } = row.call;
  return {
    id: row.id,
    state: row.state,
    at: row.at as TimestampMs,
    most: row.most === null ? null : BigInt(row.most),
    likely: row.likely === null ? null : BigInt(row.likely),
    call: {
      ...call,
      tags: {
        dimensions: new Map(
          dimensions.map(([name, value, provenance]): [string, Dimension] => [name, { value, provenance }]),
        ),
        labels,
        paths,
      },
    },
    cells: [],
  };
}
