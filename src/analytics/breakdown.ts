import { LABELS_OF_SET } from '#ledger/store';
import { UNTAGGED } from '#tags';
import { bucketOf, offsetsIn, unitWithin, type Interval, type OffsetSpan } from './calendar.ts';
import type { Bindings } from './bindings.ts';
import { STATE_BY_NOW } from './cost-state.ts';
import { PROVEN, type ProvenName } from './filter.ts';
import type { GroupBy } from './group-by.ts';
import { each, LABEL_SET, PARTITION, tagValues, valueOf, type Grouping } from './grouping.ts';
import type { TimeTold } from './parts.ts';
import type { Period } from './period.ts';
import { textOf } from './reader.ts';
import type { Report } from './report.ts';
import { EVERYTHING, type Source } from './summed.ts';
import { pathGroup, tagTreeGroup } from './tree-grouping.ts';

/** The SQL of a breakdown. */
export function groupingOf(groupBy: GroupBy, { filter }: Pick<Report, 'filter'>, bindings: Bindings): Grouping {
  switch (groupBy.kind) {
    case 'tag':
      return tagGroup(groupBy.key);
    case 'tag_tree':
      return tagTreeGroup(groupBy.key, groupBy.prefix, bindings);
    case 'path':
      return pathGroup(groupBy.prefix, bindings);
    case 'proven':
      return provenGroup(groupBy.name);
    case 'built_in':
      return plainColumn(groupBy.name, groupBy.name);
    case 'cost_state':
      return COST_STATE;
    case 'time':
      return timeGroup(groupBy.interval, filter.period, bindings);
    case 'entity':
      return filter.entityType === undefined ? PRIMARY_ENTITY : entityOfType(filter.entityType);
    default:
      return FIXED_GROUPS[groupBy.kind];
  }
}

function plain(field: string, source: Source): Grouping {
  return { ...PARTITION, source, key: 'g', fields: (id) => ({ value: id ?? UNTAGGED, [field]: id }) };
}

/** A breakdown by a column that every entry has, empty where there is nothing. */
function plainColumn(column: string, field: string, dimension = column): Grouping {
  return plain(field, valueOf(dimension, `nullIf(${column}, '')`));
}

const COST_STATE = plain('cost_state', STATE_BY_NOW);

const PRIMARY_ENTITY: Grouping = {
  ...PARTITION,
  source: valueOf('entity', "if(entity_type = '', NULL, concat(entity_type, '/', entity_id))", [
    { as: 'g_type', entry: 'entity_type', sum: 'detail' },
  ]),
  key: 'g',
  extras: [{ as: 'x_entity_type', aggregate: 'any', of: 'g_type' }],
  fields: (id, row) => {
    if (id === null) return { value: UNTAGGED, entity_type: null, entity_id: UNTAGGED };
    const type = textOf(row, 'x_entity_type');
    return { value: id, entity_type: type, entity_id: id.slice(type.length + 1) };
  },
};

function entityOfType(type: string): Grouping {
  return {
    ...PARTITION,
    source: tagValues(type),
    key: 'g',
    fields: (id) => ({ value: id ?? UNTAGGED, entity_type: id === null ? null : type, entity_id: id ?? UNTAGGED }),
  };
}

const MODEL: Grouping = {
  ...PARTITION,
  source: valueOf('model', "nullIf(model, '')", [{ as: 'g_provider', entry: 'provider', sum: 'detail' }]),
  key: 'g',
  extras: [{ as: 'x_providers', aggregate: 'groupUniqArray', of: 'g_provider' }],
  fields: (id, row) => {
    const providers = row['x_providers'];
    const names = Array.isArray(providers) ? providers.map(String) : [];
    return { value: id ?? UNTAGGED, model: id, provider: names.length > 1 ? '(multiple)' : (names[0] ?? null) };
  },
};

