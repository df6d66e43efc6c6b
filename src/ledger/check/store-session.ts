import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Session } from 'chdb';
import { ApportionError } from '#terms';
import { bind, type Params } from '../store/bind.ts';
import type { Connection } from '../store/connection.ts';
import { parseRows } from '../store/json-rows.ts';
import { httpConnection, type ClickHouseServer } from '../store/clickhouse-server.ts';
import { engineErrorName } from '../store/rejection.ts';
import { readCellSets } from '../store/sums/cells.ts';
import { Coverage, readCoverage } from '../store/sums/coverage.ts';
import { SUM_RUNS } from '../store/sums/schema.ts';
import { DERIVED_COLUMNS, ENTRIES, ENTRY_COLUMNS } from '../store/schema.ts';

/** A store that is only read: the server is stopped, and nothing in it changes. */
export type StoreSession = {
  /** Rows of a SELECT, its values bound as `Store.query` binds them. */
  query<T>(sql: string, params?: Params): Promise<T[]>;
  /** What is summed up of its entries, and where; reports of it use that as the server's do. */
  readonly summed: Coverage;
  close(): Promise<void>;
};

const MEMORY_BYTES = 1024 * 1024 * 1024;

// `readonly` would refuse other settings after it, so it comes with every statement.
const SETTINGS = `readonly=1, max_memory_usage=${MEMORY_BYTES}, output_format_json_quote_64bit_integers=0`;

/**
 * Opens the store of a stopped server; null when there is none. Unlike the server it neither migrates the tables, nor sets a broken
 * store aside. Whoever calls it holds the locks of the data directory. Throws `ledger_unavailable` when it cannot be read.
 */
export async function openStoreSession(storeDir: string): Promise<StoreSession | null> {
  const path = join(storeDir, 'chdb');
  if (!existsSync(path)) return null;
  const session = openEngine(path);
  return await checkedSession({
    rows: async (sql) => parseRows((await session.queryAsync(sql, { format: 'JSONEachRow' })).text()),
    close: () => {
      session.close();
      return Promise.resolve();
    },
  });
}

/** Opens the store on a ClickHouse server. Throws `ledger_unavailable` as well. */
export async function openServerSession(server: ClickHouseServer): Promise<StoreSession> {
  return await checkedSession(httpConnection(server));
}

async function checkedSession(engine: Pick<Connection, 'rows' | 'close'>): Promise<StoreSession> {
  const query = <T>(sql: string, params: Params = {}): Promise<T[]> =>
    engine.rows<T>(`${bind(sql, params)}\nSETTINGS ${SETTINGS}`);
  try {
    const rows = await query<{ name: string }>(
      'SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
      { table: ENTRIES },
    );
    refuseOther(new Set(rows.map(({ name }) => name)));
    return { query, summed: await coverageIn(query), close: () => engine.close() };
  } catch (error) {
    await engine.close();
    throw unreadable(error);
  }
}

async function coverageIn(query: StoreSession['query']): Promise<Coverage> {
  const tables = await query(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    {
      table: SUM_RUNS,
    },
  );
  if (tables.length === 0) return new Coverage();
  const sets = await readCellSets(query);
  const { coverage } = await readCoverage(
    query,
    sets.map(({ table }) => table),
  );
  return coverage;
}

function openEngine(path: string): Session {
  try {
    return new Session(path);
  } catch (error) {
    throw unreadable(error);
  }
}

function refuseOther(columns: ReadonlySet<string>): void {
  const missing = Object.keys({ ...ENTRY_COLUMNS, ...DERIVED_COLUMNS }).filter((name) => !columns.has(name));
  if (missing.length === 0) return;
  const what = columns.size === 0 ? 'The store has no entries table.' : 'The store is of an older version.';
  throw new ApportionError('ledger_unavailable', what, {
    hint: 'Start the server once: it brings its tables up to date.',
  });
}

function unreadable(error: unknown): ApportionError {
  if (error instanceof ApportionError) return error;
  const name = engineErrorName(error);
  return new ApportionError('ledger_unavailable', `The store cannot be read${name === '' ? '' : ` (${name})`}.`, {
    hint: 'The next start sets it aside and rebuilds it from the journal.',
    cause: error,
  });
}
