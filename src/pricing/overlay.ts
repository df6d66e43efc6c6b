import { z } from 'zod';
import { chainHistory, findTwins } from './history.ts';
import { EVERY_MODEL, type PriceRow } from './price-row.ts';
import { findRowFaults, ROW_FIELDS, toPriceRow } from './row-text.ts';

/** One of our own price files, as text, and the name its errors carry. */
export type PriceFile = { readonly name: string; readonly text: string };

/** A price file that cannot be read: every fault at once, each with file, row and field. */
export class PriceFileError extends Error {
  override readonly name = 'PriceFileError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const rowSchema = z.strictObject(ROW_FIELDS).check((context) => {
  const row = context.value;
  const faults = findRowFaults(row);
  if (row.model === EVERY_MODEL && Object.keys(row.rates).length > 0)
    faults.push({
      path: ['rates'],
      message: `model "${EVERY_MODEL}" holds for every priced model and has no rates of its own`,
    });
  for (const fault of faults) context.issues.push({ code: 'custom', input: row, ...fault });
});

const fileSchema = z.strictObject({ about: z.string().optional(), rows: z.array(z.unknown()) });

/** Reads our own price files into rows, in force one after the other. */
export function parseOverlay(files: readonly PriceFile[]): PriceRow[] {
  const faults: string[] = [];
  const rows: PriceRow[] = [];
  const places = new Map<string, string>();
  for (const file of files) {
    for (const { row, place } of readFile(file, faults)) {
      const other = places.get(row.id);
      if (other !== undefined) faults.push(`${place}: the id is taken by ${other}`);
      places.set(row.id, place);
      rows.push(row);
    }
  }
  faults.push(...findTwins(rows));
  if (faults.length > 0) throw new PriceFileError(faults);
  return chainHistory(rows);
}

function readFile({ name, text }: PriceFile, faults: string[]): { row: PriceRow; place: string }[] {
  const file = fileSchema.safeParse(parseJson(text));
  if (!file.success) {
    faults.push(...file.error.issues.map((issue) => `${name}: ${issue.path.join('.')}: ${issue.message}`));
    return [];
  }
  return file.data.rows.flatMap((given, at) => {
    const row = rowSchema.safeParse(given);
    const id = z.object({ id: z.string() }).safeParse(given).data?.id ?? '(no id)';
    const place = `${name}: row ${at + 1} "${id}"`;
    if (row.success) return [{ row: toPriceRow(row.data, 'overlay'), place }];
    faults.push(...row.error.issues.map((issue) => `${place}: ${issue.path.join('.') || '(row)'}: ${issue.message}`));
    return [];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema then says that an object was expected.
    return undefined;
  }
}
