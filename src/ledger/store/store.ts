import { randomBytes } from 'node:crypto';
import type { Clock, TimestampMs } from '#std';
import { ApportionError, picoUsd, type PicoUsd } from '#terms';
import { bind, type Params } from './bind.ts';
import { COMPARED } from './cluster.ts';
import { enginePath, openEngine, setAside, type Connection, type Engine, type StoreLocation } from './connection.ts';
import { retireDetail, retireNamesInSums } from './detail.ts';
import { suspectsDamage, watchForDamage } from './damage.ts';
import { identityRows, type IdentityStore } from './identity-rows.ts';
import { insertionOf, type Batch } from './insert.ts';
import type { Log } from './log.ts';
import { migrate } from './migrations.ts';
import { OwnColumns } from './own-columns.ts';
import type { AsOf } from './shipper.ts';
import { PresentNodes } from './present-nodes.ts';
import type { Unit } from './sums/cells.ts';
import { Summing, type Cells, type Summed } from './sums/summing.ts';
import { Upkeep } from './upkeep.ts';
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
  /** Deletes a node's rows beyond `after`, so that they can be sent anew under another generation. */
  forget(nodeId: string, after: number): Promise<void>;
  /** Tells that everything of the node up to `seq` is in the store. What keeps reports quick is done from here, behind the caller. */
  reached(nodeId: string, seq: number): void;
  /** Resolves when what `reached` began is done. */
  kept(): Promise<void>;
  /** Gives columns to tags that many entries carry, as `reached` does now and then. */
  tune(): Promise<void>;
  /** Where sums of entries by a dimension are, and which entries are in none; null where it has no sums. */
  sums(dimension: string, asOf: AsOf): Summed | null;
  /** Where entries are that are summed up by all that `sql`, conditions and columns, is about. Null where they are not, or not yet. */
  cells(sql: string, per: Unit, asOf: AsOf): Cells | null;
  /** True as long as no node but this one has entries in the store. A server may serve others at any time. */
  isAlone(nodeId: string): boolean;
  /** Whether a report has met an entry that is `WIDE`: until then reports do not look for any. */
  readonly wide: { met: boolean };
  /** Empties what no sum reads of entries before an instant. How many entries had any of it; when `signal` ends it, the engine goes on by itself. */
  retireDetail(before: TimestampMs, signal: AbortSignal): Promise<{ readonly entries: number }>;
  /** For erasures. */
  readonly identity: IdentityStore;
  close(): Promise<void>;
};

export type StoreDeps = {
  readonly log: Log;
  readonly clock: Clock;
  /** Reports that run at the same time. Each holds a libuv thread; one more is the writer's, one is left for files. */
  readonly readers?: number;
  readonly reportMemoryBytes?: number;
  /**
   * The files are damaged, and set aside now: the process has to end at once. The store is empty at the next start, and is rebuilt from
   * the journal. Without it, or with a server's store, errors are only told.
   */
  readonly onDamage?: () => void;
  /** Entries that are summed up together at least. */
  readonly sumEntries?: number;
};

const READERS = 2;
const REPORT_MEMORY_BYTES = 400 * 1024 * 1024;
const SUM_ENTRIES = 200_000;

export async function openStore(location: StoreLocation, deps: StoreDeps): Promise<Store> {
  try {
    return await openTables(location, deps);
  } catch (error) {
    if (!('path' in location) || !suspectsDamage(error)) throw error;
    const aside = setAside(enginePath(location.path), deps.clock);
    deps.log.error({ aside, err: error }, 'the store is damaged; it is set aside and rebuilt from the journal');
    return openTables(location, deps);
  }
}

