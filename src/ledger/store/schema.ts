import type { CostState } from '#terms';
import { NARROW_COLUMNS, NARROW_INDEX } from './narrow-columns.ts';

/**
 * The `entries` table: one row per journal entry, columns named as the entry's fields, plus where the row came from
 * (`node_id`, `seq`). Money is `Nullable(Int128)`: sums cannot wrap (Int64 wraps silently at $9.2 M) and a missing
 * cost stays NULL, never zero. Select money with `toString(…)`: JSON numbers would lose digits.
 */
export const ENTRIES = 'entries';

/** Column name → ClickHouse type, in table order. A test holds this list and the entry's fields together. */
export const ENTRY_COLUMNS = {
  node_id: 'LowCardinality(String)',
  seq: 'UInt64 CODEC(T64)',
  schema: 'UInt16',
  call_id: 'String',
  attempt: 'UInt16',
  effective_at: "DateTime64(3, 'UTC') CODEC(T64)",
  cause: 'LowCardinality(String)',
  operation: 'LowCardinality(String)',
  wire: 'LowCardinality(String)',
  stream: 'UInt8',
  key_id: 'LowCardinality(String)',
  key_name: 'LowCardinality(String)',
  key_team: 'LowCardinality(String)',
  key_owner: 'LowCardinality(String)',
  entity_type: 'LowCardinality(String)',
  entity_id: 'LowCardinality(String)',
  session_id: 'String',
  session_path: 'LowCardinality(String)',
  trace_id: 'String',
  // Values are strings always (see INSERT_SETTINGS in insert.ts); read a key with `tagColumn`. Keys beyond the limit still
  // work, from ClickHouse's shared storage, only slower.
  tags: 'JSON(max_dynamic_paths=256)',
  // Read rarely, so few paths get a file of their own.
  tag_provenance: 'JSON(max_dynamic_paths=16)',
  labels: 'Array(LowCardinality(String))',
  paths: 'Array(LowCardinality(String))',
  tag_conflicts: 'Array(Tuple(key String, value String, source LowCardinality(String)))',
  // The value that was sent where `tags` has `(other)`: read one entry at a time, so a plain map will do.
  tags_overflow: 'Map(LowCardinality(String), String)',
  tags_sent: 'Array(String)',
  request_model: 'LowCardinality(String)',
  route: 'LowCardinality(String)',
  provider: 'LowCardinality(String)',
  price_as: 'LowCardinality(String)',
  region: 'LowCardinality(String)',
  model: 'LowCardinality(String)',
  reserved: 'Nullable(Int128)',
  entry_id: 'String',
  kind: 'LowCardinality(String)',
  counts_call: 'UInt8',
  posted_at: "DateTime64(3, 'UTC') CODEC(T64)",
  status: 'LowCardinality(String)',
  http_status: 'UInt16',
  error_code: 'LowCardinality(String)',
  upstream_id: 'String',
  response_model: 'LowCardinality(String)',
  service_tier: 'LowCardinality(String)',
  geo: 'LowCardinality(String)',
  latency_ms: 'UInt32 CODEC(NONE)',
  first_byte_ms: 'Nullable(UInt32)',
  // A meter that was not reported is absent from the map, which is not the same as zero.
  meters: 'Map(LowCardinality(String), Float64)',
  usage_origin: 'LowCardinality(String)',
  usage_raw: 'String',
  // JSON: what other models consumed inside the answer.
  other_usage: 'String',
  // Signed: a correction of usage may take some away.
  input_tokens: 'Int64 CODEC(T64)',
  output_tokens: 'Int64 CODEC(T64)',
  charges:
    'Array(Tuple(meter LowCardinality(String), quantity String, unit_amount String, unit_per Float64, amount Int128, price_row String))',
  cost: 'Nullable(Int128)',
  list_cost: 'Nullable(Int128)',
  billed: 'Nullable(Int128)',
  computed_cost: 'Nullable(Int128)',
  price_terms: 'Array(LowCardinality(String))',
  cost_state: 'LowCardinality(String)',
  cost_reason: 'LowCardinality(String)',
  unpriced_meters: 'Array(LowCardinality(String))',
  at_risk: 'Nullable(Int128)',
  price_book: 'LowCardinality(String)',
  // Of a correction: the entry it corrects, the state of that entry it puts an end to (`unpriced`, `in_doubt`), and the cost
  // that was counted in that state until then. Zero nearly everywhere, which costs next to nothing to read.
  corrects: 'String',
  resolves: 'LowCardinality(String)',
  moved_cost: 'Int128',
} as const;

export type EntryColumn = keyof typeof ENTRY_COLUMNS;

/** What of an entry's cost is in a state: signed, so that a correction takes from the old state what it adds to the new one. */
function costIn(state: CostState): string {
  return `Int128 MATERIALIZED if(cost_state = '${state}', coalesce(cost, 0) + moved_cost, 0) - if(resolves = '${state}', moved_cost, 0)`;
}

