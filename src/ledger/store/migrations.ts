import { ApportionError } from '#terms';
import { quote } from './bind.ts';
import { NARROW_INDEX } from './narrow-columns.ts';
import {
  CREATE_ENTRIES,
  DERIVED_COLUMNS,
  ENTRIES,
  ENTRY_COLUMNS,
  MANY_FILES_FROM_BYTES,
  type DerivedColumn,
  type EntryColumn,
} from './schema.ts';

type Migration = { readonly version: number; readonly what: string; readonly statements: readonly string[] };

/**
 * Every change of the store's tables, oldest first. Statements must stand being run twice (`IF NOT EXISTS`): a crash may
 * come between a statement and the row that says it ran.
 */
const MIGRATIONS: readonly Migration[] = [
  { version: 1, what: 'the entries table', statements: [CREATE_ENTRIES] },
  {
    version: 2,
    what: 'step and trace of a call, and values beyond the cap of a key',
    statements: [
      addColumn('session_path', 'session_id'),
      addColumn('trace_id', 'session_path'),
      addColumn('tags_overflow', 'tag_conflicts'),
    ],
  },
  {
    version: 3,
    what: 'the keys of the tags of an entry in a column of their own',
    statements: [addDerived('tag_keys', 'price_book')],
  },
  {
    version: 4,
    what: 'attempts, list cost and billed amount beside the cost, corrections',
    statements: [
      addColumn('cause', 'effective_at'),
      addColumn('wire', 'operation'),
      addColumn('route', 'request_model'),
      addColumn('price_as', 'provider'),
      addColumn('region', 'price_as'),
      addColumn('geo', 'service_tier'),
      addColumn('other_usage', 'usage_raw'),
      addColumn('list_cost', 'cost'),
      addColumn('billed', 'list_cost'),
      addColumn('computed_cost', 'billed'),
      addColumn('price_terms', 'computed_cost'),
      addColumn('corrects', 'price_book'),
      addColumn('resolves', 'corrects'),
      addColumn('moved_cost', 'resolves'),
      addDerived('list_extra', 'tag_keys'),
      addDerived('billed_extra', 'list_extra'),
      addDerived('estimated_cost', 'billed_extra'),
      addDerived('reported_cost', 'estimated_cost'),
      addDerived('partial_exact_cost', 'reported_cost'),
      addDerived('risk', 'partial_exact_cost'),
      addDerived('unpriced_count', 'risk'),
      addDerived('incomplete_count', 'unpriced_count'),
      addDerived('estimated_count', 'incomplete_count'),
      addDerived('in_doubt_count', 'estimated_count'),
      setType('input_tokens'),
      setType('output_tokens'),
    ],
  },
  {
    version: 6,
    what: 'time by the quarter of an hour, the set of labels and paths, and what only some entries count as, for reports to read less',
    statements: [
      addDerived('quarter', 'in_doubt_count'),
      addDerived('label_set', 'quarter'),
      addDerived('posting_count', 'label_set'),
      addDerived('untimed_count', 'posting_count'),
      addDerived('sandbox_count', 'untimed_count'),
      addDerived('sandbox_cost', 'sandbox_count'),
      `ALTER TABLE ${ENTRIES} ADD INDEX IF NOT EXISTS quarter_range quarter TYPE minmax GRANULARITY 1`,
      fillDerived(
        ['quarter', 'label_set', 'posting_count', 'untimed_count', 'sandbox_count', 'sandbox_cost'],
        'quarter_range',
      ),
    ],
  },
  {
    version: 7,
    what: 'the number of an entry, one, as a column; the index over nodes',
    statements: [
      addDerived('entry_count', 'sandbox_cost'),
      `ALTER TABLE ${ENTRIES} ADD INDEX IF NOT EXISTS node_range node_id TYPE minmax GRANULARITY 1`,
      `ALTER TABLE ${ENTRIES} MATERIALIZE INDEX node_range SETTINGS mutations_sync=0`,
    ],
  },
  {
    version: 8,
    what: 'few files for new rows',
    statements: [`ALTER TABLE ${ENTRIES} MODIFY SETTING min_bytes_for_wide_part = ${MANY_FILES_FROM_BYTES}`],
  },
  {
    version: 9,
    what: 'what reports sum, in few bytes',
    statements: [
      [
        addDerived('traits', 'entry_count'),
        ...(
          [
            ['narrow_cost', 'traits'],
            ['narrow_billed', 'narrow_cost'],
            ['narrow_aside', 'narrow_billed'],
            ['narrow_input', 'narrow_aside'],
            ['narrow_output', 'narrow_input'],
            ['narrow_seq', 'narrow_output'],
          ] as const
        ).map(([name, after]) => addedDerived(name, after)),
        `ADD INDEX IF NOT EXISTS ${NARROW_INDEX}`,
        // Files that are there stay as they are until they are merged.
        ...(['seq', 'effective_at', 'posted_at', 'latency_ms', 'input_tokens', 'output_tokens'] as const).map(
          (name) => `MODIFY COLUMN ${name} ${ENTRY_COLUMNS[name]}`,
        ),
      ].join(', '),
      fillDerived(
        ['traits', 'narrow_cost', 'narrow_billed', 'narrow_aside', 'narrow_input', 'narrow_output', 'narrow_seq'],
        'traits_range',
      ),
    ],
  },
  {
    version: 10,
    what: 'what reports read of every entry, as it is read soonest',
    // Files that are there stay as they are until they are merged.
    statements: [
      `ALTER TABLE ${ENTRIES} ${[
        ...(['narrow_billed', 'narrow_input', 'narrow_output', 'narrow_seq', 'quarter'] as const).map(
          (name) => `MODIFY COLUMN ${name} ${DERIVED_COLUMNS[name]}`,
        ),
        `MODIFY COLUMN latency_ms ${ENTRY_COLUMNS.latency_ms}`,
      ].join(', ')}`,
    ],
  },
];