async function openTables(location: StoreLocation, deps: StoreDeps): Promise<Store> {
  const engine = watchFiles(await openEngine(location, deps), location, deps);
  const writer = engine.connect();
  const connection = engine.connect();
  const columns = new OwnColumns(connection);
  const { log, clock } = deps;
  const runEntries = deps.sumEntries ?? SUM_ENTRIES;
  const summing = new Summing({ connection, log, clock, columns, runEntries, onAsked: () => upkeep.wake() });
  const upkeep = new Upkeep({ columns, summing, log });
  const readers = new Readers({
    readers: Array.from({ length: deps.readers ?? READERS }, () => engine.connect()),
    control: engine.connect(),
    maxMemoryBytes: deps.reportMemoryBytes ?? REPORT_MEMORY_BYTES,
    clock,
  });
  // A server of its own has no need of sums, and may serve several nodes, which would have to agree on them.
  const isEmbedded = 'path' in location;
  const nodes = new PresentNodes({ isShared: !isEmbedded });
  const close = async (): Promise<void> => {
    await readers.close();
    await upkeep.close();
    await connection.close();
    await writer.close();
    await engine.close();
  };
  try {
    await engine.prepare(async () => {
      await migrate({ run: (sql) => writer.run(sql), read: (sql) => writer.rows(sql) });
      await columns.load();
      if (isEmbedded) await summing.load();
      await nodes.load(writer);
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...writes(writer, nodes),
    ...comparisons(writer),
    query: queries(readers, columns),
    ...keeping(upkeep, location),
    sums: (dimension, asOf) => summing.of(dimension, asOf),
    cells: (sql, per, asOf) => summing.cells(sql, per, asOf),
    wide: { met: false },
    forget: (nodeId, after) =>
      upkeep.pausedFor(async () => {
        if (isEmbedded) await summing.forget(nodeId).catch(failUnavailable);
        await forget(writer, { nodeId, after });
      }),
    retireDetail: (before, signal) =>
      upkeep.pausedFor(async () => {
        if (isEmbedded) await retireNamesInSums(connection, before, signal).catch(failUnavailable);
        return await retireDetail(connection, before, signal).catch(failUnavailable);
      }),
    identity: isEmbedded
      ? erasing(identityRows(writer, ''), { upkeep, summing })
      : // Several nodes may erase on one server.
        identityRows(writer, `_${randomBytes(6).toString('hex')}`),
    close,
  };
}

function watchFiles(engine: Engine, location: StoreLocation, { log, clock, onDamage }: StoreDeps): Engine {
  if (onDamage === undefined || !('path' in location)) return engine;
  return watchForDamage(engine, {
    log,
    clock,
    found: (damage) => {
      const aside = setAside(enginePath(location.path), clock);
      log.error({ ...damage, aside }, 'the store is damaged; it is set aside and rebuilt from the journal');
      onDamage();
    },
  });
}

function writes(writer: Connection, nodes: PresentNodes): Pick<Store, 'insert' | 'isAlone'> {
  return {
    isAlone: (nodeId) => nodes.isAlone(nodeId),
    async insert(batch) {
      nodes.add(batch.nodeId);
      try {
        await writer.insert(insertionOf(batch));
      } catch (error) {
        if (blamesRows(error)) throw new BatchRejected(error.message, { cause: error });
        throw unavailable(error);
      }
    },
  };
}

/** A server keeps itself. */
function keeping(upkeep: Upkeep, location: StoreLocation): Pick<Store, 'reached' | 'kept' | 'tune'> {
  return {
    reached(nodeId, seq) {
      if ('path' in location) upkeep.reached(nodeId, seq);
    },
    kept: () => upkeep.idle(),
    tune: () => upkeep.tune(),
  };
}

async function forget(writer: Connection, rows: { readonly nodeId: string; readonly after: number }): Promise<void> {
  const sql = bind(
    `ALTER TABLE ${ENTRIES} DELETE WHERE node_id = {node:String} AND seq > {after:UInt64} SETTINGS mutations_sync=2`,
    { node: rows.nodeId, after: rows.after },
  );
  await writer.run(sql).catch(failUnavailable);
}

function failUnavailable(error: unknown): never {
  throw unavailable(error);
}

/** Sums of rows that get other values are reckoned up again, from the first such row on. */
function erasing(rows: IdentityStore, { upkeep, summing }: { upkeep: Upkeep; summing: Summing }): IdentityStore {
  return {
    ...rows,
    rewrite: (nodeId, changed) =>
      upkeep.pausedFor(async () => {
        if (changed.length > 0) await summing.forget(nodeId, Math.min(...changed.map(({ seq }) => seq)));
        await rows.rewrite(nodeId, changed);
      }),
  };
}

/** Asked over the writer's line, so that shipping never waits for a reader that a report holds. */
function comparisons(writer: Connection): Pick<Store, 'totals' | 'ranges'> {
  const row = async <T>(sql: string, params: Params): Promise<T> => {
    const [first] = await writer.rows<T>(bind(sql, params)).catch(failUnavailable);
    if (first === undefined) throw new ApportionError('ledger_unavailable', 'The store gave no answer to a count.');
    return first;
  };
  return {
    async totals(nodeId, { first, last }) {
      const { entries, cost } = await row<{ entries: string; cost: string }>(
        `${COMPARED} SELECT toString(count()) AS entries, ifNull(toString(sum(cost)), '0') AS cost FROM ${ENTRIES}
WHERE node_id = {node:String} AND seq BETWEEN {first:UInt64} AND {last:UInt64}`,
        { node: nodeId, first, last },
      );
      return { entries: Number(entries), cost: picoUsd(BigInt(cost)) };
    },
    async ranges(nodeId) {
      const { count, last } = await row<{ count: string; last: string }>(
        `${COMPARED} SELECT toString(count()) AS count, toString(max(seq)) AS last FROM ${ENTRIES} WHERE node_id = {node:String}`,
        { node: nodeId },
      );
      return { count: Number(count), lastSeq: Number(last) };
    },
  };
}

function queries(readers: Readers, columns: OwnColumns): Store['query'] {
  return async (sql, params = {}, options = {}) => {
    try {
      return await readers.query(bind(columns.narrow(sql), params), options);
    } catch (error) {
      if (options.signal?.aborted === true) throw error;
      throw unavailable(error);
    }
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