/** The same for the attempt itself: 1 where it is in the state, -1 where a correction ends it. */
function countIn(state: CostState): string {
  return `Int8 MATERIALIZED toInt8(cost_state = '${state}' AND (kind = 'attempt' OR resolves != '')) - toInt8(resolves = '${state}')`;
}

/**
 * Columns the store works out itself on insert; no field of an entry, and not part of `SELECT *`. `tag_keys` has the sorted
 * paths of `tags` (see `tagKeyOfPath`) with spaces between: most entries have one of few sets of keys, so a question about
 * keys reads one small number per entry, where the JSON itself would be read with every value of every tag.
 *
 * All others are zero nearly everywhere, so they are stored sparsely and a sum of them reads next to nothing: every report sums
 * them all (measured on 3 M rows by model: 81 ms, 115 ms with the conditions in the report). `…_extra` is what list cost
 * and billed amount have beyond the cost; entries older than the two amounts have no extra.
 *
 * `quarter` is the time as far as reports need it: no time zone is off by less. It lies in order, so it takes a hundredth of what the
 * instant takes. `label_set` is for labels and paths what `tag_keys` is for keys, see `LABELS_OF_SET`.
 */
export const DERIVED_COLUMNS = {
  tag_keys: "LowCardinality(String) MATERIALIZED arrayStringConcat(arraySort(JSONAllPaths(tags)), ' ')",
  list_extra: 'Int128 MATERIALIZED coalesce(list_cost, cost, 0) - coalesce(cost, 0)',
  billed_extra: 'Int128 MATERIALIZED coalesce(billed, cost, 0) - coalesce(cost, 0)',
  estimated_cost: costIn('estimated'),
  reported_cost: costIn('reported'),
  partial_exact_cost: costIn('partial_exact'),
  risk: 'Int128 MATERIALIZED coalesce(at_risk, 0)',
  unpriced_count: countIn('unpriced'),
  incomplete_count: countIn('incomplete'),
  estimated_count: countIn('estimated'),
  in_doubt_count: countIn('in_doubt'),
  quarter: "DateTime('UTC') MATERIALIZED toStartOfFifteenMinutes(effective_at) CODEC(T64)",
  label_set: 'LowCardinality(String) MATERIALIZED toJSONString([arraySort(labels), arraySort(paths)])',
  posting_count: "UInt8 MATERIALIZED kind != 'attempt'",
  untimed_count: "UInt8 MATERIALIZED kind != 'attempt' OR status = 'interrupted'",
  sandbox_count: "UInt8 MATERIALIZED provider = 'sandbox'",
  sandbox_cost: "Int128 MATERIALIZED if(provider = 'sandbox', coalesce(cost, 0), 0)",
  // One for each entry, so that entries and sums of entries are counted in the same words.
  entry_count: 'UInt8 ALIAS 1',
  ...NARROW_COLUMNS,
} as const;

/** The lists of an entry, from its `label_set`: to be read of sums, not of every entry. */
export const LABELS_OF_SET = labelSetList(1);
export const PATHS_OF_SET = labelSetList(2);

function labelSetList(at: 1 | 2): string {
  return `JSONExtract(toString(label_set), 'Array(Array(String))')[${at}]`;
}

export type DerivedColumn = keyof typeof DERIVED_COLUMNS;

/** A batch is recognised when sent again as long as fewer than this many inserts came between. */
const DEDUPLICATION_WINDOW_INSERTS = 1000;

/**
 * Smaller parts are a few files instead of three hundred. Every row is written into parts of the first two sizes before it lies in a large one, and
 * making the files was a third of all that storing an entry took; reports over that little take longer, by a few milliseconds.
 */
export const MANY_FILES_FROM_BYTES = 128 * 1024 * 1024;

/**
 * Rows lie by hour, so a report over days reads only those; inside the hour by what is filtered on most, so that equal
 * values lie together and compress. `node_id, seq` makes the order total.
 */
export const CREATE_ENTRIES = `CREATE TABLE IF NOT EXISTS ${ENTRIES} (
${Object.entries({ ...ENTRY_COLUMNS, ...DERIVED_COLUMNS })
  .map(([name, type]) => `  ${name} ${type},`)
  .join('\n')}
  INDEX seq_range seq TYPE minmax GRANULARITY 1,
  INDEX call_id_range call_id TYPE minmax GRANULARITY 1,
  INDEX upstream_id_bloom upstream_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX session_id_bloom session_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX quarter_range quarter TYPE minmax GRANULARITY 1,
  INDEX node_range node_id TYPE minmax GRANULARITY 1,
  INDEX ${NARROW_INDEX}
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(effective_at)
ORDER BY (toStartOfHour(effective_at), provider, model, key_id, node_id, seq)
SETTINGS non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW_INSERTS}, fsync_after_insert = 1, fsync_part_directory = 1,
  min_bytes_for_wide_part = ${MANY_FILES_FROM_BYTES}`;
