import { isTagKey, tagColumn } from '#ledger/store';
import { UNTAGGED } from '#tags';
import { formatUsd, LIMITS, usdNumber } from '#terms';
import { bucketOf, INTERVALS, type Interval } from './calendar.ts';
import type { Bindings } from './bindings.ts';
import type { EntryFilter } from './filter.ts';
import { invalidQuery, nearest } from './parameters.ts';
import { countOf, moneyOf, textOf, type Row } from './reader.ts';

/** The value of the row that holds what a limit left out; no caller can send it as a tag. */
export const OTHER = '(other)';

/** What a report is broken down by, as the caller wrote it. */
export type GroupBy =
  | { readonly kind: 'entity' | 'model' | 'provider' | 'key' | 'status' | 'label' }
  | { readonly kind: 'time'; readonly interval: Interval }
  | { readonly kind: 'tag'; readonly key: string }
  | { readonly kind: 'path'; readonly prefix: string | null };

/** A breakdown as SQL, and how its rows are told to a client. */
export type Grouping = {
  /** `Nullable(String)` or `String` or a date; NULL is what carries no such tag. */
  readonly key: string;
  /** More columns per group, each with an alias of its own. */
  readonly extras: readonly string[];
  /** A call may be in several rows: they do not add up to the total. */
  readonly overlapping: boolean;
  /** Ordered by time instead of by cost. */
  readonly chronological: boolean;
  /** The value of a group, and its fields under their own names. `id` is null for `(untagged)`. */
  fields(id: string | null, row: Row): GroupFields;
};

export type GroupFields = { readonly value: string; readonly [name: string]: unknown };

const FIXED = ['entity', 'model', 'provider', 'key', 'status', 'label', 'path', ...INTERVALS] as const;

export function parseGroupBy(text: string): GroupBy {
  if (text.startsWith('tags.')) return parseTagGroup(text.slice('tags.'.length));
  if (text.startsWith('path:')) return { kind: 'path', prefix: parsePrefix(text.slice('path:'.length)) };
  const fixed = FIXED.find((name) => name === text);
  switch (fixed) {
    case undefined:
      throw unknownGroup(text);
    case 'hour':
    case 'day':
    case 'week':
    case 'month':
      return { kind: 'time', interval: fixed };
    case 'path':
      return { kind: 'path', prefix: null };
    default:
      return { kind: fixed };
  }
}

function unknownGroup(text: string): Error {
  if (text.includes(',')) return invalidQuery('group_by', 'A report has one group_by.', 'Ask once per breakdown.');
  const message = `"${text}" is nothing to group by.`;
  if (isTagKey(text) && nearest(text, FIXED).startsWith('Use')) {
    return invalidQuery('group_by', message, `For the tag "${text}" write tags.${text}. ${nearest(text, FIXED)}`);
  }
  return invalidQuery('group_by', message, nearest(text, [...FIXED, 'path:PREFIX', 'tags.KEY']));
}

function parseTagGroup(key: string): GroupBy {
  if (!isTagKey(key)) {
    throw invalidQuery(
      'group_by',
      `"${key}" is no tag key.`,
      `A key has up to ${LIMITS.tagKeyChars} letters, digits, "_", "." and "-", as in tags.feature.`,
    );
  }
  return { kind: 'tag', key };
}

function parsePrefix(text: string): string {
  const segments = text
    .split('/')
    .map((segment) => segment.trim())
    .filter((segment) => segment !== '');
  if (segments.length === 0) {
    throw invalidQuery('group_by', 'The path after "path:" is empty.', 'Write path:US, or path for the whole tree.');
  }
  return segments.join('/');
}

export function groupingOf(groupBy: GroupBy, filter: EntryFilter, bindings: Bindings): Grouping {
  switch (groupBy.kind) {
    case 'tag':
      return tagGroup(groupBy.key);
    case 'path':
      return pathGroup(groupBy.prefix, bindings);
    case 'time':
      return timeGroup(groupBy.interval, filter.period.timeZone, bindings);
    case 'entity':
      return filter.entityType === undefined ? PRIMARY_ENTITY : entityOfType(filter.entityType);
    default:
      return FIXED_GROUPS[groupBy.kind];
  }
}

const PARTITION = { extras: [], overlapping: false, chronological: false } as const;

function plain(key: string, field: string): Grouping {
  return { ...PARTITION, key, fields: (id) => ({ value: id ?? UNTAGGED, [field]: id }) };
}

const PRIMARY_ENTITY: Grouping = {
  ...PARTITION,
  key: "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))",
  extras: ['any(entity_type) AS x_entity_type', 'any(entity_id) AS x_entity_id'],
  fields: (id, row) =>
    id === null
      ? { value: UNTAGGED, entity_type: null, entity_id: UNTAGGED }
      : { value: id, entity_type: textOf(row, 'x_entity_type'), entity_id: textOf(row, 'x_entity_id') },
};

