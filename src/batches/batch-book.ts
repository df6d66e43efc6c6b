import type { Journal } from '#ledger';
import type { Prices } from '#pricing';
import type { Clock } from '#std';
import type { Quirks } from '#wires';
import type { BatchFolder } from './batch-folder.ts';
import type { BatchRecord, LineRow } from './batch-record.ts';
import { readStatuses, type BatchStatus } from './batch-status.ts';
import { lineEntry } from './line-entry.ts';
import { LineSplitter } from './line-splitter.ts';
import { recordedCalls, timeOf } from './recorded-lines.ts';
import { lineCallId, readResult } from './result-line.ts';

export type BatchBookDeps = {
  readonly folder: BatchFolder;
  readonly journal: Pick<Journal, 'settle' | 'durable'>;
  readonly journalDir: string;
  readonly prices: () => Prices;
  readonly quirks: (provider: string) => Quirks;
  readonly clock: Clock;
};

/** A batch whose results are not all in. */
export type OpenBatch = {
  readonly record: BatchRecord;
  /** As the provider last said; null before it said anything. */
  status: BatchStatus | null;
};

/** Takes a results file as it passes. */
export type ResultsReader = {
  /** Lines whose entries are not durable yet. */
  readonly waiting: number;
  push(chunk: Buffer): void;
  /** Resolves when no more than so many lines wait. */
  drained(to: number): Promise<void>;
  /**
   * Resolves when every line that was pushed has its entry on disk.
   * @param end `whole`: there is no more of it @throws ApportionError `journal_unavailable`
   */
  close(end: 'whole' | 'cut'): Promise<void>;
};

type Tracked = OpenBatch & {
  /** From the disk, once they are needed. */
  rows: ReadonlyMap<string, LineRow> | null;
  /** Calls of lines that have an entry, or get one at this moment. */
  recorded: Set<string> | null;
  readonly settling: Set<Promise<void>>;
  /** The last entry that could not be written. */
  failure: Error | null;
  /** Results that were read to their end after the batch was over. */
  readonly read: Set<string>;
};

/**
 * The batches whose results are not all in, and the metering of their lines: once each, whoever fetches them. What has an entry is known from the
 * journal itself, so that neither a crash nor a restored backup makes a line twice.
 */
export class BatchBook {
  readonly #deps: BatchBookDeps;
  readonly #open = new Map<string, Tracked>();
  /** Up to where the journal was written before this process began to meter. */
  readonly #before: number;
  #earlier: Promise<ReadonlySet<string>> | null = null;

  private constructor(deps: BatchBookDeps, records: readonly BatchRecord[]) {
    this.#deps = deps;
    this.#before = deps.journal.durable().seq;
    for (const record of records) this.#open.set(keyOf(record), tracked(record, null));
  }

  static async open(deps: BatchBookDeps): Promise<BatchBook> {
    return new BatchBook(deps, await deps.folder.readOpen());
  }

