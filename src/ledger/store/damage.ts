import type { Clock } from '#std';
import type { Connection, Engine } from './connection.ts';
import type { Log } from './log.ts';
import { engineErrorName } from './rejection.ts';

export type DamageDeps = {
  readonly log: Log;
  readonly clock: Clock;
  /** The files of the store were read and are not what was written. Called once. */
  readonly found: (facts: Damage) => void;
};

/** The first thing that is wrong. */
export type Damage = { readonly table: string; readonly part: string; readonly reason: string };

/** What the engine says when it reads something else than it wrote. Each may have another cause too, so it is only a suspicion. */
const SUSPICIONS: ReadonlySet<string> = new Set([
  'ATTEMPT_TO_READ_AFTER_EOF',
  'BAD_SIZE_OF_FILE_IN_DATA_PART',
  'CANNOT_DECOMPRESS',
  'CANNOT_OPEN_FILE',
  'CANNOT_READ_ALL_DATA',
  'CHECKSUM_DOESNT_MATCH',
  'CORRUPTED_DATA',
  'EXPECTED_END_OF_FILE',
  'FILE_DOESNT_EXIST',
  'INCORRECT_DATA',
  'INCORRECT_FILE_NAME',
  'LOGICAL_ERROR',
  'NO_FILE_IN_DATA_PART',
  'SEEK_POSITION_OUT_OF_BOUND',
  'SIZES_OF_MARKS_FILES_ARE_INCONSISTENT',
  'STD_EXCEPTION',
  'TOO_LARGE_SIZE_COMPRESSED',
  'UNEXPECTED_END_OF_FILE',
  'UNEXPECTED_FILE_IN_DATA_PART',
  'UNKNOWN_CODEC',
  'UNKNOWN_FORMAT_VERSION',
]);

/** A suspicion that the check did not bear out is not looked into again for so long: one bad query must not keep the disk busy. */
const UNFOUNDED_PAUSE_MS = 10 * 60_000;

export function suspectsDamage(error: unknown): boolean {
  return SUSPICIONS.has(engineErrorName(error));
}

/**
 * Looks at every error of the engine. One that may mean damaged files has all of them read and compared with their checksums; only
 * what that finds counts, so that no query, however wrong, can take the store away.
 */
export function watchForDamage(engine: Engine, deps: DamageDeps): Engine {
  const control = engine.connect();
  let looking = false;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    const damage = await firstDamage(control);
    if (damage !== null) return deps.found(damage);
    notBeforeMs = deps.clock.elapsedMs() + UNFOUNDED_PAUSE_MS;
    deps.log.warn({}, 'the files of the store were read after an error that may mean damage: they are as written');
    looking = false;
  };
  const saw = (thrown: unknown): void => {
    if (!suspectsDamage(thrown) || looking || deps.clock.elapsedMs() < notBeforeMs) return;
    looking = true;
    look().catch((failure: unknown) => {
      deps.log.error({ err: failure }, 'the files of the store could not be checked');
      notBeforeMs = deps.clock.elapsedMs() + UNFOUNDED_PAUSE_MS;
      looking = false;
    });
  };
  return {
    connect: () => watched(engine.connect(), saw),
    prepare: (work) => engine.prepare(work),
    async close() {
      await control.close();
      await engine.close();
    },
  };
}

function watched(connection: Connection, saw: (error: unknown) => void): Connection {
  const tell = (error: unknown): never => {
    saw(error);
    throw error;
  };
  return {
    run: (sql) => connection.run(sql).catch(tell),
    rows: <T>(sql: string) => connection.rows<T>(sql).catch(tell),
    insert: (insertion) => connection.insert(insertion).catch(tell),
    renew: () => connection.renew(),
    close: () => connection.close(),
  };
}

type CheckedPart = { readonly part_path: string; readonly is_passed: number; readonly message: string };

async function firstDamage(connection: Connection): Promise<Damage | null> {
  const tables = await connection.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`,
  );
  for (const { name: table } of tables) {
    const bad = await failedPart(connection, table);
    if (bad !== null) return { table, part: bad.part_path, reason: bad.message };
  }
  return null;
}

async function failedPart(connection: Connection, table: string): Promise<CheckedPart | null> {
  try {
    const parts = await connection.rows<CheckedPart>(
      `CHECK TABLE ${table} SETTINGS check_query_single_value_result=0, max_threads=1`,
    );
    return parts.find(({ is_passed: passed }) => passed !== 1) ?? null;
  } catch (error) {
    if (!suspectsDamage(error)) throw error;
    return { part_path: '', is_passed: 0, message: error instanceof Error ? error.message : String(error) };
  }
}
