import { LABELS_OF_SET, PATHS_OF_SET } from '#ledger/store';
import { UNTAGGED } from '#tags';
import { formatUsd, usdNumber } from '#terms';
import type { Bindings } from './bindings.ts';
import {
  each,
  LABEL_SET,
  OTHER,
  PARTITION,
  tagValues,
  type Extra,
  type GroupFields,
  type Grouping,
} from './grouping.ts';
import { countOf, moneyOf, type Row } from './reader.ts';
import { isUnder } from './tag-condition.ts';

/** The row of what is at a node itself, beside the rows of its children. */
const DIRECT = '(direct)';

const NOWHERE = `if(empty(${LABELS_OF_SET}) AND empty(${PATHS_OF_SET}), NULL, '${OTHER}')`;

/**
 * One level of the tree of paths: its roots, or the children of `prefix` and what is directly there. A flat label is a
 * path of one segment: `US` beside `US/California` is the node's direct cost. A call counts once per node, even if two of
 * its paths share a prefix.
 */
export function pathGroup(prefix: string | null, { bind }: Bindings): Grouping {
  const texts = { labels: LABELS_OF_SET, paths: PATHS_OF_SET };
  const nodes =
    prefix === null
      ? `arrayConcat(${texts.labels}, arrayMap(p -> splitByChar('/', p)[1], ${texts.paths}))`
      : nodesBelow(bind('String', prefix), texts);
  return {
    ...PARTITION,
    overlapping: true,
    source: LABEL_SET,
    ...each(`arrayDistinct(${nodes})`, prefix === null ? 'NULL' : NOWHERE),
    extras: nodeColumns({
      direct: `has(${texts.labels}, assumeNotNull(k)) OR has(${texts.paths}, assumeNotNull(k))`,
      below: `arrayExists(p -> startsWith(p, concat(assumeNotNull(k), '/')), ${texts.paths})`,
    }),
    fields: (id, row) => nodeFields(id, row, { prefix, name: 'path' }),
  };
}

function nodesBelow(prefix: string, { labels, paths }: { readonly labels: string; readonly paths: string }): string {
  const child = `concat(${prefix}, '/', splitByChar('/', substring(p, length(${prefix}) + 2))[1])`;
  const below = `arrayMap(p -> if(p = ${prefix}, p, ${child}), arrayFilter(p -> ${isUnder('p', prefix)}, ${paths}))`;
  // A label is never split: one with a slash is a URL.
  return `arrayConcat(${below}, if(has(${labels}, ${prefix}), [${prefix}], []))`;
}

/**
 * One level of a dimension whose values are paths (`team:eng/search`). A call has one value, so the rows partition: what
 * is not below `prefix` is `(other)`. A node is the value up to a slash, as it was sent.
 */
export function tagTreeGroup(key: string, prefix: string | null, { bind }: Bindings): Grouping {
  const column = 'g';
  const trimmed = `trim(TRAILING '/' FROM ifNull(${column}, ''))`;
  // A value of nothing but slashes is a node of its own.
  const value = `if(${trimmed} = '', ifNull(${column}, ''), ${trimmed})`;
  const first = (text: string): string => `extract(${text}, '^/*[^/]+')`;
  return {
    ...PARTITION,
    source: tagValues(key),
    key: prefix === null ? rootKey(column, first(value)) : keyBelow(bind('String', prefix), { column, value, first }),
    extras: nodeColumns({
      direct: `${value} = assumeNotNull(k)`,
      below: `startsWith(${value}, concat(assumeNotNull(k), '/'))`,
    }),
    fields: (id, row) => ({ ...nodeFields(id, row, { prefix, name: 'tag_value' }), tag_key: key }),
  };
}

function rootKey(column: string, root: string): string {
  return `if(isNull(${column}), NULL, if(${root} = '', ${column}, ${root}))`;
}

function keyBelow(
  prefix: string,
  {
    column,
    value,
    first,
  }: { readonly column: string; readonly value: string; readonly first: (text: string) => string },
): string {
  const child = `concat(${prefix}, '/', ${first(`substring(${value}, length(${prefix}) + 2)`)})`;
  return `multiIf(isNull(${column}), NULL, ${value} = ${prefix}, ${prefix}, startsWith(${value}, concat(${prefix}, '/')), ${child}, '${OTHER}')`;
}

function nodeColumns({ direct, below }: { readonly direct: string; readonly below: string }): readonly Extra[] {
  return [
    { as: 'x_direct_cost', sum: 'cost', where: direct },
    { as: 'x_direct_events', sum: 'counts_call', where: direct },
    { as: 'x_below', aggregate: 'max', of: below },
  ];
}

function nodeFields(
  id: string | null,
  row: Row,
  { prefix, name }: { readonly prefix: string | null; readonly name: 'path' | 'tag_value' },
): GroupFields {
  if (id === null || id === OTHER) {
    return { value: id ?? UNTAGGED, [name]: null, direct: null, is_direct: false, has_children: false };
  }
  const cost = moneyOf(row, 'x_direct_cost');
  const isDirect = id === prefix;
  return {
    value: isDirect ? DIRECT : id,
    [name]: id,
    direct: {
      total_cost: usdNumber(cost),
      total_cost_exact: formatUsd(cost),
      total_events: countOf(row, 'x_direct_events'),
    },
    is_direct: isDirect,
    has_children: !isDirect && countOf(row, 'x_below') === 1,
  };
}