  all(): readonly OpenBatch[] {
    return [...this.#open.values()];
  }

  find(provider: string, batch: string): OpenBatch | undefined {
    return this.#open.get(keyOf({ provider, batch }));
  }

  /** The batch that a file of results is of. */
  ofResults(provider: string, file: string): OpenBatch | undefined {
    return this.all().find(({ record, status }) => record.provider === provider && status?.results.includes(file));
  }

  /** Resolves when it is on disk. */
  async create(record: BatchRecord, rows: readonly LineRow[]): Promise<void> {
    await this.#deps.folder.create(record, rows);
    const fresh = tracked(record, new Set());
    fresh.rows = new Map(rows.map((row) => [row.customId, row]));
    this.#open.set(keyOf(record), fresh);
  }

  /** What a provider answered about one of its batches, or several. */
  async learn(provider: string, answer: Buffer): Promise<void> {
    for (const status of readStatuses(answer)) {
      const batch = this.#open.get(keyOf({ provider, batch: status.batch }));
      if (batch === undefined) continue;
      batch.status = status;
      await this.#endIfRead(batch);
    }
  }

  /** @param file which of its results */
  async reader({ record }: OpenBatch, file: string): Promise<ResultsReader> {
    const batch = this.#open.get(keyOf(record));
    // It ended meanwhile: all of it has its entries.
    if (batch === undefined) return NOTHING_TO_METER;
    const rows = batch.rows ?? (await this.#deps.folder.readRows(record));
    const recorded = batch.recorded === null ? await this.#recordedEarlier() : null;
    // Another reader may have come first meanwhile: there is one set, or a line is claimed twice.
    batch.rows ??= rows;
    batch.recorded ??= new Set(recorded);
    const final = batch.status?.over === true;
    const failedBefore = batch.failure;
    const splitter = new LineSplitter((line) => this.#meter(batch, line));
    return {
      get waiting() {
        return batch.settling.size;
      },
      push: (chunk) => splitter.push(chunk),
      drained: async (to) => {
        while (batch.settling.size > to)
          await Promise.allSettled([...batch.settling].slice(0, batch.settling.size - to));
      },
      close: async (end) => {
        if (end === 'whole') splitter.end();
        // Also those that somebody else fetches at this moment: the end of the results means that all are recorded.
        await Promise.allSettled(batch.settling);
        if (batch.failure !== failedBefore && batch.failure !== null) throw batch.failure;
        if (end === 'cut' || !final) return;
        batch.read.add(file);
        await this.#endIfRead(batch);
      },
    };
  }

  #meter(batch: Tracked, line: Buffer): void {
    const { record, rows, recorded } = batch;
    if (rows === null || recorded === null) return;
    const { prices, clock, journal, quirks } = this.#deps;
    const result = readResult(line, { record, rows, quirks: quirks(record.provider) });
    if (result === null || result.is === 'not_run') return;
    const callId = lineCallId(record, result.customId);
    if (recorded.has(callId)) return;
    recorded.add(callId);
    const row = rows.get(result.customId);
    const { attempt, text, cost } = lineEntry({ record, row, result }, { prices: prices(), clock });
    const settled = journal.settle(attempt, text, cost).then(
      () => {
        batch.settling.delete(settled);
      },
      (error: unknown) => {
        batch.settling.delete(settled);
        recorded.delete(callId);
        batch.failure = error instanceof Error ? error : new Error('an entry could not be written', { cause: error });
        throw error;
      },
    );
    // Whoever closes a reader sees the failure; nobody may be reading to the end.
    settled.catch(() => undefined);
    batch.settling.add(settled);
  }

  /** Read once, for all batches that an earlier process left open. */
  #recordedEarlier(): Promise<ReadonlySet<string>> {
    this.#earlier ??= this.#readEarlier();
    return this.#earlier;
  }

  async #readEarlier(): Promise<ReadonlySet<string>> {
    const left = [...this.#open.values()].filter(({ recorded }) => recorded === null);
    const after = left.reduce((least, { record }) => Math.min(least, record.afterSeq), this.#before);
    const times = new Set(left.map(({ record }) => timeOf(lineCallId(record, ''))));
    try {
      return await recordedCalls(this.#deps.journalDir, { after, through: this.#before }, times);
    } catch (error) {
      this.#earlier = null;
      throw error;
    }
  }

  async #endIfRead(batch: Tracked): Promise<void> {
    const { record, status, read } = batch;
    if (status === null || !status.over || !status.results.every((file) => read.has(file))) return;
    if (!this.#open.delete(keyOf(record))) return;
    try {
      await this.#deps.folder.end(record);
    } catch (error) {
      // Nothing is metered twice for it: it is read again.
      this.#open.set(keyOf(record), batch);
      throw error;
    }
  }
}

const NOTHING_TO_METER: ResultsReader = {
  waiting: 0,
  push: () => undefined,
  drained: async () => undefined,
  close: async () => undefined,
};

function keyOf({ provider, batch }: Pick<BatchRecord, 'provider' | 'batch'>): string {
  return `${provider}\n${batch}`;
}

function tracked(record: BatchRecord, recorded: Set<string> | null): Tracked {
  return { record, status: null, rows: null, recorded, settling: new Set(), failure: null, read: new Set() };
}
