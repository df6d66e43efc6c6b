import { benchAnalytics } from './analytics.ts';
import { benchLedger } from './ledger.ts';
import { benchMigrations } from './migrations.ts';

const PARTS: Readonly<Record<string, (words: readonly string[]) => Promise<void>>> = {
  analytics: benchAnalytics,
  ledger: benchLedger,
  migrations: benchMigrations,
};

/** Runs the benchmark of one part of the system, where its name comes first; false where none does. */
export async function runPart([name = '', ...words]: readonly string[]): Promise<boolean> {
  const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
  if (part === undefined) return false;
  await part(words);
  return true;
}
