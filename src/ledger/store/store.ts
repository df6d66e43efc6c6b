import type { Clock } from '#std';
import { ApportionError, picoUsd, type PicoUsd } from '#terms';
import { bind, type Params } from './bind.ts';
import { openEngine, type StoreLocation } from './connection.ts';
import { insertStatement, type Batch } from './insert.ts';
import type { Log } from './log.ts';
import { migrate } from './migrations.ts';
import { Readers, type ReadOptions } from './readers.ts';
import { BatchRejected, blamesRows, engineErrorName } from './rejection.ts';
import { ENTRIES } from './schema.ts';

/** Count and sum of a run of entries, by which the store and the journal are compared. */
export type Totals = { readonly entries: number; readonly cost: PicoUsd };

export type SeqRange = { readonly first: number; readonly last: number };

export type Store = {
  /** Resolves when the rows are on disk. Rejects with `BatchRejected` when the rows are at fault; else try again. */
  insert(batch: Batch): Promise<void>;
  /**
   * Rows of a SELECT without SETTINGS or FORMAT clause. `{name:Type}` in the text takes its value from `params`. Integers of 64
   * bits and more come as JSON numbers: select money with `toString`. An aborted query is killed in the engine.
   */
  query<T>(sql: string, params?: Params, options?: ReadOptions): Promise<T[]>;
  totals(nodeId: string, range: SeqRange): Promise<Totals>;
  /** How much the store has of a node: rows and the highest sequence number (0 for none). */
  ranges(nodeId: string): Promise<{ count: number; lastSeq: number }>;
  /** Deletes a node's rows, so that they can be sent anew under another generation. */
  forget(nodeId: string): Promise<void>;
  close(): Promise<void>;
};

export type StoreDeps = {
  readonly log: Log;
  readonly clock: Clock;
  /** Reports that run at the same time. Each holds a libuv thread; one more is the writer's, one is left for files. */
  readonly readers?: number;
  readonly reportMemoryBytes?: number;
};

const READERS = 2;
const REPORT_MEMORY_BYTES = 400 * 1024 * 1024;

export async function openStore(location: StoreLocation, deps: StoreDeps): Promise<Store> {
  const engine = await openEngine(location, deps);
  const writer = engine.connect();
  const readers = new Readers({
    readers: Array.from({ length: deps.readers ?? READERS }, () => engine.connect()),
    control: engine.connect(),
    maxMemoryBytes: deps.reportMemoryBytes ?? REPORT_MEMORY_BYTES,
  });
  const close = async (): Promise<void> => {
    await readers.close();
    await writer.close();
    await engine.close();
  };
  try {
    await migrate({ run: (sql) => writer.run(sql), read: (sql) => writer.rows(sql) });
  } catch (error) {
    await close();
    throw error;
  }
  return { ...writes(writer), ...reads(readers), close };
}

function writes(writer: { run(sql: string): Promise<void> }): Pick<Store, 'insert' | 'forget'> {
  return {
    async insert(batch) {
      try {
        await writer.run(insertStatement(batch));
      } catch (error) {
        if (blamesRows(error)) throw new BatchRejected(error.message, { cause: error });
        throw unavailable(error);
      }
    },
    async forget(nodeId) {
      const sql = bind(`ALTER TABLE ${ENTRIES} DELETE WHERE node_id = {node:String} SETTINGS mutations_sync=2`, {
        node: nodeId,
      });
      await writer.run(sql).catch((error: unknown) => {
        throw unavailable(error);
      });
    },
  };
}

function reads(readers: Readers): Pick<Store, 'query' | 'totals' | 'ranges'> {
  const query: Store['query'] = async (sql, params = {}, options = {}) => {
    try {
      return await readers.query(bind(sql, params), options);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      throw unavailable(error);
    }
  };
  return {
    query,
    async totals(nodeId, { first, last }) {
      const [row] = await query<{ entries: number; cost: string }>(
        `SELECT count() AS entries, ifNull(toString(sum(cost)), '0') AS cost FROM ${ENTRIES}
WHERE node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {last:UInt64}`,
        { node: nodeId, first, last },
      );
      if (row === undefined) throw new ApportionError('ledger_unavailable', 'The store gave no answer to a count.');
      return { entries: row.entries, cost: picoUsd(BigInt(row.cost)) };
    },
    async ranges(nodeId) {
      const [row] = await query<{ count: number; lastSeq: number }>(
        `SELECT count() AS count, max(seq) AS lastSeq FROM ${ENTRIES} WHERE node_id = {node:String}`,
        { node: nodeId },
      );
      return row ?? { count: 0, lastSeq: 0 };
    },
  };
}

/** What a caller may see of an engine's failure: its name, never its text, which quotes the query. */
function unavailable(error: unknown): ApportionError {
  if (error instanceof ApportionError) return error;
  const name = engineErrorName(error);
  const hint = HINTS[name];
  return new ApportionError('ledger_unavailable', `The store could not answer${name === '' ? '' : ` (${name})`}.`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

const HINTS: Readonly<Record<string, string>> = {
  TIMEOUT_EXCEEDED: 'Ask for a shorter period or fewer groups.',
  MEMORY_LIMIT_EXCEEDED: 'Ask for a shorter period or fewer groups.',
};