function entityOfType(type: string): Grouping {
  return {
    ...PARTITION,
    key: tagColumn(type),
    fields: (id) => ({ value: id ?? UNTAGGED, entity_type: id === null ? null : type, entity_id: id ?? UNTAGGED }),
  };
}

const MODEL: Grouping = {
  ...PARTITION,
  key: "nullIf(model, '')",
  extras: ['arraySort(groupUniqArray(8)(provider)) AS x_providers'],
  fields: (id, row) => {
    const providers = row['x_providers'];
    const names = Array.isArray(providers) ? providers.map(String) : [];
    return { value: id ?? UNTAGGED, model: id, provider: names.length > 1 ? '(multiple)' : (names[0] ?? null) };
  },
};

// By id: two keys of one name stay two rows.
const KEY: Grouping = {
  ...PARTITION,
  key: "nullIf(key_id, '')",
  extras: ['argMax(key_name, seq) AS x_key_name'],
  fields: (id, row) => {
    const name = textOf(row, 'x_key_name');
    return { value: name === '' ? (id ?? UNTAGGED) : name, key_id: id, key_name: name };
  },
};

function tagGroup(key: string): Grouping {
  return {
    ...PARTITION,
    key: tagColumn(key),
    fields: (id) => ({ value: id ?? UNTAGGED, tag_key: key, tag_value: id }),
  };
}

function timeGroup(interval: Interval, timeZone: string, { bind }: Bindings): Grouping {
  return {
    ...PARTITION,
    chronological: true,
    key: bucketKey(interval, bind('String', timeZone)),
    fields: (id) => {
      const bucket = bucketOf(id ?? '', interval, timeZone);
      return { value: bucket.date, date: bucket.date, timestamp: new Date(bucket.startMs).toISOString() };
    },
  };
}

/** The bucket an entry falls in, as `bucketOf` reads it. */
export function bucketKey(interval: Interval, zone: string): string {
  const keys: Readonly<Record<Interval, string>> = {
    hour: `toUnixTimestamp(toStartOfHour(effective_at, ${zone}))`,
    day: `toDate(effective_at, ${zone})`,
    week: `toStartOfWeek(effective_at, 1, ${zone})`,
    month: `toStartOfMonth(effective_at, ${zone})`,
  };
  return keys[interval];
}

/** One row per item of an array; one NULL row for an empty one. */
function each(items: string): string {
  return `arrayJoin(if(empty(${items}), CAST([NULL], 'Array(Nullable(String))'), CAST(${items}, 'Array(Nullable(String))')))`;
}

const LABEL: Grouping = {
  ...PARTITION,
  overlapping: true,
  key: each('labels'),
  fields: (id) => ({ value: id ?? UNTAGGED, label: id }),
};

const FIXED_GROUPS = {
  model: MODEL,
  provider: plain("nullIf(provider, '')", 'provider'),
  status: plain('status', 'status'),
  key: KEY,
  label: LABEL,
} as const;

// A flat label is a path of one segment: `US` beside `US/California` is the node's direct cost. A call counts once per
// node, even if two of its paths share a prefix.
const NODES = `arrayDistinct(arrayConcat(labels, arrayFlatten(arrayMap(
  p -> arrayMap(n -> arrayStringConcat(arraySlice(splitByChar('/', p), 1, n), '/'), range(1, length(splitByChar('/', p)) + 1)),
  paths))))`;

function pathGroup(prefix: string | null, { bind }: Bindings): Grouping {
  const at = prefix === null ? '' : bind('String', prefix);
  const nodes = prefix === null ? NODES : `arrayFilter(n -> n = ${at} OR startsWith(n, concat(${at}, '/')), ${NODES})`;
  const direct = `(has(CAST(labels, 'Array(String)'), assumeNotNull(k)) OR has(CAST(paths, 'Array(String)'), assumeNotNull(k)))`;
  return {
    ...PARTITION,
    overlapping: true,
    key: each(nodes),
    extras: [
      `toString(coalesce(sumIf(cost, ${direct}), 0)) AS x_direct_cost`,
      `sumIf(counts_call, ${direct}) AS x_direct_events`,
    ],
    fields: (id, row) => ({
      value: id ?? UNTAGGED,
      path: id,
      direct:
        id === null
          ? null
          : {
              total_cost: usdNumber(moneyOf(row, 'x_direct_cost')),
              total_cost_exact: formatUsd(moneyOf(row, 'x_direct_cost')),
              total_events: countOf(row, 'x_direct_events'),
            },
    }),
  };
}