/** A table made by this build has every column from the start; one made before gets it here, empty in the rows it has. */
function addColumn(name: EntryColumn, after: EntryColumn): string {
  return `ALTER TABLE ${ENTRIES} ADD COLUMN IF NOT EXISTS ${name} ${ENTRY_COLUMNS[name]} AFTER ${after}`;
}

function addDerived(name: DerivedColumn, after: EntryColumn | DerivedColumn): string {
  return `ALTER TABLE ${ENTRIES} ${addedDerived(name, after)}`;
}

function addedDerived(name: DerivedColumn, after: EntryColumn | DerivedColumn): string {
  return `ADD COLUMN IF NOT EXISTS ${name} ${DERIVED_COLUMNS[name]} AFTER ${after}`;
}

/**
 * Writes the columns into the files of rows that were there before. It goes on behind the start of the server, which does not wait: until
 * then the columns are worked out when they are read.
 */
function fillDerived(names: readonly DerivedColumn[], index: string): string {
  const commands = names.map((name) => `MATERIALIZE COLUMN ${name}`);
  return `ALTER TABLE ${ENTRIES} ${[...commands, `MATERIALIZE INDEX ${index}`].join(', ')} SETTINGS mutations_sync=0`;
}

/** Rewrites the column where its type differs, and does nothing where it does not. */
function setType(name: EntryColumn): string {
  return `ALTER TABLE ${ENTRIES} MODIFY COLUMN ${name} ${ENTRY_COLUMNS[name]} SETTINGS mutations_sync=2`;
}

const CREATE_VERSIONS = `CREATE TABLE IF NOT EXISTS schema_versions (version UInt32, what String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`;

/** The tables as a store made by this build has them from the start. */
export const NEW_TABLES: readonly string[] = [
  CREATE_VERSIONS,
  ...MIGRATIONS.flatMap(({ statements }) => statements.filter((statement) => statement.startsWith('CREATE TABLE'))),
];

export type MigrationDeps = {
  readonly run: (sql: string) => Promise<void>;
  readonly read: <T>(sql: string) => Promise<T[]>;
};

/**
 * Brings the tables to this build's version. A store written by a newer build is refused, not guessed at. Where there is nothing, the tables are
 * made as they are now: fifty alterations of an empty one take the engine two seconds.
 */
export async function migrate({ run, read }: MigrationDeps): Promise<void> {
  await run(CREATE_VERSIONS);
  const rows = await read<{ version: number }>('SELECT DISTINCT version FROM schema_versions');
  const done = new Set(rows.map(({ version }) => version));
  const present = Math.max(0, ...done);
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  if (present > newest) {
    throw new ApportionError(
      'ledger_unavailable',
      `The store has schema version ${present}, this build knows ${newest}.`,
      {
        hint: 'Start the newer build again, or remove the store: it is rebuilt from the journal.',
      },
    );
  }
  // A table without a version: a crash came between the two, and it may be of an earlier build.
  if (present === 0 && (await read(ENTRIES_TABLE)).length === 0) {
    for (const table of NEW_TABLES) await run(table);
    await run(recordOf(MIGRATIONS));
    return;
  }
  for (const migration of MIGRATIONS) {
    if (done.has(migration.version)) continue;
    for (const statement of migration.statements) await run(statement);
    await run(recordOf([migration]));
  }
}

const ENTRIES_TABLE = `SELECT name FROM system.tables WHERE database = currentDatabase() AND name = '${ENTRIES}'`;

function recordOf(migrations: readonly Migration[]): string {
  const rows = migrations.map(({ version, what }) => `(${version}, ${quote(what)})`);
  return `INSERT INTO schema_versions (version, what) VALUES ${rows.join(', ')}`;
}
