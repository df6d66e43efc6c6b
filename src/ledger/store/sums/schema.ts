/** Sums of entries that lie close together in the journal, by one dimension and a quarter of an hour each. */
export const SUMS = 'sums';

/** Which sums count: those of a run that stands here. */
export const SUM_RUNS = 'sum_runs';

/** Columns of the entries that are summed up, under the same names. Money is 128 bits wide, as there. */
export const SUMMED_MONEY = [
  'cost',
  'list_extra',
  'billed_extra',
  'estimated_cost',
  'reported_cost',
  'partial_exact_cost',
  'risk',
  'sandbox_cost',
] as const;

export const SUMMED_COUNTS = [
  'entry_count',
  'counts_call',
  'posting_count',
  'untimed_count',
  'input_tokens',
  'output_tokens',
  'latency_ms',
  'unpriced_count',
  'incomplete_count',
  'estimated_count',
  'in_doubt_count',
  'sandbox_count',
] as const;

export const SUMMED = [...SUMMED_MONEY, ...SUMMED_COUNTS] as const;

export type SummedName = (typeof SUMMED)[number];

/** The rest of a row. The sums have the instants of the first and the last entry in them, and when the last one ended. */
const PLACE = {
  run: 'UInt64',
  dimension: 'LowCardinality(String)',
  quarter: "DateTime('UTC')",
  value: 'Nullable(String)',
  detail: 'LowCardinality(String)',
  last_seq: 'UInt64',
  first_at: "DateTime64(3, 'UTC')",
  last_at: "DateTime64(3, 'UTC')",
  end_at: "DateTime64(3, 'UTC')",
} as const;

/** Nobody may read a value in a file that was put aside for longer than a second: it may have been erased. */
export const CREATE_SUMS = `CREATE TABLE IF NOT EXISTS ${SUMS} (
${Object.entries(PLACE)
  .map(([name, type]) => `  ${name} ${type},`)
  .join('\n')}
${SUMMED_MONEY.map((name) => `  ${name} Int128,`).join('\n')}
${SUMMED_COUNTS.map((name) => `  ${name} Int64,`).join('\n')}
  INDEX run_range run TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(quarter)
ORDER BY (dimension, quarter, run)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, old_parts_lifetime = 1`;

export const CREATE_SUM_RUNS = `CREATE TABLE IF NOT EXISTS ${SUM_RUNS} (
  run UInt64,
  node_id LowCardinality(String),
  first UInt64,
  through UInt64,
  dimensions Array(String),
  entries UInt64
)
ENGINE = MergeTree
ORDER BY (node_id, first)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;
