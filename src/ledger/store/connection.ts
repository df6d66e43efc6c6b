import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { drainPending, Session } from 'chdb';
import type { Clock } from '#std';
import { ApportionError } from '#terms';
import { clickHouseEngine, type ClickHouseServer } from './clickhouse-server.ts';
import { insertFromFile, type Insertion } from './insert.ts';
import { parseRows } from './json-rows.ts';
import type { Log } from './log.ts';
import { openRowFile, type RowFile } from './row-file.ts';

/** Where the store is: a directory for chDB in this process, or a ClickHouse server. */
export type StoreLocation = { readonly path: string } | ClickHouseServer;

/** One line to the engine: its statements run one after another. */
export type Connection = {
  /** A statement without an answer. Rejects with the engine's own error. */
  run(sql: string): Promise<void>;
  rows<T>(sql: string): Promise<T[]>;
  insert(insertion: Insertion): Promise<void>;
  /** For when a statement was interrupted and did not fail: as after one that failed, nothing it left behind is in a later answer. */
  renew(): void;
  close(): Promise<void>;
};

export type Engine = {
  connect(): Connection;
  /** Sees to it that `work` is done before any statement, but those of its own. A server may do it later, and more than once. */
  prepare(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
};

export async function openEngine(location: StoreLocation, deps: { log: Log; clock: Clock }): Promise<Engine> {
  if ('url' in location) return clickHouseEngine(location, deps.clock);
  const path = enginePath(location.path);
  mkdirSync(location.path, { recursive: true, mode: 0o700 });
  // Held open as long as the engine: chDB binds one directory per process and lets it go with the last connection.
  const anchor = openAnchor(path, deps);
  return {
    connect: () => chdbConnection(path),
    prepare: (work) => work(),
    async close() {
      anchor.close();
      await drainPending();
    },
  };
}

/**
 * Parts that are damaged are set aside by the engine itself and show up as missing rows. Damaged table definitions make the
 * whole directory unreadable: it is kept under another name, and the store starts empty, to be rebuilt from the journal.
 */
function openAnchor(path: string, deps: { log: Log; clock: Clock }): Session {
  try {
    return new Session(path);
  } catch (error) {
    const holder = engineHolder(path);
    if (holder !== null) {
      throw new ApportionError('ledger_unavailable', `The store in ${path} is in use by process ${holder}.`, {
        hint: 'Stop that process first.',
        cause: error,
      });
    }
    const aside = setAside(path, deps.clock);
    deps.log.error(
      { path, aside, err: error },
      'the store cannot be opened; it is set aside and rebuilt from the journal',
    );
    return new Session(path);
  }
}

/** Where chDB keeps its files in the directory of a store. */
export function enginePath(storeDir: string): string {
  return join(storeDir, 'chdb');
}

/** More of them are not kept: a disk that damages one store after the other would be full of them. */
const MOST_ASIDE = 3;

/** Makes room for an empty store. Where the old one is kept now; null when it is not, or nothing was there. */
export function setAside(path: string, clock: Clock): string | null {
  if (!existsSync(path)) return null;
  const kept = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.broken-`));
  if (kept.length >= MOST_ASIDE) {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
  const aside = `${path}.broken-${clock.now()}`;
  renameSync(path, aside);
  return aside;
}

/** The other process that has the directory open, as chDB's `status` file names it; null when there is none alive. */
function engineHolder(path: string): number | null {
  const status = join(path, 'status');
  if (!existsSync(status)) return null;
  const pid = Number(/^PID: (\d+)/m.exec(readFileSync(status, 'utf8'))?.[1]);
  if (!Number.isInteger(pid) || pid === process.pid) return null;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? pid : null;
  }
}

/**
 * chDB's own session rather than its adapter for `@clickhouse/client`: no client settings that could stick, one copy of the text
 * less per insert, and the same two methods are all that is needed.
 *
 * A session is not used again after a statement that failed: rows it had put out by then are not told with the error, but stand in front of the
 * next answer (chDB 3.4, whatever the cause: killed, out of time, or an error of its own). A new one takes a quarter of a millisecond.
 */
function chdbConnection(path: string): Connection {
  let session = new Session(path);
  let file: RowFile | null = null;
  let closed = false;
  const renew = (): void => {
    if (closed) return;
    session.close();
    session = new Session(path);
  };
  const answered = async (...asked: Parameters<Session['queryAsync']>): ReturnType<Session['queryAsync']> => {
    try {
      return await session.queryAsync(...asked);
    } catch (error) {
      renew();
      throw error;
    }
  };
  return {
    async run(sql) {
      await answered(sql);
    },
    async rows<T>(sql: string) {
      const answer = await answered(sql, { format: 'JSONEachRow' });
      return parseRows<T>(answer.text());
    },
    async insert(insertion) {
      file ??= await openRowFile(path);
      await file.fill(insertion.rows);
      try {
        await answered(insertFromFile(insertion, file.path));
      } finally {
        await file.empty();
      }
    },
    renew,
    async close() {
      closed = true;
      session.close();
      await file?.close();
    },
  };
}
