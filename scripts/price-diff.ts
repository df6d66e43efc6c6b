// `npm run prices:diff -- <folder>`: what changes in the list prices if that edition of @pydantic/genai-prices becomes the seed.
// Get one to compare with by `npm pack @pydantic/genai-prices` in another folder, and unpack it there.
import { diffRows, loadSeed, type RowChange } from '#pricing';

const folder = process.argv[2];
const [inUse, other] = await Promise.all([loadSeed(), loadSeed(folder)]);
const changes = diffRows(inUse.rows, other.rows);

process.stdout.write(`${countOf('added')} added, ${countOf('removed')} removed, ${countOf('changed')} changed rows\n`);
const lines = changes.flatMap(({ row, kind, fields }) =>
  fields.map(({ field, before, after }) => [kind, row, field, before ?? '–', after ?? '–']),
);
if (lines.length > 0) printTable([['', 'row', 'price', 'in use', 'other'], ...lines]);
for (const rejected of other.rejected.filter((text) => !inUse.rejected.some((known) => tailOf(known) === tailOf(text))))
  process.stdout.write(`left out: ${rejected}\n`);

function countOf(kind: RowChange['kind']): number {
  return changes.filter((change) => change.kind === kind).length;
}

/** Without the edition, which always differs. */
function tailOf(text: string): string {
  return text.slice(text.indexOf('/'));
}

function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? [];
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}
