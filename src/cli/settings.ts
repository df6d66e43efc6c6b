import { resolve } from 'node:path';
import { ConfigError, loadConfig, type ClickHouseConfig } from '#config';

/** What a command takes from the server's own settings. */
export type Settings = {
  /** Absolute. */
  readonly dataDir: string;
  /** Null where it is not configured: the server made one. */
  readonly adminKey: string | null;
  /** No call takes longer. */
  readonly totalMs: number;
  /** The server that has the store; null: it is in the folder. */
  readonly clickHouse: ClickHouseConfig | null;
};

const DEFAULT_TOTAL_MS = 3_600_000;

/**
 * The settings as a server started here would have them. With a folder named, settings that are wrong do not keep a command from
 * working on it.
 */
export function readSettings(dataDir: string | undefined): Settings {
  try {
    const { dataDir: configured, adminKey, timeouts, clickHouse } = loadConfig();
    const folder = dataDir === undefined ? configured : resolve(dataDir);
    return { dataDir: folder, adminKey, totalMs: timeouts.totalMs, clickHouse };
  } catch (error) {
    if (!(error instanceof ConfigError) || dataDir === undefined) throw error;
    return { dataDir: resolve(dataDir), adminKey: null, totalMs: DEFAULT_TOTAL_MS, clickHouse: null };
  }
}
