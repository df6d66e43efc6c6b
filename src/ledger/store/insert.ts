import { invariant } from '#std';
import { quote } from './bind.ts';
import { ENTRIES, ENTRY_COLUMNS } from './schema.ts';

/** A JSON object each. A row may be good only until the next one is asked for. */
export type Rows = Iterable<Buffer> & { readonly length: number };

/** Consecutive entries of one node, sent as one insert. */
export type Batch = {
  readonly nodeId: string;
  readonly first: number;
  readonly last: number;
  /** Rises when the node's rows were deleted and are sent anew: the store still remembers the old tokens. */
  readonly generation: number;
  /** With `node_id` and `seq`. */
  readonly lines: Rows;
};

/** The name a batch is recognised by when it is sent twice. Same range and generation, same token. */
export function batchToken({ nodeId, first, last, generation }: Omit<Batch, 'lines'>): string {
  return `${nodeId}:${first}-${last}${generation === 0 ? '' : `:${generation}`}`;
}

/**
 * In the SQL text, never as client settings: those stick to a chDB connection and would silently drop a later insert.
 */
const SETTINGS = {
  json_type_escape_dots_in_keys: '1',
  input_format_skip_unknown_fields: '1',
  date_time_input_format: "'best_effort'",
  // Without these a tag value that looks like a date is stored as one, and its `.:String` reads NULL.
  input_format_try_infer_dates: '0',
  input_format_try_infer_datetimes: '0',
  input_format_json_throw_on_bad_escape_sequence: '0',
  // One block per batch: a rejected batch leaves nothing behind, and a repeated one is cut the same way.
  input_format_parallel_parsing: '0',
  max_insert_threads: '1',
  // A server would else gather inserts for a while and answer for all of them.
  async_insert: '0',
  // Late ingest may touch any number of months.
  max_partitions_per_insert_block: '0',
} as const;

export const INSERT_SETTINGS = Object.entries(SETTINGS)
  .map(([name, value]) => `${name}=${value}`)
  .join(', ');

/** Rows on their way into a table. How they get there is the connection's matter. */
export type Insertion = {
  readonly table: string;
  /** What a row may have, by name, with types. */
  readonly columns: Readonly<Record<string, string>>;
  readonly settings: string;
  readonly rows: Rows;
};

export function insertionOf(batch: Batch): Insertion {
  const { first, last, lines } = batch;
  invariant(lines.length === last - first + 1, `a batch ${first}-${last} has ${lines.length} lines`);
  const settings = `insert_deduplication_token=${quote(batchToken(batch))}, ${INSERT_SETTINGS}`;
  return { table: ENTRIES, columns: ENTRY_COLUMNS, settings, rows: lines };
}

/** With the rows behind it in the same text, as a server takes them. */
export function insertText({ table, settings, rows }: Insertion): string {
  return `INSERT INTO ${table} SETTINGS ${settings} FORMAT JSONEachRow\n${Array.from(rows, (row) => `${row.toString()}\n`).join('')}`;
}

/**
 * With the rows in a file that the engine reads. Values become numbers of a dictionary column by column, behind the reading: one by one, as they
 * are read, takes another 4 µs an entry.
 */
export function insertFromFile({ table, columns, settings }: Insertion, path: string): string {
  const structure = Object.entries(columns)
    .map(([name, type]) => `${name} ${type.replaceAll('LowCardinality(String)', 'String')}`)
    .join(', ');
  return `INSERT INTO ${table} (${Object.keys(columns).join(', ')})
SELECT * FROM file(${quote(path)}, JSONEachRow, ${quote(structure)}) SETTINGS ${READ_METHOD}, max_threads=1, ${settings}`;
}

/** Not mapped into memory: a mapping of a file that is emptied ends the process. */
const READ_METHOD = "storage_file_read_method='pread'";
