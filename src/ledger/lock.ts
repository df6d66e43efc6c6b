import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { ApportionError } from '#terms';
import { systemClock } from '#std';

export type LockHolder = {
  readonly pid: number;
  readonly host: string;
  readonly role: string;
  readonly started_at: string;
};

export type LockOptions = {
  /** Who asks, for the message that a second one gets (`gateway`, `ledger`). */
  readonly role: string;
  /** How long to wait for the holder to go; 0 refuses at once. */
  readonly waitMs: number;
};

export type Lock = { release(): void };

const RETRY_MS = 50;

/**
 * A lock that the operating system drops when the process dies, however it dies. SQLite's exclusive transaction is such a lock (`fcntl` on
 * Unix, `LockFileEx` on Windows; Node itself offers none) and holds across containers that share the folder.
 * @param file ends in `.db`; who holds it stands beside it in `.json`. No other code may open the file: closing it would drop the lock.
 */
export async function acquireLock(file: string, { role, waitMs }: LockOptions): Promise<Lock> {
  const giveUpMs = systemClock.elapsedMs() + waitMs;
  for (;;) {
    const database = tryLock(file);
    if (database !== null) return holdLock(database, file, role);
    if (systemClock.elapsedMs() >= giveUpMs) throw inUse(file);
    await delay(RETRY_MS);
  }
}

const SQLITE_BUSY = 5;

function tryLock(file: string): DatabaseSync | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
}

function holdLock(database: DatabaseSync, file: string, role: string): Lock {
  const holder: LockHolder = {
    pid: process.pid,
    host: hostname(),
    role,
    started_at: new Date(systemClock.now()).toISOString(),
  };
  // One that was left by somebody who was killed, another user perhaps, can be removed by whoever owns the folder, not written into.
  rmSync(holderFile(file), { force: true });
  writeFileSync(holderFile(file), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  return {
    release: () => {
      if (!database.isOpen) return;
      rmSync(holderFile(file), { force: true });
      database.close();
    },
  };
}

function holderFile(file: string): string {
  return file.replace(/\.db$/, '.json');
}

function inUse(file: string): ApportionError {
  const holder = readLockHolder(file);
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} (${holder.role}) on ${holder.host}, running since ${holder.started_at}`;
  return new ApportionError('journal_unavailable', `${file} is locked by ${who}.`, {
    hint: 'Stop that process, or use another data directory.',
  });
}

/**
 * Who wrote last that they hold the lock. The lock decides, this only tells: unreadable or half-written it says nothing.
 * @param file of the lock, as given to `acquireLock`
 */
export function readLockHolder(file: string): LockHolder | undefined {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(holderFile(file), 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  if (!('pid' in json) || typeof json.pid !== 'number') return undefined;
  if (!('host' in json) || typeof json.host !== 'string') return undefined;
  if (!('role' in json) || typeof json.role !== 'string') return undefined;
  if (!('started_at' in json) || typeof json.started_at !== 'string') return undefined;
  return { pid: json.pid, host: json.host, role: json.role, started_at: json.started_at };
}
