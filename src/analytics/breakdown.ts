import { LABELS_OF_SET } from '#ledger/store';
import { UNTAGGED } from '#tags';
import { bucketOf, unitWithin, type Interval } from './calendar.ts';
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

/** The bucket an entry falls in, as `bucketOf` reads it. No time zone divides a quarter of an hour. */
export function bucketsOf(interval: Interval, period: Period): Exclude<TimeTold, 'none'> {
  const sql = ({ bind }: Bindings): string => {
    const zone = bind('String', period.timeZone);
    const keys: Readonly<Record<Interval, string>> = {
      hour: `toUnixTimestamp(toStartOfHour(quarter, ${zone}))`,
      day: `toDate(quarter, ${zone})`,
      week: `toStartOfWeek(quarter, 1, ${zone})`,
      month: `toStartOfMonth(quarter, ${zone})`,
    };
    return keys[interval];
  };
  return { sql, within: unitWithin(interval, period) };
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
