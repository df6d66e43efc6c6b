import { randomUUID } from 'node:crypto';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import type { Connection } from './connection.ts';

export type ReadOptions = {
  /** The asker went away: the query is killed in the engine and its reader freed. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
};

/** Reports above this wait for nobody: the asker is told to come back. */
const WAITING_QUERIES = 64;
const KILL_RETRY_MS = 50;
const DEFAULT_TIMEOUT_MS = 30_000;
/** In the words of the engine. */
const OUT_OF_TIME = 'The query took longer than it may (TIMEOUT_EXCEEDED)';

/**
 * Blocks of four megabytes instead of one: a report under filters reads ten columns, and in small blocks each of them is taken up so often that a
 * sixth of its processor time goes there. Nothing is compiled: the third report of a kind would wait 0.3 s for that, and none after it is quicker.
 */
const READ_SETTINGS = [
  'preferred_block_size_bytes=4000000',
  'compile_expressions=0',
  'compile_aggregate_expressions=0',
  'compile_sort_description=0',
  'output_format_json_quote_64bit_integers=0',
].join(', ');

/**
 * A fixed set of connections that only read. A connection runs one query at a time, so each is lent to one asker; the
 * rest wait in order. Queries are killed through a connection of their own: aborting a client does not stop the engine.
 */
export class Readers {
  readonly #idle: Connection[];
  readonly #all: readonly Connection[];
  readonly #control: Connection;
  readonly #maxMemoryBytes: number;
  readonly #clock: Clock;
  readonly #waiting: ((reader: Connection) => void)[] = [];
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(deps: { readers: readonly Connection[]; control: Connection; maxMemoryBytes: number; clock: Clock }) {
    this.#all = deps.readers;
    this.#idle = [...deps.readers];
    this.#control = deps.control;
    this.#maxMemoryBytes = deps.maxMemoryBytes;
    this.#clock = deps.clock;
  }

  async query<T>(sql: string, options: ReadOptions = {}): Promise<T[]> {
    const signal =
      options.signal === undefined ? this.#closing.signal : AbortSignal.any([options.signal, this.#closing.signal]);
    signal.throwIfAborted();
    const reader = await this.#borrow(signal);
    try {
      signal.throwIfAborted();
      const running = this.#run<T>(reader, sql, { signal, timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS });
      this.#running.add(running);
      return await running.finally(() => this.#running.delete(running));
    } finally {
      this.#giveBack(reader);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new ApportionError('shutting_down', 'The store is closing.'));
    await Promise.allSettled(this.#running);
    for (const connection of [...this.#all, this.#control]) await connection.close();
  }

  #borrow(signal: AbortSignal): Promise<Connection> {
    const free = this.#idle.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#waiting.length >= WAITING_QUERIES) {
      return Promise.reject(
        new ApportionError('ledger_unavailable', `${WAITING_QUERIES} reports are waiting already.`, {
          hint: 'Try again in a moment.',
        }),
      );
    }
    return new Promise((resolve, reject) => {
      const turn = (reader: Connection): void => {
        signal.removeEventListener('abort', leave);
        resolve(reader);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(turn);
    });
  }

  #giveBack(reader: Connection): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(reader);
    else next(reader);
  }

  /** A query that was killed or out of time may answer in part, or nothing, and say no word of it: that is no answer. */
  async #run<T>(reader: Connection, sql: string, limits: { signal: AbortSignal; timeoutMs: number }): Promise<T[]> {
    const { signal } = limits;
    const seconds = Math.ceil(limits.timeoutMs / 1000);
    const mark = `/* apportion ${randomUUID()} */`;
    let done = false;
    const kill = (): void => void this.#kill(mark, () => done);
    signal.addEventListener('abort', kill, { once: true });
    const begunMs = this.#clock.elapsedMs();
    try {
      const rows = await reader.rows<T>(`${mark} ${sql}
SETTINGS max_execution_time=${seconds}, ${this.#memorySettings()}, ${READ_SETTINGS}`);
      const isLate = this.#clock.elapsedMs() - begunMs >= seconds * 1000;
      if (isLate || signal.aborted) reader.renew();
      if (isLate) throw new Error(OUT_OF_TIME);
      signal.throwIfAborted();
      return rows;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      done = true;
      signal.removeEventListener('abort', kill);
    }
  }

  /** Groups and orders that take more than half of it go on in files: two and a half million sessions are ranked slowly, not refused. */
  #memorySettings(): string {
    const half = Math.floor(this.#maxMemoryBytes / 2);
    return `max_memory_usage=${this.#maxMemoryBytes}, max_bytes_before_external_group_by=${half}, max_bytes_before_external_sort=${half}`;
  }

  /**
   * Repeated until the query has ended: a kill can overtake the query on its way into the engine, or fail. The query's own
   * time limit ends it in any case.
   */
  async #kill(mark: string, isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      await this.#control.run(`KILL QUERY WHERE startsWith(query, '${mark}') ASYNC`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, KILL_RETRY_MS));
    }
  }
}
