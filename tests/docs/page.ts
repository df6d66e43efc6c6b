import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Block = {
  readonly language: string;
  readonly code: string;
  readonly section: string;
  readonly line: number;
};

/** A row of a table, with the texts in backticks of each cell. */
export type Row = { readonly section: string; readonly columns: readonly string[]; readonly cells: readonly string[] };

export type Page = { readonly blocks: readonly Block[]; readonly rows: readonly Row[] };

const FENCE = /^```(\w*)$/;

/** What of a page can be run: its fenced blocks and its tables, in order, each with the heading of level two it stands under. */
export function readPage(name: string): Page {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
  const blocks: Block[] = [];
  const rows: Row[] = [];
  let section = '';
  let columns: readonly string[] | null = null;
  let open: { language: string; lines: string[]; line: number } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = FENCE.exec(line);
    if (open !== null) {
      if (fence === null) open.lines.push(line);
      else {
        blocks.push({ language: open.language, code: open.lines.join('\n'), section, line: open.line });
        open = null;
      }
    } else if (fence !== null) open = { language: fence[1] ?? '', lines: [], line: index + 1 };
    else if (line.startsWith('## ')) section = line.slice(3);
    else if (!line.startsWith('|')) columns = null;
    else if (columns === null) columns = cellsOf(line);
    else if (!line.startsWith('|---')) rows.push({ section, columns, cells: cellsOf(line) });
  }
  return { blocks, rows };
}

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

export function spans(cell: string): readonly string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, span = '']) => span);
}

/** The cell under a heading of its table. */
export function cellOf(row: Row, column: string): string {
  return row.cells[row.columns.indexOf(column)] ?? '';
}

/** Where an answer is not what a page shows of it: a page may leave fields out, and `…` stands for any text. */
export function difference(actual: unknown, shown: unknown, at = 'answer'): string | null {
  if (typeof shown === 'string' && shown.includes('…')) return typeof actual === 'string' ? null : `${at} is no text`;
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual) || actual.length !== shown.length) return `${at} is ${JSON.stringify(actual)}`;
    return firstOf(shown.map((item: unknown, index) => difference(actual[index], item, `${at}[${index}]`)));
  }
  if (typeof shown === 'object' && shown !== null) {
    if (typeof actual !== 'object' || actual === null) return `${at} is ${JSON.stringify(actual)}`;
    const fields = new Map(Object.entries(actual));
    return firstOf(Object.entries(shown).map(([name, value]) => difference(fields.get(name), value, `${at}.${name}`)));
  }
  return Object.is(actual, shown) ? null : `${at} is ${JSON.stringify(actual)}, not ${JSON.stringify(shown)}`;
}

function firstOf(found: readonly (string | null)[]): string | null {
  return found.find((one) => one !== null) ?? null;
}
