import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Provider } from '@pydantic/genai-prices';
import { z } from 'zod';
import { invariant } from '#std';
import { parseOverlay, PriceFileError, type PriceFile } from './overlay.ts';
import { makePriceBook, type PriceBook } from './price-book.ts';
import { EVERY_MODEL, hasRates, type PriceRow } from './price-row.ts';
import { convertSeed, type Seed } from './seed.ts';

const PRICES_FOLDER = fileURLToPath(new URL('../../prices/', import.meta.url));

/** The price book: our own files of prices/ over the seed. Throws `PriceFileError` naming file, row and field. */
export async function loadPriceBook(): Promise<PriceBook> {
  const [overlay, seed] = await Promise.all([loadOverlay(PRICES_FOLDER), loadSeed()]);
  const rows = [...overlay, ...seed.rows];
  const orphans = findOrphans(rows);
  if (orphans.length > 0) throw new PriceFileError(orphans);
  return makePriceBook(rows);
}

export async function loadOverlay(folder: string): Promise<PriceRow[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  const files = names.map(async (name): Promise<PriceFile> => {
    return { name: `prices/${name}`, text: await readFile(join(folder, name), 'utf8') };
  });
  return parseOverlay(await Promise.all(files));
}

/**
 * Reads the package's data, never its calculator.
 * @param folder where another edition of the package was unpacked; without it the one that is installed
 */
export async function loadSeed(folder?: string): Promise<Seed> {
  const home =
    folder === undefined
      ? new URL('../', import.meta.resolve('@pydantic/genai-prices'))
      : pathToFileURL(join(resolve(folder), '/'));
  const module: unknown = await import(new URL('dist/index.js', home).href);
  if (!isSeedPackage(module)) throw new PriceFileError([`${home.pathname}: this is no edition of genai-prices`]);
  const providers = await module.waitForUpdate();
  invariant(providers !== null, 'genai-prices carries its data');
  const manifest = await readFile(new URL('package.json', home), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(manifest));
  return convertSeed(providers, `genai-prices@${version}`);
}

type SeedPackage = { readonly waitForUpdate: () => Promise<readonly Provider[] | null> };

function isSeedPackage(module: unknown): module is SeedPackage {
  return (
    typeof module === 'object' &&
    module !== null &&
    'waitForUpdate' in module &&
    typeof module.waitForUpdate === 'function'
  );
}

/** Faults of rows that only change a model, when no row prices it: a mistyped model would go unnoticed. */
export function findOrphans(rows: readonly PriceRow[]): string[] {
  const models = new Set<string>();
  for (const row of rows) {
    if (!hasRates(row)) continue;
    models.add(`${row.provider}/${row.model}`);
    models.add(`${row.provider}/${EVERY_MODEL}`);
  }
  return rows
    .filter((row) => !models.has(`${row.provider}/${row.model}`))
    .map((row) => `row "${row.id}": no row prices ${row.provider}/${row.model}`);
}