// By id: two keys of one name stay two rows.
const KEY: Grouping = {
  ...PARTITION,
  source: valueOf('key', "nullIf(key_id, '')", [{ as: 'g_name', entry: 'key_name', sum: 'detail' }]),
  key: 'g',
  extras: [{ as: 'x_key_name', aggregate: 'argMax', of: 'g_name, seq' }],
  fields: (id, row) => {
    const name = textOf(row, 'x_key_name');
    return { value: name === '' ? (id ?? UNTAGGED) : name, key_id: id, key_name: name };
  },
};

function tagGroup(key: string): Grouping {
  return {
    ...PARTITION,
    source: tagValues(key),
    key: 'g',
    fields: (id) => ({ value: id ?? UNTAGGED, tag_key: key, tag_value: id }),
  };
}

function timeGroup(interval: Interval, period: Period, bindings: Bindings): Grouping {
  const { timeZone } = period;
  const time = bucketsOf(interval, period);
  return {
    ...PARTITION,
    source: EVERYTHING,
    time,
    key: time.sql(bindings),
    fields: (id) => {
      const bucket = bucketOf(id ?? '', interval, timeZone);
      return { value: bucket.date, date: bucket.date, timestamp: new Date(bucket.startMs).toISOString() };
    },
  };
}

/**
 * The bucket an entry falls in, as `bucketOf` reads it. No time zone divides a quarter of an hour. The engine is told by how much the zone is off,
 * as it knows the rules of zones from another edition than whoever says where the period and its days begin.
 */
export function bucketsOf(interval: Interval, period: Period): Exclude<TimeTold, 'none'> {
  const spans = offsetsIn(period);
  const offset = bySpan(spans, ({ offsetMs }) => offsetMs / 1000);
  const local = `quarter + toIntervalSecond(${offset})`;
  const starts: Readonly<Record<Interval, string>> = {
    hour: hourStart(spans, { local, offset }),
    day: `toDate(${local}, 'UTC')`,
    week: `toStartOfWeek(${local}, 1, 'UTC')`,
    month: `toStartOfMonth(${local}, 'UTC')`,
  };
  return { sql: () => starts[interval], within: unitWithin(interval, spans) };
}

const HOUR_MS = 3_600_000;

/** In seconds since 1970. Where the clock changes in the middle of an hour, another begins there. */
function hourStart(
  spans: readonly OffsetSpan[],
  { local, offset }: { readonly local: string; readonly offset: string },
): string {
  const start = `toInt64(toUnixTimestamp(toStartOfHour(${local}, 'UTC'))) - (${offset})`;
  const isWhole = spans.slice(1).every(({ fromMs, offsetMs }) => (fromMs + offsetMs) % HOUR_MS === 0);
  return isWhole ? start : `greatest(${start}, ${bySpan(spans, ({ fromMs }) => fromMs / 1000)})`;
}

/** A number for each span, by the `quarter` of an entry. */
function bySpan(spans: readonly OffsetSpan[], numberOf: (span: OffsetSpan) => number): string {
  const numbers = spans.map(numberOf);
  const before = spans
    .slice(1)
    .map(({ fromMs }, at) => `quarter < toDateTime(${fromMs / 1000}, 'UTC'), ${numbers[at]}`);
  return before.length === 0 ? `${numbers[0]}` : `multiIf(${before.join(', ')}, ${numbers.at(-1)})`;
}

const LABEL: Grouping = {
  ...PARTITION,
  overlapping: true,
  source: LABEL_SET,
  ...each(LABELS_OF_SET, 'NULL'),
  fields: (id) => ({ value: id ?? UNTAGGED, label: id }),
};

const FIXED_GROUPS = {
  model: MODEL,
  provider: plainColumn('provider', 'provider'),
  status: plainColumn('status', 'status'),
  key: KEY,
  label: LABEL,
} as const;

function provenGroup(name: ProvenName): Grouping {
  const column = PROVEN[name];
  return plainColumn(column, column, column === 'key_id' ? 'key' : column);
}
